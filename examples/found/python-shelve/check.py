# The shelf opens, has the old key, and the new one once it was told.
import dbm.dumb
import os
import sys

with open(os.environ["HOLDFAST_ACKS"], encoding="utf8") as file:
    told = "synced" in file.read()
try:
    db = dbm.dumb.open("shelf", "r")
    old, new = db.get(b"old"), db.get(b"new")
except Exception as error:
    sys.exit(f"cannot be read: {type(error).__name__}")
if old != b"1":
    sys.exit("the old key is gone")
if told and not new:
    sys.exit("a synced key is gone")
