/** Compaction: the file gets as short as what is in it, whatever was deleted, while others read. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';

const PAGES = '/store/tree.pages';

test('a file of which most was deleted shrinks, and says the same as before', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const engine = await btreeKind.open('/store', { dispatch });
  const prng = new Prng(3);
  const model = new Map<string, Buffer>();
  for (let round = 0; round < 12; round++) {
    const batch = new WriteBatch();
    for (let index = 0; index < 400; index++) {
      const key = `key ${prng.below(100_000)}`;
      const value = Buffer.alloc(index === 0 ? 200_000 : 100, index);
      batch.put(Buffer.from(key), value);
      model.set(key, value);
    }
    await engine.write(batch, 'none');
  }
  const whole = new Map(model);
  const snapshot = engine.snapshot();
  let place = 0;
  const deletes = new WriteBatch();
  for (const key of model.keys()) {
    if (place++ % 6 === 0 && place < 4000) continue;
    deletes.delete(Buffer.from(key));
    model.delete(key);
  }
  await engine.write(deletes, 'none');
  // Others write meanwhile.
  const late = engine.write(WriteBatch.put(Buffer.from('late'), Buffer.alloc(5000, 7)), 'none');
  model.set('late', Buffer.alloc(5000, 7));
  await engine.compact();
  await late;
  for (const [key, value] of whole) {
    assert.ok(engine.getSync(Buffer.from(key), { snapshot })?.equals(value), key);
  }
  snapshot.release();
  await engine.compact();
  let bytes = 0;
  for (const [key, value] of model) {
    bytes += key.length + value.length + 10;
    assert.ok((await engine.get(Buffer.from(key)))?.equals(value), key);
  }
  assert.deepEqual((await engine.verify()).damage, []);
  const { size } = vfs.lstatSync(PAGES);
  assert.ok(size < bytes * 1.35 + 40_000, `${size} bytes for ${bytes}`);
  await engine.close();
  const again = await btreeKind.open('/store', { dispatch });
  const { entries, damage } = await again.verify();
  assert.deepEqual({ entries, damage }, { entries: model.size, damage: [] });
  await again.close();
});

/** Ten seconds, so that it is no part of the suite: `BTREE_FAULTS=all`. */
const withLong = process.env['BTREE_FAULTS'] === 'all';

async function giveManyRegionsBack(): Promise<void> {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const engine = await btreeKind.open('/store', { dispatch });
  const long = Buffer.alloc(4064 * 33_000, 1);
  const key = Buffer.from('long');
  for (let round = 0; round < 2; round++) {
    engine.writeSync(WriteBatch.put(key, long), 'none');
    await engine.compact();
    assert.ok(vfs.lstatSync(PAGES).size > 33_000 * 4096);
    engine.writeSync(WriteBatch.delete(key), 'none');
    await engine.compact();
    assert.equal(vfs.lstatSync(PAGES).size, 3 * 4096);
    assert.deepEqual((await engine.verify()).damage, []);
  }
  await engine.close();
}

/** The file shrinks to less than it was, by a record whose process is killed at once. */
async function growAgainBehindRedo(): Promise<void> {
  const killable = new KillableVfs(new MemoryVfs());
  const checkpoint = { logBytes: 1 << 30 };
  const engine = await btreeKind.open('/store', {
    dispatch: new SyncDispatch(killable),
    checkpoint,
  });
  const long = Buffer.alloc(4064 * 33_000, 1);
  const key = Buffer.from('long');
  engine.writeSync(WriteBatch.put(key, long), 'none');
  engine.writeSync(WriteBatch.delete(key), 'none');
  const killed = killable.killBehind(({ path }) => path.startsWith('/store/tree.double'));
  void engine.compact();
  await killed;
  const dispatch = new SyncDispatch(new LockAsideVfs(killable.unwrap()));
  const again = await btreeKind.open('/store', { dispatch });
  assert.equal(again.stats().details['pageCount'], 3);
  // Not ahead of their commits, page by page.
  for (let part = 0; part < 14; part++) {
    again.writeSync(WriteBatch.put(Buffer.from(`${part}`), long.subarray(0, 10_000_000)), 'none');
  }
  assert.deepEqual((await again.verify()).damage, []);
  await again.close();
}

if (withLong) {
  test('a file of more than one region gives the pages of its free list back', giveManyRegionsBack);
  test('regions that redo has made and cut off are made anew', growAgainBehindRedo);
}

test('the pages of a value of more pages than the cache has are moved, while others write', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const engine = await btreeKind.open('/store', {
    dispatch,
    cacheSize: 1 << 20,
    aheadBytes: 1 << 22,
  });
  const value = (bytes: number, seed: number): Buffer => {
    const all = Buffer.alloc(bytes);
    for (let at = 0; at + 4 <= bytes; at += 1000) all.writeUInt32LE(at + seed, at);
    return all;
  };
  const put = (key: string, bytes: Uint8Array): Promise<void> | void =>
    engine.write(WriteBatch.put(Buffer.from(key), bytes), 'none');
  await put('a', value(6_000_000, 1));
  await put('b', value(9_000_000, 2));
  await put('c', value(2_000_000, 3));
  await engine.compact();
  await engine.write(WriteBatch.delete(Buffer.from('a')), 'none');
  const compacting = engine.compact();
  for (let index = 0; index < 20; index++) {
    await put('c', value(1_000_000 + index, index));
    await put(`d ${index}`, value(6000, index));
  }
  await compacting;
  await engine.compact();
  assert.ok(engine.getSync(Buffer.from('b'))?.equals(value(9_000_000, 2)));
  assert.ok(engine.getSync(Buffer.from('c'))?.equals(value(1_000_019, 19)));
  assert.deepEqual((await engine.verify()).damage, []);
  const { size } = vfs.lstatSync(PAGES);
  assert.ok(size < 11_000_000, `${size} bytes`);
  await engine.close();
});

test('two compactions at one moment leave long values as they are', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await btreeKind.open('/store', { dispatch });
  const valueOf = (index: number): Buffer => Buffer.alloc(100_000 + index, index);
  const all = new WriteBatch();
  for (let index = 0; index < 40; index++) all.put(Buffer.from(`${index}`), valueOf(index));
  await engine.write(all, 'none');
  const deletes = new WriteBatch();
  for (let index = 0; index < 30; index++) deletes.delete(Buffer.from(`${index}`));
  await engine.write(deletes, 'none');
  await Promise.all([engine.compact(), engine.compact(), engine.compact()]);
  for (let index = 30; index < 40; index++) {
    assert.ok(engine.getSync(Buffer.from(`${index}`))?.equals(valueOf(index)), `${index}`);
  }
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});
