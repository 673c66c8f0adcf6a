/** Commits behind one that failed for good, and what a full disk leaves to do. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextTurn } from '../../../src/base/clock.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import type { BtreeOptions } from '../../../src/btree/btree-options.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LateCallsVfs } from '../../support/late-calls-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const COUNT = 3000;

function opened(vfs: Vfs, options: BtreeOptions = {}): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs), syncRulesFor('linux', 'node'));
  return Promise.resolve(btreeKind.open('/store', { ...options, dispatch }));
}

function keyOf(index: number): Buffer {
  return Buffer.from(String(index).padStart(5, '0'));
}

/** Four entries a page. */
function all(byte: number): WriteBatch {
  const batch = new WriteBatch();
  for (let index = 0; index < COUNT; index++) batch.put(keyOf(index), Buffer.alloc(900, byte));
  return batch;
}

test('a delete of what is not there is refused behind a commit of which nobody knows', async () => {
  const fault = new FaultVfs(new MemoryVfs());
  const engine = await opened(fault);
  const key = Buffer.from('key');
  fault.inject({ kind: 'EIO', path: /log/, calls: ['file.write'] });
  const failed = { code: 'HOLDFAST_POISONED' };
  await assert.rejects(async () => engine.write(WriteBatch.put(key, key), 'sync'), failed);
  for (const policy of ['none', 'batch', 'sync'] as const) {
    // The key may be there once the store is opened again.
    await assert.rejects(async () => engine.write(WriteBatch.delete(key), policy), failed);
    assert.throws(() => engine.writeSync(WriteBatch.delete(key), policy), failed);
  }
  await assert.rejects(async () => engine.close(), failed);
});

/** A store whose log has changes of more pages than its cache holds, killed. */
async function killed(memory: MemoryVfs): Promise<void> {
  const made = await opened(memory, { cacheSize: 1 });
  await made.write(all(1), 'none');
  await made.close();
  const killable = new KillableVfs(memory);
  const engine = await opened(killable);
  await engine.write(all(2), 'sync');
  killable.kill();
}

async function checkAll(engine: Engine, byte: number): Promise<void> {
  for (let index = 0; index < COUNT; index += 100) {
    assert.equal(engine.getSync(keyOf(index))?.[0], byte);
  }
  assert.deepEqual((await engine.verify()).damage, []);
}

test('a disk that is full while redo writes pages refuses the opening, and nothing is lost', async () => {
  const memory = new MemoryVfs();
  await killed(memory);
  const fault = new FaultVfs(memory);
  for (const nth of [1, 2]) {
    fault.inject({
      kind: 'ENOSPC',
      path: /tree\.pages/,
      calls: ['file.write'],
      nth,
      times: Infinity,
    });
    const error = { code: 'ENOSPC', message: /tree\.pages/ };
    await assert.rejects(opened(fault, { cacheSize: 1 }), error);
    fault.clear();
  }
  fault.inject({ kind: 'short-write', path: /tree\.pages/, times: 3 });
  const engine = await opened(fault, { cacheSize: 1 });
  await checkAll(engine, 2);
  await engine.close();
});

test('what redo has done is not done again once the store was closed', async () => {
  const memory = new MemoryVfs();
  await killed(memory);
  const first = await opened(memory, { cacheSize: 1 });
  assert.equal(first.recovery.replayedBatches, 1);
  assert.equal(first.stats().details['changedPages'], 0);
  await first.close();
  const second = await opened(memory);
  assert.equal(second.recovery.replayedBatches, 0);
  await checkAll(second, 2);
  await second.close();
});

test('what a checkpoint could not record is not done again once the store was closed', async () => {
  const fault = new FaultVfs(new MemoryVfs());
  const engine = await opened(fault);
  await engine.write(all(1), 'sync');
  // It asks how long the file is when all pages are there.
  fault.inject({ kind: 'EIO', path: /tree\.pages/, calls: ['file.stat'] });
  await assert.rejects(engine.compact(), { code: 'EIO' });
  assert.equal(engine.stats().details['changedPages'], 0);
  fault.clear();
  await engine.close();
  const again = await opened(fault);
  assert.equal(again.recovery.replayedBatches, 0);
  await again.close();
});

test('a page that cannot be written ends writing, and the first to hear of it hears that', async () => {
  for (const blocking of [false, true]) {
    const memory = new MemoryVfs();
    const fault = new FaultVfs(memory);
    const made = await opened(fault, { cacheSize: 1 });
    await made.write(all(1), 'none');
    const killable = new KillableVfs(fault);
    await made.close();
    const engine = await opened(killable, { cacheSize: 1 });
    fault.inject({ kind: 'EIO', path: /tree\.pages/, calls: ['file.write'] });
    const failed = { code: 'HOLDFAST_POISONED', outcome: 'old' };
    await engine.write(all(2), 'none');
    const more = WriteBatch.put(keyOf(0), Buffer.alloc(900, 3));
    const write = async (): Promise<void> => {
      if (blocking) engine.writeSync(more, 'none');
      else await engine.write(more, 'none');
    };
    await assert.rejects(write, failed);
    await assert.rejects(write, failed);
    killable.kill();
    const again = await opened(memory);
    await checkAll(again, 2);
    await again.close();
  }
});

