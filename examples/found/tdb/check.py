# The database opens (which replays its recovery area), transactions are whole, and what was told is there.
import os
import sys

import tdb

with open(os.environ["HOLDFAST_ACKS"], encoding="utf8") as file:
    told = "committed" in file.read()
try:
    db = tdb.Tdb("data.tdb", 0, tdb.NOMMAP, os.O_RDWR, 0o600)
    x, y = int(db.get(b"x")), int(db.get(b"y"))
    old = [db.get(b"old%d" % number) for number in range(10)]
except Exception as error:
    sys.exit(f"cannot be read: {type(error).__name__}")
if any(value != b"value" for value in old):
    sys.exit("an old key is gone")
if x + y != 100:
    sys.exit("half of a transaction is there")
if told and x != 40:
    sys.exit("a committed transaction is gone")
