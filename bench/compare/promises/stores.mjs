/**
 * The stores whose promises are compared, each as its own documentation says that it is used: `open` gives the few
 * calls that the program makes. An option that makes a write durable is a store of its own, so that the table shows
 * what is promised without it.
 */

const place = 'db';

async function level(db) {
  await db.open();
  return {
    put: (key, value) => db.put(key, value),
    batch: (operations) => db.batch(operations),
    get: (key) => db.get(key),
    close: () => db.close(),
  };
}

async function holdfast(directory, engine) {
  const { HoldfastLevel } = await import('../../../dist/index.js');
  return level(new HoldfastLevel(`${directory}/${place}`, { engine }));
}

async function classicLevel(directory, options) {
  const { ClassicLevel } = await import('classic-level');
  const db = new ClassicLevel(`${directory}/${place}`);
  const store = await level(db);
  return {
    ...store,
    put: (key, value) => db.put(key, value, options),
    batch: (operations) => db.batch(operations, options),
  };
}

async function lmdb(directory, isFlushed) {
  const { open } = await import('lmdb');
  const db = open({ path: `${directory}/${place}`, encoding: 'string' });
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

async function betterSqlite(directory, pragmas) {
  const { default: Database } = await import('better-sqlite3');
  const { mkdirSync } = await import('node:fs');
  mkdirSync(`${directory}/${place}`, { recursive: true });
  const db = new Database(`${directory}/${place}/store.sqlite`);
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

async function rocksLevel(directory, options) {
  const { RocksLevel } = await import('@nxtedition/rocksdb');
  const db = new RocksLevel(`${directory}/${place}`);
  const store = await level(db);
  return {
    ...store,
    // Its `put` takes no `sync` (measured: no fdatasync), a batch does.
    put: (key, value) => db.batch([{ type: 'put', key, value }], options),
    batch: (operations) => db.batch(operations, options),
  };
}

/** By name: the package that it needs (none: ours), and how it is opened in a directory. */
export const STORES = {
  'holdfast lsm': [null, (directory) => holdfast(directory, 'lsm')],
  'holdfast bitcask': [null, (directory) => holdfast(directory, 'bitcask')],
  'holdfast btree': [null, (directory) => holdfast(directory, 'btree')],
  'classic-level': ['classic-level', (directory) => classicLevel(directory, {})],
  'classic-level, sync': ['classic-level', (directory) => classicLevel(directory, { sync: true })],
  lmdb: ['lmdb', (directory) => lmdb(directory, false)],
  'lmdb, flushed': ['lmdb', (directory) => lmdb(directory, true)],
  'better-sqlite3': ['better-sqlite3', (directory) => betterSqlite(directory, [])],
  'better-sqlite3, WAL': [
    'better-sqlite3',
    (directory) => betterSqlite(directory, ['journal_mode = WAL']),
  ],
  'better-sqlite3, WAL, FULL': [
    'better-sqlite3',
    (directory) => betterSqlite(directory, ['journal_mode = WAL', 'synchronous = FULL']),
  ],
  '@nxtedition/rocksdb, sync': [
    '@nxtedition/rocksdb',
    (directory) => rocksLevel(directory, { sync: true }),
  ],
};
