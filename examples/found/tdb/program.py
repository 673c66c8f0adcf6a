# A transaction. Without mapped memory, which cannot be recorded.
import os

import tdb

db = tdb.Tdb("state/data.tdb", 0, tdb.NOMMAP, os.O_RDWR, 0o600)
db.transaction_start()
db.store(b"x", b"40")
db.store(b"y", b"60")
db.transaction_commit()
print("committed", flush=True)
db.close()
