# Two transactions as the documentation of py-lmdb shows. Without its lock file, which holds no data and is mapped.
import lmdb

env = lmdb.open("state", lock=False, map_size=1 << 20)
for amount in (10, 20):
    with env.begin(write=True) as txn:
        txn.put(b"x", str(50 - amount).encode())
        txn.put(b"y", str(50 + amount).encode())
    print(amount, flush=True)
