# Adds a key and synchronises.
import dbm.dumb
import shelve

db = shelve.Shelf(dbm.dumb.open("state/shelf"))
db["new"] = 2
db.sync()
print("synced", flush=True)
db.close()
