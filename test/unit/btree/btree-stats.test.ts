/** Figures of a B+tree: what a read costs, how full it is, who holds old states. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('scans and writes are not counted among the pages of a read, every key of getMany is', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await btreeKind.open('/store', { dispatch });
  const keys = Array.from({ length: 500 }, (_, index) => Buffer.from(`key ${1000 + index}`));
  const batch = new WriteBatch();
  for (const key of keys) batch.put(key, Buffer.alloc(100));
  engine.writeSync(batch, 'none');
  const iterator = engine.iterator();
  while (iterator.readSync({ entry: () => {} }, 10, 2 ** 20) > 0);
  await engine.getMany(keys.slice(0, 20));
  await engine.has(keys[7]!);
  const { height, pagesPerRead, readCount } = engine.stats().details;
  assert.equal(height, 2);
  assert.equal(readCount, 21);
  assert.equal(pagesPerRead, 3);
  await engine.close();
});

test('a read looks at the meta page and one page of each level, and no more', async () => {
  const clock = new ManualClock();
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await btreeKind.open('/store', { dispatch, clock });
  const key = (index: number): Buffer => Buffer.from(String(index * 7919).padStart(12, '0'));
  let written = 0;
  const heights: number[] = [];
  let before = { looks: 0, reads: 0 };
  for (const entries of [10, 1000, 20_000]) {
    const batch = new WriteBatch();
    for (; written < entries; written++) batch.put(key(written), Buffer.alloc(100));
    engine.writeSync(batch, 'none');
    for (let index = 0; index < 500; index++) engine.getSync(key(index % entries));
    const { details } = engine.stats();
    const { height, pagesPerRead, readCount } = details as Record<string, number>;
    assert.ok(height !== undefined && pagesPerRead !== undefined && readCount !== undefined);
    const looks = Math.round(pagesPerRead * readCount);
    assert.equal(Math.round((looks - before.looks) / (readCount - before.reads)), height + 1);
    before = { looks, reads: readCount };
    heights.push(height);
  }
  assert.deepEqual(heights, [1, 2, 3]);
  const { details } = engine.stats();
  assert.ok(Number(details['leafFillPercent']) > 50);
  assert.equal(details['commitCount'], 3);
  const snapshot = engine.snapshot();
  clock.pass(60_000);
  assert.equal(engine.stats().details['oldestSnapshotMs'], 60_000);
  assert.equal(engine.stats().snapshots, 1);
  snapshot.release();
  assert.equal(engine.stats().details['oldestSnapshotMs'], 0);
  await engine.close();
});
