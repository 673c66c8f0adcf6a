/**
 * When a doublewrite file is kept and when it is believed: a batch of which a place was refused or could not be synced
 * stays until that is mended, and opening builds on no batch that may have reached only the cache of the operating
 * system. Not here: the order where nothing fails (`double-write`).
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextTurn } from '../../../src/base/clock.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import type { BtreeOptions } from '../../../src/btree/btree-options.ts';
import { CALLING_DOUBLE_NAME, DOUBLE_NAME } from '../../../src/btree/double-write.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { batchOfLabel, stateOfLabels, stateOfStore } from '../../support/engine-commit.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { PAGES, PageOrderVfs } from '../../support/page-order-vfs.ts';

const IN_PAGES = /tree\.pages$/;

async function opened(vfs: Vfs, options: BtreeOptions = {}): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs), syncRulesFor('linux', 'node'));
  return btreeKind.open('/store', { clock: new ManualClock(), ...options, dispatch });
}

/** A disk with a store of some leaves, all in their places. */
async function madeDisk(): Promise<MemoryVfs> {
  const disk = new MemoryVfs();
  const engine = await opened(disk);
  await engine.write(batchOfLabel('0:k*1200=1000'), 'none');
  await engine.close();
  return disk;
}

/** Closed and opened again it shows these, and no page went to its place ahead of its double. */
async function endsWell(
  engine: Engine,
  order: PageOrderVfs,
  labels: readonly string[],
): Promise<void> {
  await engine.close();
  assert.deepEqual(order.early, []);
  const again = await opened(order);
  assert.deepEqual(stateOfStore(again), stateOfLabels(labels));
  await again.close();
}

test('a batch stays in its file until all its pages are in their places, with no room for one', async () => {
  const order = new PageOrderVfs(await madeDisk());
  const faults = new FaultVfs(order);
  const engine = await opened(faults, { cacheSize: 1 });
  const labels = ['0:k*1200=1000', '1:k*1100=990', '2:k*1000=980', '3:a=10', '4:k*800=970'];
  await engine.write(batchOfLabel(labels[1]!), 'none');
  for (const [at, label] of labels.slice(2).entries()) {
    faults.inject({ kind: 'ENOSPC', calls: ['file.write'], path: IN_PAGES, nth: 2 + at });
    await engine.compact().catch(() => 'no room');
    await engine.write(batchOfLabel(label), 'none');
  }
  assert.ok(faults.injected.length > 1, `${faults.injected.length} faults`);
  faults.clear();
  await endsWell(engine, order, labels);
});

test('so does one of a thread that never waits, and the next checkpoint ends it', async () => {
  const order = new PageOrderVfs(await madeDisk());
  const faults = new FaultVfs(order);
  const engine = await opened(faults, { cacheSize: 1 });
  const labels = ['0:k*1200=1000'];
  let refused = 0;
  for (let size = 990; size > 900; size -= 10) {
    faults.clear();
    if (size < 980)
      faults.inject({ kind: 'ENOSPC', calls: ['file.write'], path: IN_PAGES, nth: 2 });
    const label = `${labels.length}:k*1100=${size}`;
    try {
      engine.writeSync(batchOfLabel(label), 'none');
      labels.push(label);
    } catch {
      refused++;
    }
  }
  assert.ok(refused > 1, `${refused} writes`);
  faults.clear();
  await endsWell(engine, order, labels);
});

test('behind a failed sync of the pages nothing is written over their batch', async () => {
  const order = new PageOrderVfs(await madeDisk());
  const faults = new FaultVfs(order);
  const clock = new ManualClock();
  const engine = await opened(faults, { cacheSize: 1, clock });
  await engine.write(batchOfLabel('1:k*200=990'), 'none');
  faults.inject({ kind: 'failed-sync', path: IN_PAGES });
  const last = Promise.resolve(engine.write(batchOfLabel('2:k*1100=980'), 'none'));
  await assert.rejects(Promise.all([engine.compact(), last]));
  for (let round = 0; round < 5; round++) {
    clock.pass(100_000);
    for (let turn = 0; turn < 50; turn++) await nextTurn();
  }
  await assert.rejects(Promise.resolve(engine.close()));
  assert.deepEqual(order.early, []);
});

test('no checkpoint is recorded behind pages that a blocking call could not sync', async () => {
  const faults = new FaultVfs(await madeDisk());
  const sized = new KillableVfs(faults);
  const engine = await opened(sized, { cacheSize: 1 });
  await engine.write(batchOfLabel('1:k*100=990'), 'sync');
  const measured = sized.behind(({ name, path }) => name === 'file.stat' && path === PAGES);
  const checkpoint = engine.compact();
  await measured;
  // The places have all that the checkpoint covers, and it is not recorded yet.
  faults.inject({ kind: 'failed-sync', path: IN_PAGES, blocking: true });
  engine.writeSync(batchOfLabel('2:k*1200=980'), 'none');
  assert.throws(() => engine.writeSync(batchOfLabel('3:k*1200=970'), 'none'));
  await assert.rejects(checkpoint);
  sized.kill();
  const again = await opened(MemoryVfs.fromTree(faults.crash('lost')));
  assert.ok(stateOfStore(again).size > 0);
  assert.deepEqual((await again.verify()).damage, []);
  await again.close();
});

for (const name of [DOUBLE_NAME, CALLING_DOUBLE_NAME]) {
  test(`what a killed process has left in ${name} is durable before a page is put back`, async () => {
    const disk = await madeDisk();
    const killable = new KillableVfs(disk);
    const engine = await opened(killable, { cacheSize: 1 });
    const killed = killable.killBehind(
      (call) => call.name === 'file.write' && call.path.endsWith(`/${name}`),
    );
    const labels = ['1:k*1200=990', '2:k*1200=980', '3:k*1200=970'];
    if (name === DOUBLE_NAME) {
      void engine.write(batchOfLabel(labels[0]!), 'none');
      void engine.compact();
    } else {
      for (const label of labels) writeUntilKilled(engine, label);
    }
    await killed;
    const order = new PageOrderVfs(disk);
    const again = await opened(order);
    assert.deepEqual(order.early, []);
    assert.ok(order.pages > 5, `${order.pages} pages`);
    await again.close();
  });
}

function writeUntilKilled(engine: Engine, label: string): void {
  try {
    engine.writeSync(batchOfLabel(label), 'none');
  } catch {
    // The process is gone; who killed it goes on.
  }
}
