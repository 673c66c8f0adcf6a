/**
 * Where the cache has no room for more changes, pages are written and the log stays: whatever such a write has torn,
 * redo builds from the log. Not here: that these writes come behind the log's sync (`page-after-log`).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextTurn } from '../../../src/base/clock.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { batchOfLabel, stateOfLabels, stateOfStore } from '../../support/engine-commit.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const PAGE_BYTES = 4096;
const LABELS = ['0:k*900=1000', '1:k*60=1100,a=10', '2:k*300=400', '3:k*10-,b=1000'];

async function opened(vfs: Vfs): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs), syncRulesFor('linux', 'node'));
  return btreeKind.open('/store', { clock: new ManualClock(), cacheSize: 1, dispatch });
}

function detail(engine: Engine, name: string): number {
  return Number(engine.stats().details[name]);
}

/** Overwrites pages of the file that a write could have torn: all but the first, which says whose it is. */
function tearPages(vfs: Vfs): void {
  const file = vfs.openSync('/store/tree.pages', { read: true, write: true });
  const pages = Math.floor(file.statSync().size / PAGE_BYTES);
  assert.ok(pages > 100, `${pages} pages`);
  const half = Buffer.alloc(PAGE_BYTES / 2, 0xa5);
  for (let page = 1; page < pages; page++) {
    file.writeSync(half, 0, half.length, page * PAGE_BYTES + half.length);
  }
  file.closeSync();
}

test('what is written to make room is in the log, and redo builds it where it is torn', async () => {
  const vfs = new MemoryVfs();
  const killable = new KillableVfs(vfs);
  const engine = await opened(killable);
  const completed = detail(engine, 'checkpointCount');
  for (const label of LABELS) {
    await engine.write(batchOfLabel(label), 'none');
    for (let turn = 0; turn < 50; turn++) await nextTurn();
  }
  assert.ok(detail(engine, 'pagesWritten') > 100);
  assert.equal(detail(engine, 'checkpointCount'), completed, 'the log is what it was');
  killable.kill();
  tearPages(vfs);
  const again = await opened(vfs);
  assert.deepEqual(stateOfStore(again), stateOfLabels(LABELS));
  assert.deepEqual((await again.verify()).damage, []);
  await again.close();
});

test('a store that is closed with all its pages written has nothing to redo', async () => {
  const vfs = new MemoryVfs();
  const engine = await opened(vfs);
  await engine.write(batchOfLabel(LABELS[0]!), 'none');
  while (detail(engine, 'changedPages') > 0) await nextTurn();
  await engine.close();
  const again = await opened(vfs);
  assert.equal(again.recovery.clean, true);
  assert.deepEqual(stateOfStore(again), stateOfLabels(LABELS.slice(0, 1)));
  await again.close();
});

test('redo holds no more pages than an open store', async () => {
  const vfs = new MemoryVfs();
  const killable = new KillableVfs(vfs);
  const dispatch = new SyncDispatch(new LockAsideVfs(killable));
  const engine = await btreeKind.open('/store', { clock: new ManualClock(), dispatch });
  const labels = Array.from({ length: 8 }, (_, index) => `${index}:${'klmn'[index % 4]}*900=900`);
  for (const label of labels) await engine.write(batchOfLabel(label), 'none');
  killable.kill();
  const again = await opened(vfs);
  assert.ok(detail(again, 'pageCount') > 700, 'more than the cache holds');
  const held = detail(again, 'cachedPages');
  assert.ok(held < 400, `${held} pages are in memory`);
  await again.close();
});

test('a store that only grows holds no more pages than fit', async () => {
  const engine = await opened(new MemoryVfs());
  let index = 0;
  const batch = (): WriteBatch => {
    const some = new WriteBatch();
    for (let count = 0; count < 100; count++) {
      some.put(Buffer.from(String(index++).padStart(6, '0')), Buffer.alloc(900));
    }
    return some;
  };
  for (let round = 0; round < 40; round++) {
    if (round % 2 === 0) engine.writeSync(batch(), 'none');
    else await engine.write(batch(), 'none');
    const held = detail(engine, 'cachedPages');
    assert.ok(held < 400, `${held} pages are in memory`);
  }
  assert.ok(detail(engine, 'pageCount') > 900);
  assert.ok(engine.stats().memoryBytes < 2 << 20);
  await engine.close();
});
