/**
 * The stores whose promises are compared, each as its own documentation says that it is used.
 * A setting that says when a write is durable is a row of its own. `promised` is what the documentation says of a power
 * cut, in our words: whether what had returned lasts (`lasts`), and where it says so (`source`). That a batch is whole,
 * that what was written first is there first, each of them promises; `opens` says whether that the store opens after it.
 */

import { mkdirSync } from 'node:fs';

async function level(db) {
  await db.open();
  return {
    put: (key, value) => db.put(key, value),
    batch: (operations) => db.batch(operations),
    get: (key) => db.get(key),
    close: () => db.close(),
  };
}

async function holdfast(place, options, vfs) {
  const { HoldfastLevel } = await import('../../../dist/index.js');
  const { SyncDispatch } = await import('../../../dist/durable/sync-dispatch.js');
  const dispatch = vfs === undefined ? {} : { dispatch: new SyncDispatch(vfs) };
  return level(new HoldfastLevel(place, { ...options, ...dispatch }));
}

async function classicLevel(place, options) {
  const { ClassicLevel } = await import('classic-level');
  const db = new ClassicLevel(place);
  const store = await level(db);
  return {
    ...store,
    put: (key, value) => db.put(key, value, options),
    batch: (operations) => db.batch(operations, options),
  };
}

async function rocksLevel(place, options) {
  const { RocksLevel } = await import('@nxtedition/rocksdb');
  const db = new RocksLevel(place);
  const store = await level(db);
  return {
    ...store,
    async get(key) {
      try {
        return await db.get(key);
      } catch (error) {
        if (error.code === 'LEVEL_NOT_FOUND') return undefined;
        throw error;
      }
    },
    // Its `put` takes no `sync` (measured: no fdatasync), a batch does.
    put: (key, value) => db.batch([{ type: 'put', key, value }], options),
    batch: (operations) => db.batch(operations, options),
  };
}

async function lmdb(place, { isFlushed, isRecovery }) {
  const { open } = await import('lmdb');
  const db = open({
    path: place,
    encoding: 'string',
    // It takes the last flushed transaction where the machine was started since, which it sees by a number of the
    // kernel's. That number stays the same here, where no machine is started again: so it is told.
    ...(isRecovery && { safeRestore: true }),
  });
  const after = async (written) => {
    await written;
    if (isFlushed) await db.flushed;
  };
  return {
    put: (key, value) => after(db.put(key, value)),
    batch: (operations) =>
      after(
        db.transaction(() => {
          for (const { type, key, value } of operations) {
            // Inside a transaction they are part of it: there is nothing to wait for.
            void (type === 'put' ? db.put(key, value) : db.remove(key));
          }
        }),
      ),
    get: (key) => db.get(key),
    close: () => db.close(),
  };
}

async function sqlite(place, pragmas) {
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(`${place}/store.sqlite`);
  for (const pragma of pragmas) db.pragma(pragma);
  db.exec('create table if not exists entries (key text primary key, value text)');
  const put = db.prepare('insert or replace into entries values (?, ?)');
  const remove = db.prepare('delete from entries where key = ?');
  const get = db.prepare('select value from entries where key = ?').pluck();
  return {
    put: (key, value) => put.run(key, value),
    batch: db.transaction((operations) => {
      for (const { type, key, value } of operations) {
        if (type === 'put') put.run(key, value);
        else remove.run(key);
      }
    }),
    get: (key) => get.get(key),
    close: () => db.close(),
  };
}

/** SQLite makes files, no directories. */
const withDirectory = (place) => mkdirSync(place);
const nothing = () => {};

