# Puts keys with sync, in a new database.
import plyvel

db = plyvel.DB("state/db", create_if_missing=True)
print("open", flush=True)
db.put(b"a", b"1", sync=True)
print("a", flush=True)
db.put(b"b", b"2", sync=True)
print("b", flush=True)
db.close()
