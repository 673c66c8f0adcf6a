/** The end of the file is cut only when no crash leads back to a state that has pages there. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextTurn } from '../../../src/base/clock.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../../src/vfs/transfer.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LateCallsVfs } from '../../support/late-calls-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const PAGES = '/store/tree.pages';
const CHECKPOINT_MS = 1000;
const COUNT = 100;

function opened(vfs: Vfs, clock: ManualClock): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs), syncRulesFor('linux', 'node'));
  const checkpoint = { ms: CHECKPOINT_MS };
  return Promise.resolve(btreeKind.open('/store', { dispatch, clock, checkpoint }));
}

function keyOf(index: number): Buffer {
  return Buffer.from(String(index).padStart(5, '0'));
}

/** The disk with nothing but what was synced, and the pages as they were in the cache. */
function withPages(fault: FaultVfs): MemoryVfs {
  const disk = MemoryVfs.fromTree(fault.crash('lost'));
  const bytes = readWholeFileSync(MemoryVfs.fromTree(fault.crash('written')), PAGES);
  const file = disk.openSync(PAGES, { write: true });
  file.truncateSync(0);
  writeFullySync(file, bytes, 0);
  file.closeSync();
  return disk;
}

test('a checkpoint that a compaction overtakes cuts no page that only the lost end of the log has moved', async () => {
  const memory = new MemoryVfs();
  const made = await opened(memory, new ManualClock());
  const all = new WriteBatch();
  for (let index = 0; index < COUNT; index++) all.put(keyOf(index), Buffer.alloc(900, 1));
  await made.write(all, 'none');
  const most = new WriteBatch();
  for (let index = 0; index < COUNT - 12; index++) most.delete(keyOf(index));
  await made.write(most, 'none');
  await made.close();

  const fault = new FaultVfs(memory);
  const killable = new KillableVfs(fault);
  const late = new LateCallsVfs(killable, ({ name, path }) => {
    return name === 'file.sync' && path.startsWith('/store/log/.');
  });
  const clock = new ManualClock();
  const engine = await opened(late, clock);
  // An entry that changes, and none that comes or goes: of the first page nothing is to be written.
  const key = keyOf(COUNT - 12);
  await engine.write(WriteBatch.put(key, Buffer.alloc(900, 2)), 'sync');
  const rotating = late.hold();
  clock.pass(CHECKPOINT_MS);
  await rotating;
  const cut = killable.killBehind(({ name, path }) => name === 'file.truncate' && path === PAGES);
  const compacting = engine.compact().catch(() => 'its process may be killed');
  for (let turn = 0; turn < 50; turn++) await nextTurn();
  late.release();
  await Promise.race([cut, compacting]);
  killable.kill();

  const again = await opened(withPages(fault), new ManualClock());
  for (let index = COUNT - 12; index < COUNT; index++) {
    assert.equal(again.getSync(keyOf(index))?.[0], index === COUNT - 12 ? 2 : 1, `key ${index}`);
  }
  assert.deepEqual((await again.verify()).damage, []);
  await again.close();
});
