/**
 * The rivals as contestants of `npm run bench:engines` (`bench/engines/store-contestant.ts` has the
 * contract): each with its defaults, but durable where a put says so and unsynced where a load is
 * measured. A rival that is not installed on this machine is left out.
 */

import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const CHUNK = 1000;
const require = createRequire(import.meta.url);

export async function rivals() {
  const makers = [classicLevel, memoryLevel, rocksLevel, lmdb, betterSqlite, nodeSqlite];
  const found = await Promise.all(
    makers.map(async (make) => {
      try {
        return await make();
      } catch (error) {
        if (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'ERR_UNKNOWN_BUILTIN_MODULE') {
          return undefined;
        }
        throw error;
      }
    }),
  );
  return found.filter((rival) => rival !== undefined);
}

function version(name) {
  const file = join(import.meta.dirname, 'node_modules', name, 'package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}

/** Whatever speaks `abstract-level`. */
function level(
  name,
  create,
  { durable = true, put = (db, key, value) => db.put(key, value, { sync: true }) } = {},
) {
  return {
    name,
    version: version(name),
    durable,
    async open(directory) {
      const db = create(directory);
      await db.open();
      return {
        load: (entries) => db.batch(entries.map(([key, value]) => ({ type: 'put', key, value }))),
        ...(durable && { put: (key, value) => put(db, key, value) }),
        ...(db.supports.getSync !== false &&
          typeof db.getSync === 'function' && { getSync: (key) => db.getSync(key) }),
        get: (key) => db.get(key),
        async scan() {
          const iterator = db.iterator();
          let count = 0;
          for (;;) {
            const entries = await iterator.nextv(CHUNK);
            if (entries.length === 0) break;
            count += entries.length;
          }
          await iterator.close();
          return count;
        },
        close: () => db.close(),
      };
    },
  };
}

const BYTES = { keyEncoding: 'buffer', valueEncoding: 'buffer' };

async function classicLevel() {
  const { ClassicLevel } = await import('classic-level');
  return level('classic-level', (directory) => new ClassicLevel(directory, BYTES));
}

async function memoryLevel() {
  const { MemoryLevel } = await import('memory-level');
  return level('memory-level', () => new MemoryLevel(BYTES), { durable: false });
}

async function rocksLevel() {
  const { RocksLevel } = await import('@nxtedition/rocksdb');
  return level('@nxtedition/rocksdb', (directory) => new RocksLevel(directory, BYTES), {
    // Its `put` syncs only as part of a batch (measured: no fdatasync otherwise).
    put: (db, key, value) => db.batch([{ type: 'put', key, value }], { sync: true }),
  });
}

async function lmdb() {
  const { open } = await import('lmdb');
  return {
    name: 'lmdb',
    version: version('lmdb'),
    durable: true,
    async open(directory, use) {
      const db = open({
        path: directory,
        keyEncoding: 'binary',
        encoding: 'binary',
        // A file of one name would be a database of its own kind.
        noSync: use === 'load',
        mapSize: 8 * 1024 ** 3,
      });
      return {
        async load(entries) {
          let last;
          for (const [key, value] of entries) last = db.put(key, value);
          await last;
        },
        putSync: (key, value) => db.putSync(key, value),
        async put(key, value) {
          await db.put(key, value);
          await db.flushed;
        },
        getSync: (key) => db.get(key),
        scan() {
          let count = 0;
          let bytes = 0;
          for (const { key, value } of db.getRange({})) {
            bytes += key.length + value.length;
            count += 1;
          }
          if (count > 0 && bytes === 0) throw new Error('entries without bytes');
          return count;
        },
        close: () => db.close(),
      };
    },
  };
}

async function sqliteStore(database, use) {
  const put = () => database.prepare('INSERT OR REPLACE INTO kv VALUES (?, ?)');
  database.exec('PRAGMA journal_mode = WAL');
  database.exec(`PRAGMA synchronous = ${use === 'load' ? 'OFF' : 'FULL'}`);
  database.exec('CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID');
  const insert = put();
  const one = database.prepare('SELECT v FROM kv WHERE k = ?');
  const all = database.prepare('SELECT k, v FROM kv ORDER BY k');
  return {
    load(entries) {
      database.exec('BEGIN');
      for (const [key, value] of entries) insert.run(key, value);
      database.exec('COMMIT');
    },
    // There is no form that waits elsewhere, so that it has no awaited put.
    putSync: (key, value) => void insert.run(key, value),
    getSync: (key) => one.get(key)?.v,
    scan() {
      let count = 0;
      for (const row of all.iterate()) count += row.v.length > 0 ? 1 : 0;
      return count;
    },
    close: () => database.close(),
  };
}

async function betterSqlite() {
  // Through require: the import of a missing native part would be another error.
  let Database;
  try {
    Database = require('better-sqlite3');
    new Database(':memory:').close();
  } catch {
    return undefined;
  }
  return {
    name: 'better-sqlite3',
    version: version('better-sqlite3'),
    durable: true,
    async open(directory, use) {
      await mkdir(directory, { recursive: true });
      return sqliteStore(new Database(join(directory, 'db.sqlite')), use);
    },
  };
}

async function nodeSqlite() {
  const { DatabaseSync } = await import('node:sqlite');
  return {
    name: 'node:sqlite',
    version: process.versions.sqlite ?? '',
    durable: true,
    async open(directory, use) {
      await mkdir(directory, { recursive: true });
      return sqliteStore(new DatabaseSync(join(directory, 'db.sqlite')), use);
    },
  };
}