test('a blocking write that finds no room takes no commit back whose record is being written', async () => {
  const memory = new MemoryVfs();
  const killable = new KillableVfs(memory);
  const late = new LateCallsVfs(killable, ({ name, path }) => {
    return name === 'file.write' && path.startsWith('/store/log/');
  });
  const engine = await opened(late);
  await engine.write(all(1), 'none');
  const reached = late.hold();
  const writing = engine.write(all(2), 'none');
  await reached;
  late.inject({ kind: 'ENOSPC', path: /log/, calls: ['file.write'], blocking: true });
  const last = WriteBatch.put(Buffer.from('last'), Buffer.alloc(10));
  assert.throws(() => engine.writeSync(last, 'none'), { code: 'ENOSPC', outcome: 'old' });
  late.clear();
  late.release();
  await writing;
  assert.equal(engine.hasSync(Buffer.from('last')), false);
  await checkAll(engine, 2);
  engine.writeSync(WriteBatch.delete(keyOf(COUNT - 1)), 'none');
  killable.kill();
  const again = await opened(memory);
  await checkAll(again, 2);
  assert.equal((await again.verify()).entries, COUNT - 1);
  await again.close();
});

test('behind a commit of which nobody knows, nothing is put over the pages of its long value, or cut', async () => {
  const memory = new MemoryVfs();
  const fault = new FaultVfs(memory);
  const killable = new KillableVfs(fault);
  const clock = new ManualClock();
  const engine = await opened(killable, { clock, aheadBytes: 10_000, checkpoint: { ms: 1000 } });
  await engine.write(WriteBatch.put(Buffer.from('b'), Buffer.alloc(10)), 'sync');
  // The log gets the bytes, and nobody hears of it.
  fault.inject({ kind: 'EIO', path: /log/, calls: ['file.write'] });
  const failed = { code: 'HOLDFAST_POISONED' };
  const long = (key: string, byte: number): WriteBatch =>
    WriteBatch.put(Buffer.from(key), Buffer.alloc(50_000, byte));
  await assert.rejects(async () => engine.write(long('a', 1), 'sync'), failed);
  await assert.rejects(async () => engine.write(long('c', 2), 'none'), failed);
  assert.throws(() => engine.writeSync(long('d', 3), 'none'), failed);
  clock.pass(1000);
  await assert.rejects(engine.compact());
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  killable.kill();
  const again = await opened(memory);
  assert.deepEqual(again.getSync(Buffer.from('a')), Buffer.alloc(50_000, 1));
  assert.deepEqual((await again.verify()).damage, []);
  await again.close();
});

test('a checkpoint under way when a sync of the log fails cuts nothing from under the commit of which nobody knows', async () => {
  const memory = new MemoryVfs();
  const killable = new KillableVfs(memory);
  // Pages of a checkpoint; those of the long value come behind all that there is.
  const late = new LateCallsVfs(killable, ({ name, path, transfer }) => {
    return name === 'file.write' && path.endsWith('tree.pages') && transfer!.position < 3 * 4096;
  });
  const clock = new ManualClock();
  const engine = await opened(late, { clock, aheadBytes: 10_000, checkpoint: { ms: 1000 } });
  await engine.write(WriteBatch.put(Buffer.from('b'), Buffer.alloc(10)), 'sync');
  const reached = late.hold();
  clock.pass(1000);
  await reached;
  // A write of the log is its sync too.
  late.inject({ kind: 'EIO', path: /log/, calls: ['file.write'] });
  const long = WriteBatch.put(Buffer.from('a'), Buffer.alloc(50_000, 1));
  const failed = { code: 'HOLDFAST_POISONED', outcome: 'unknown' };
  await assert.rejects(async () => engine.write(long, 'sync'), failed);
  // Before it cuts, it asks how long the file is.
  const asked = killable.behind(({ name, path }) => {
    return name === 'file.stat' && path.endsWith('tree.pages');
  });
  late.release();
  await asked;
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  killable.kill();
  // The log has the record all the same, which is the worst that can be.
  const again = await opened(memory);
  assert.deepEqual(again.getSync(Buffer.from('a')), Buffer.alloc(50_000, 1));
  assert.deepEqual((await again.verify()).damage, []);
  await again.close();
});
