# Moves an amount between accounts in one transaction.
sqlite3 state/accounts.db 'PRAGMA synchronous=FULL; BEGIN; UPDATE t SET v = 40 WHERE k = 1;
  UPDATE t SET v = 60 WHERE k = 2; COMMIT;' && echo committed
