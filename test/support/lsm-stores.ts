/** Small stores of the LSM engine for tests: their options, and what is in them as text. */

import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { EntrySink } from '../../src/engine/entry-iterator.ts';
import { WriteBatch } from '../../src/engine/write-batch.ts';
import { lsmKind } from '../../src/lsm/lsm-kind.ts';
import type { LsmOptions } from '../../src/lsm/lsm-options.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';

/** So small that a few entries are many tables in many levels. */
export const TINY: LsmOptions = {
  writeBufferSize: 1024,
  maxFileSize: 1024,
  blockSize: 64,
  cacheSize: 4096,
};

/** Opens the store `/store` of a file system. */
export function openOn(vfs: Vfs, options: LsmOptions = {}): Promise<Engine> {
  return lsmKind.open('/store', { ...TINY, ...options, dispatch: new SyncDispatch(vfs) });
}

/** A batch of text; `undefined` deletes. */
export function textBatch(changes: Readonly<Record<string, string | undefined>>): WriteBatch {
  const batch = new WriteBatch();
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) batch.delete(Buffer.from(key, 'latin1'));
    else batch.put(Buffer.from(key, 'latin1'), Buffer.from(value, 'latin1'));
  }
  return batch;
}

/** All entries in order, as text. */
export async function textEntries(engine: Engine): Promise<[string, string][]> {
  const entries: [string, string][] = [];
  const sink: EntrySink = {
    entry: (keys, keyStart, keyEnd, values, valueStart, valueEnd) => {
      const key = keys.toString('latin1', keyStart, keyEnd);
      entries.push([key, values.toString('latin1', valueStart, valueEnd)]);
    },
  };
  const iterator = engine.iterator();
  while ((await iterator.read(sink, 1000, Infinity)) > 0);
  iterator.close();
  return entries;
}
