/** Holdfast's own engines as contestants, through the store that users have. */

import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import type { OpenStore, StoreContestant } from './store-contestant.ts';

type BytesLevel = HoldfastLevel<Buffer, Buffer>;

const CHUNK = 1000;

async function open(directory: string, engine: 'lsm' | 'bitcask' | 'btree'): Promise<OpenStore> {
  const db: BytesLevel = new HoldfastLevel(directory, {
    engine,
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  });
  await db.open();
  return {
    load: (entries) =>
      db.batch(
        entries.map(([key, value]) => ({ type: 'put' as const, key, value })),
        { sync: 'none' },
      ),
    putSync: (key, value) => db.putSync(key, value),
    put: (key, value) => db.put(key, value),
    getSync: (key) => db.getSync(key),
    get: (key) => db.get(key),
    scan: () => scanned(db),
    close: () => db.close(),
  };
}

async function scanned(db: BytesLevel): Promise<number> {
  const iterator = db.iterator();
  let count = 0;
  for (;;) {
    const entries = await iterator.nextv(CHUNK);
    if (entries.length === 0) break;
    count += entries.length;
  }
  await iterator.close();
  return count;
}

export const HOLDFAST_STORES: readonly StoreContestant[] = (
  ['lsm', 'bitcask', 'btree'] as const
).map((engine) => ({
  name: `holdfast ${engine}`,
  version: '',
  durable: true,
  open: (directory) => open(directory, engine),
}));