/** What the documentation says of a write that has returned and a power cut, in our words. */
const documented = {
  ours: { promised: true, says: 'lasts', source: 'docs/store.md, "When is it durable?"' },
  oursNone: { promised: false, says: 'what was not yet synced may go', source: 'docs/store.md' },
  level: {
    promised: false,
    says: 'without `sync` some recent writes may be lost where the machine crashes',
    source: 'LevelDB, `WriteOptions::sync` in `include/leveldb/options.h`',
  },
  levelSync: {
    promised: true,
    says: 'the write is flushed from the buffers of the operating system before it is complete',
    source: 'LevelDB, `WriteOptions::sync` in `include/leveldb/options.h`',
  },
  lmdb: {
    promised: true,
    says: 'of `put`: durable once the promise resolves; of `overlappingSync`, the default: it resolves at the commit, and `flushed` when it is durable',
    source: 'README of lmdb, `db.put` and "Overlapping Sync Options"',
    note: 'By hand: with its defaults, too, opening a `data.mdb` of 4,096 bytes or of 8,192 zeros ends the process with SIGSEGV.',
  },
  lmdbFlushed: {
    promised: true,
    says: 'flushed to disk and durable when `flushed` resolves',
    source: 'README of lmdb, "Overlapping Sync Options"',
    note: 'By hand: with its defaults, too, opening a `data.mdb` of 4,096 bytes or of 8,192 zeros ends the process with SIGSEGV.',
  },
  sqliteFull: {
    promised: false,
    says: 'no corruption; EXTRA is there for more durability of a commit that a power cut follows closely',
    source: 'https://www.sqlite.org/pragma.html#pragma_synchronous',
    note: 'By hand: a commit is the removal of its journal, and no sync of the directory comes after that (EXTRA has one), so that the last commit may be taken back, alone and whole. Of the program `sqlite3` [found.md](../../docs/found.md#sqlite-rollback) has the same, reproduced on kernels.',
  },
  sqliteExtra: {
    promised: true,
    says: 'as FULL, and the directory is synced after the journal was removed',
    source: 'https://www.sqlite.org/pragma.html#pragma_synchronous',
  },
  sqliteWal: {
    promised: false,
    says: 'with NORMAL, which better-sqlite3 is built with for WAL, a commit may roll back after a power cut',
    source: 'https://www.sqlite.org/pragma.html#pragma_synchronous',
    note: 'Why it is not whole: no commit is synced before the close, so that ext4 alone allows 2,548 million states of the first run. Some were taken one after the other, as many as five minutes for each model gave, and others at random.',
  },
  sqliteWalFull: {
    promised: true,
    says: 'the log is synced after each commit, which lasts through a power cut',
    source: 'https://www.sqlite.org/pragma.html#pragma_synchronous',
  },
  rocks: {
    promised: false,
    says: 'of RocksDB: without `sync` the last writes may be lost where the machine crashes',
    source: 'RocksDB, `WriteOptions::sync` in `include/rocksdb/options.h`',
  },
  rocksSync: {
    promised: true,
    says: 'of RocksDB: the write is flushed from the buffers of the operating system before it is complete',
    source: 'RocksDB, `WriteOptions::sync` in `include/rocksdb/options.h`',
    note: 'By hand, of what `posix` shows out of order: the new log has its size, and not yet its bytes, and where they belong lie those of the log that was removed, whose first record is taken for one that came later (a new log that was given the first 50 bytes of the old one shows the same). File systems that keep a freed block from the next file do not show it.',
  },
};

const ours = (lasts, engine, options) => ({
  needs: null,
  lasts,
  opens: true,
  prepare: nothing,
  open: (place, { vfs } = {}) => holdfast(place, { engine, ...options }, vfs),
});
const classic = (lasts, options) => ({
  needs: 'classic-level',
  lasts,
  opens: false,
  prepare: nothing,
  open: (place) => classicLevel(place, options),
});
const rocks = (lasts, options) => ({
  needs: '@nxtedition/rocksdb',
  lasts,
  opens: false,
  prepare: nothing,
  open: (place) => rocksLevel(place, options),
});
const lmdbStore = (lasts, isFlushed) => ({
  needs: 'lmdb',
  lasts,
  opens: true,
  prepare: nothing,
  open: (place, { isRecovery = false } = {}) => lmdb(place, { isFlushed, isRecovery }),
});
const sqliteStore = (lasts, ...pragmas) => ({
  needs: 'better-sqlite3',
  lasts,
  opens: true,
  prepare: withDirectory,
  open: (place) => sqlite(place, pragmas),
});

const WAL = 'journal_mode = WAL';

export const STORES = {
  'holdfast, LSM': ours(documented.ours, 'lsm'),
  'holdfast, Bitcask': ours(documented.ours, 'bitcask'),
  'holdfast, B+tree': ours(documented.ours, 'btree'),
  "holdfast, LSM, sync: 'none'": ours(documented.oursNone, 'lsm', { sync: 'none' }),
  'classic-level': classic(documented.level, {}),
  'classic-level, sync': classic(documented.levelSync, { sync: true }),
  lmdb: lmdbStore(documented.lmdb, false),
  'lmdb, flushed': lmdbStore(documented.lmdbFlushed, true),
  'better-sqlite3': sqliteStore(documented.sqliteFull),
  'better-sqlite3, EXTRA': sqliteStore(documented.sqliteExtra, 'synchronous = EXTRA'),
  'better-sqlite3, WAL': sqliteStore(documented.sqliteWal, WAL),
  'better-sqlite3, WAL, FULL': sqliteStore(documented.sqliteWalFull, WAL, 'synchronous = FULL'),
  '@nxtedition/rocksdb': rocks(documented.rocks, {}),
  '@nxtedition/rocksdb, sync': rocks(documented.rocksSync, { sync: true }),
};
