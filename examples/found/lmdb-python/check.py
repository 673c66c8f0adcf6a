# The database opens, transactions are whole, and the last one that was told is there.
import os
import sys

import lmdb

with open(os.environ["HOLDFAST_ACKS"], encoding="utf8") as file:
    told = [int(line) for line in file.read().split()]
try:
    with lmdb.open(".", lock=False, map_size=1 << 20, readonly=True) as env, env.begin() as txn:
        old, x, y = txn.get(b"old"), int(txn.get(b"x")), int(txn.get(b"y"))
except Exception as error:
    sys.exit(f"cannot be read: {type(error).__name__}")
if old != b"1":
    sys.exit("the old key is gone")
if x + y != 100:
    sys.exit("half of a transaction is there")
if told and y - 50 < told[-1]:
    sys.exit("a committed transaction is gone")
