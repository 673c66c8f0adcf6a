import os

import tdb

db = tdb.Tdb("data.tdb", 0, tdb.NOMMAP, os.O_RDWR | os.O_CREAT, 0o600)
for number in range(10):
    db.store(b"old%d" % number, b"value")
db.store(b"x", b"50")
db.store(b"y", b"50")
db.close()
