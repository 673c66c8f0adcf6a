import dbm.dumb

with dbm.dumb.open("shelf") as db:
    db["old"] = "1"
