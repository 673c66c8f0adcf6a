/** Values longer than the cache: written, read, replaced, deleted, and read in an older state. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

test('a blocking scan with long values shows the right keys, though pages leave the cache', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await btreeKind.open('/store', { dispatch, cacheSize: 1 << 20 });
  const batch = new WriteBatch();
  const name = (index: number): string => `key ${String(index).padStart(3, '0')}`;
  for (let index = 0; index < 40; index++) {
    batch.put(Buffer.from(name(index)), Buffer.alloc(400_000, index));
  }
  engine.writeSync(batch, 'none');
  await engine.compact();
  const iterator = engine.iterator();
  let index = 0;
  const entry = (keys: Buffer, start: number, end: number, values: Buffer, from: number): void => {
    assert.equal(keys.toString('latin1', start, end), name(index));
    assert.equal(values[from], index++);
  };
  while (iterator.readSync({ entry }, 7, Infinity) > 0);
  iterator.close();
  assert.equal(index, 40);
  for (let one = 0; one < 40; one++) {
    assert.equal(engine.getSync(Buffer.from(name(one)))?.at(-1), one);
  }
  await engine.close();
});

test('a value longer than the cache is replaced and deleted, and older states read it on', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await btreeKind.open('/store', { dispatch, cacheSize: 1 << 20 });
  const key = Buffer.from('long');
  const values = [1, 2, 3].map((byte) => Buffer.alloc(3 << 20, byte));
  const put = (value: Uint8Array): Promise<void> | void =>
    engine.write(WriteBatch.put(key, value), 'none');
  await put(values[0]!);
  await engine.compact();
  const snapshot = engine.snapshot();
  await put(values[1]!);
  engine.writeSync(WriteBatch.put(key, values[2]!), 'none');
  await engine.write(WriteBatch.delete(key), 'none');
  assert.equal(await engine.get(key), undefined);
  await engine.write(WriteBatch.put(Buffer.from('other'), values[1]!), 'none');
  await engine.compact();
  const held = await engine.get(key, { snapshot });
  assert.ok(held?.equals(values[0]!), 'the older state has its value');
  assert.deepEqual((await engine.verify()).damage, []);
  snapshot.release();
  // Of the pages that were given back, those of the next value are made.
  await put(values[0]!);
  const { pageCount: before } = engine.stats().details;
  await engine.write(WriteBatch.delete(key), 'none');
  await put(values[1]!);
  const { pageCount: after } = engine.stats().details;
  assert.equal(after, before);
  assert.ok((await engine.get(key))?.equals(values[1]!));
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});
