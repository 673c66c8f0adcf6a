# The database is sound, the sum is as it was, and what was committed is there.
[ "$(sqlite3 accounts.db 'PRAGMA integrity_check')" = ok ] || { echo 'integrity_check fails'; exit 1; }
sum=$(sqlite3 accounts.db 'SELECT sum(v) FROM t')
[ "$sum" = 100 ] || { echo "half of a transaction is there: the sum is $sum"; exit 1; }
if grep -q committed "$HOLDFAST_ACKS"; then
  [ "$(sqlite3 accounts.db 'SELECT v FROM t WHERE k = 2')" = 60 ] ||
    { echo 'a committed transaction is gone'; exit 1; }
fi
