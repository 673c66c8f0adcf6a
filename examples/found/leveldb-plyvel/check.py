# The database opens, and has each key that was told.
import os
import re
import sys

import plyvel

with open(os.environ["HOLDFAST_ACKS"], encoding="utf8") as file:
    told = file.read().split("\n")
if "open" not in told and not os.path.exists("db/CURRENT"):
    sys.exit(0)
try:
    db = plyvel.DB("db", create_if_missing=False)
except plyvel.Error as error:
    sys.exit("cannot be opened: " + re.sub(r"\d{6}", "N", str(error)))
for key, value in (("a", b"1"), ("b", b"2")):
    if key in told and db.get(key.encode()) != value:
        sys.exit("a key is gone that was put with sync")
db.close()
