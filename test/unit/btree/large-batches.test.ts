/** A batch that the log refuses for its size takes nobody else with it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';

test('a batch over the limit of a log record is refused by itself, and changes nothing', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  // Values go through the log here, however long.
  const engine = await btreeKind.open('/store', { dispatch, aheadBytes: 2 ** 40 });
  const put = (key: string, value: Uint8Array): Promise<unknown> =>
    Promise.resolve(engine.write(WriteBatch.put(Buffer.from(key), value), 'none'));
  const small = Buffer.alloc(10, 1);
  const results = await Promise.allSettled([
    put('before', small),
    put('large', Buffer.alloc(257 << 20)),
    put('after', small),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const [, large] = results;
  assert.equal(large?.status === 'rejected' && large.reason.code, 'HOLDFAST_TOO_LARGE');
  assert.ok(engine.hasSync(Buffer.from('before')));
  assert.ok(engine.hasSync(Buffer.from('after')));
  assert.ok(!engine.hasSync(Buffer.from('large')));
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});

test('a log that only overwrites, more pages than redo keeps, is done again after a crash', async () => {
  const memory = new MemoryVfs();
  const killable = new KillableVfs(memory);
  const open = (vfs: Vfs): Promise<Engine> => {
    const dispatch = new SyncDispatch(new LockAsideVfs(vfs));
    return btreeKind.open('/store', { dispatch, cacheSize: 1 });
  };
  const write = (engine: Engine, byte: number): Promise<void> => {
    const batch = new WriteBatch();
    for (let index = 0; index < 800; index++) {
      batch.put(Buffer.from(String(index).padStart(4, '0')), Buffer.alloc(900, byte));
    }
    return Promise.resolve(engine.write(batch, 'sync'));
  };
  const made = await open(memory);
  await write(made, 1);
  await made.close();
  // Nothing comes and nothing goes: the record has no change of the first page.
  await write(await open(killable), 2);
  killable.kill();
  const again = await open(memory);
  for (const key of ['0000', '0399', '0799']) {
    assert.equal(again.getSync(Buffer.from(key))?.[0], 2);
  }
  assert.deepEqual((await again.verify()).damage, []);
  await again.close();
});

test('a batch that changes more pages than the cache holds is applied', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const options = { dispatch, cacheSize: 1, checkpoint: { logBytes: 1 } };
  const count = 3000;
  const batchOf = (byte: number, length: number): WriteBatch => {
    const batch = new WriteBatch();
    const value = Buffer.alloc(length, byte);
    // Neighbours are far from each other in the batch.
    for (let index = 0; index < count; index++) {
      const number = (index * 1009) % count;
      batch.put(Buffer.from(String(number).padStart(5, '0')), value);
    }
    return batch;
  };
  const made = await btreeKind.open('/store', options);
  await made.write(batchOf(1, 900), 'none');
  await made.close();
  const engine = await btreeKind.open('/store', options);
  for (const length of [1200, 100, 900]) await engine.write(batchOf(2, length), 'none');
  engine.writeSync(batchOf(3, 1200), 'none');
  assert.equal(engine.getSync(Buffer.from('01234'))?.[0], 3);
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});

test('a long value that its own batch replaces is taken for no damage', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await btreeKind.open('/store', { dispatch, cacheSize: 1, aheadBytes: 10_000 });
  const key = Buffer.from('key');
  const batch = new WriteBatch();
  for (const byte of [1, 2, 3]) batch.put(key, Buffer.alloc(50_000, byte));
  await engine.write(batch, 'none');
  assert.equal(engine.getSync(key)?.[49_999], 3);
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});

test('a batch that makes more pages than the cache holds, and gives them up, goes on', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const options = { dispatch, cacheSize: 1 };
  const count = 3000;
  const keyOf = (index: number): Buffer => Buffer.from(String(index).padStart(5, '0'));
  const first = await btreeKind.open('/store', options);
  const made = new WriteBatch();
  for (let index = 0; index < count; index++) made.put(keyOf(index), Buffer.alloc(900, 1));
  await first.write(made, 'none');
  await first.close();
  const engine = await btreeKind.open('/store', options);
  for (const blocking of [false, true]) {
    const batch = new WriteBatch();
    for (let index = 0; index < count; index++) batch.put(keyOf(count + index), Buffer.alloc(900));
    for (let index = 0; index < count; index++) batch.delete(keyOf(count + index));
    // Pages that are not in memory, with all that leads to them.
    for (let index = 0; index < 100; index++) {
      batch.put(keyOf((index * 1009) % count), Buffer.alloc(900, 2));
    }
    if (blocking) engine.writeSync(batch, 'none');
    else await engine.write(batch, 'none');
    assert.equal(engine.getSync(keyOf(1009))?.[0], 2);
  }
  const { entries, damage } = await engine.verify();
  assert.deepEqual({ entries, damage }, { entries: count, damage: [] });
  await engine.close();
});

test('small batches of one turn share no record that is larger than the log takes', async () => {
  const memory = new MemoryVfs();
  const killable = new KillableVfs(memory);
  const open = (vfs: Vfs): Promise<Engine> => {
    const dispatch = new SyncDispatch(new LockAsideVfs(vfs));
    return btreeKind.open('/store', { dispatch, pageBytes: 65_536 });
  };
  const count = 540;
  const keyOf = (index: number): Buffer => Buffer.from(String(index).padStart(5, '0'));
  const made = await open(memory);
  const all = new WriteBatch();
  // Three entries a page.
  for (let index = 0; index < count * 3; index++) all.put(keyOf(index), Buffer.alloc(20_000));
  await made.write(all, 'none');
  await made.close();
  const engine = await open(killable);
  const writes = Array.from({ length: count }, (_, index) =>
    Promise.resolve(
      engine.write(WriteBatch.put(keyOf(index * 3), Buffer.alloc(20_000, 1)), 'none'),
    ),
  );
  await Promise.all(writes);
  killable.kill();
  const again = await open(memory);
  // Each has images of some hundred pages.
  assert.ok(again.recovery.replayedBatches > 1, `${again.recovery.replayedBatches} records`);
  for (let index = 0; index < count; index++) assert.equal(again.getSync(keyOf(index * 3))?.[0], 1);
  await again.close();
});
