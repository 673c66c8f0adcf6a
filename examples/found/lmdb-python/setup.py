import lmdb

env = lmdb.open(".", lock=False, map_size=1 << 20)
with env.begin(write=True) as txn:
    txn.put(b"old", b"1")
    txn.put(b"x", b"50")
    txn.put(b"y", b"50")
