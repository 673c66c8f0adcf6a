sqlite3 accounts.db 'PRAGMA journal_mode=WAL; CREATE TABLE t(k PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO t VALUES (1, 100), (2, 0);' > /dev/null
