/**
 * A page that a record being made gives up, or that a read is under way of, and what else goes on at that moment:
 * checkpoints, other pages that need room, writes on the calling thread.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextTurn } from '../../../src/base/clock.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { VfsCall } from '../../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LateCallsVfs } from '../../support/late-calls-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const COUNT = 1200;
const CHECKPOINT_MS = 1000;

function opened(vfs: Vfs, clock: ManualClock = new ManualClock()): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs));
  const checkpoint = { ms: CHECKPOINT_MS };
  return Promise.resolve(btreeKind.open('/store', { dispatch, clock, cacheSize: 1, checkpoint }));
}

function keyOf(index: number): Buffer {
  return Buffer.from(String(index).padStart(5, '0'));
}

/** Four entries a page. */
function put(batch: WriteBatch, index: number, byte: number): void {
  batch.put(keyOf(index), Buffer.alloc(900, byte));
}

async function made(vfs: Vfs, count: number): Promise<void> {
  const engine = await opened(vfs);
  const batch = new WriteBatch();
  for (let index = 0; index < count; index++) put(batch, index, 1);
  await engine.write(batch, 'none');
  await engine.close();
}

function isPageRead(call: VfsCall): boolean {
  return call.name === 'file.read' && call.path === '/store/tree.pages';
}

test('a checkpoint writes a page that a record being made gives up', async () => {
  const memory = new MemoryVfs();
  await made(memory, COUNT);
  const killable = new KillableVfs(memory);
  const log = new LateCallsVfs(killable, ({ name, path }) => {
    return name === 'open' && path.startsWith('/store/log/');
  });
  const pages = new LateCallsVfs(log, isPageRead);
  const clock = new ManualClock();
  const engine = await opened(pages, clock);
  const changes = new WriteBatch();
  for (let index = 0; index < 16; index++) put(changes, index, 2);
  await engine.write(changes, 'sync');
  const completed = (): number => Number(engine.stats().details['checkpointCount']);
  const before = completed();
  // A checkpoint has begun and is at the log's next segment.
  const rotating = log.hold();
  clock.pass(CHECKPOINT_MS);
  await rotating;
  const deletes = new WriteBatch();
  for (let index = 0; index < 12; index++) deletes.delete(keyOf(index));
  put(deletes, COUNT - 1, 2);
  const missing = pages.hold();
  void engine.write(deletes, 'none');
  await missing;
  log.release();
  for (let turn = 0; turn < 100; turn++) await nextTurn();
  assert.equal(completed(), before + 1);
  killable.kill();
  const again = await opened(memory);
  for (let index = 0; index < 16; index++) {
    assert.equal(again.getSync(keyOf(index))?.[0], 2, `key ${index}`);
  }
  assert.deepEqual((await again.verify()).damage, []);
  await again.close();
});

test('a read that ends after its page was changed, written and let go brings nothing back', async () => {
  const memory = new MemoryVfs();
  const count = 8000;
  await made(memory, count);
  const late = new LateCallsVfs(memory, isPageRead);
  const engine = await opened(late);
  // The pages above the leaf.
  engine.getSync(keyOf(580));
  const reached = late.hold();
  const reading = engine.get(keyOf(600));
  await reached;
  for (const byte of [2, 3]) {
    for (let index = 0; index < count; index += 40) {
      const batch = new WriteBatch();
      for (let at = index; at < index + 40; at += 4) put(batch, (at + 600) % count, byte);
      engine.writeSync(batch, 'none');
    }
  }
  late.release();
  await reading;
  assert.equal(engine.getSync(keyOf(600))?.[0], 3);
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});
