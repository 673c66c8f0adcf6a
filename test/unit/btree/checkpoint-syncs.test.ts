/**
 * Two syncs of a checkpoint are there for speed: of the log before it is rotated, so that no commit waits for what others
 * have left unsynced, and of the page file every 16 MiB, so that no sync has much to write. No crash misses them, so
 * they are counted here. The syncs that crashes miss are in `page-after-log` and in the stories.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextTurn } from '../../../src/base/clock.ts';
import { MIB } from '../../../src/base/units.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { VfsCall } from '../../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { LateCallsVfs } from '../../support/late-calls-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const PAGES = '/store/tree.pages';
/** A sync is due behind 16 MiB; pages go to the file in shares of 4 MiB. */
const UNSYNCED_MOST = 20 * MIB;

function opened(vfs: Vfs): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs), syncRulesFor('linux', 'node'));
  return Promise.resolve(btreeKind.open('/store', { clock: new ManualClock(), dispatch }));
}

/** Counts the bytes of the page file that no sync follows. */
class UnsyncedVfs extends ForwardingVfs {
  written = 0;
  mostUnsynced = 0;
  #unsynced = 0;

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const result = await run(call);
    if (call.path !== PAGES) return result;
    if (call.name === 'file.datasync') this.#unsynced = 0;
    if (call.name !== 'file.write') return result;
    const { length } = call.transfer!;
    this.written += length;
    this.#unsynced += length;
    this.mostUnsynced = Math.max(this.mostUnsynced, this.#unsynced);
    return result;
  }
}

test('a commit that asks for no sync does not wait for the log that a checkpoint syncs', async () => {
  const isSyncOfLog = ({ name, path }: VfsCall): boolean =>
    name === 'file.datasync' && path.startsWith('/store/log/');
  const vfs = new LateCallsVfs(new MemoryVfs(), isSyncOfLog);
  const engine = await opened(vfs);
  await engine.write(WriteBatch.put(Buffer.from('before'), Buffer.alloc(100)), 'none');
  const syncing = vfs.hold();
  const checkpoint = engine.compact();
  await syncing;
  let committed = false;
  const commit = async (): Promise<void> => {
    await engine.write(WriteBatch.put(Buffer.from('beside'), Buffer.alloc(100)), 'none');
    committed = true;
  };
  const writing = commit();
  for (let turn = 0; turn < 50; turn++) await nextTurn();
  const wasCommitted = committed;
  vfs.release();
  await Promise.all([checkpoint, writing]);
  await engine.close();
  assert.ok(wasCommitted);
});

test('a checkpoint of many pages leaves no more than 20 MiB of them without a sync', async () => {
  const vfs = new UnsyncedVfs(new MemoryVfs());
  const engine = await opened(vfs);
  const value = Buffer.alloc(4 * MIB);
  for (let nth = 0; nth < 6; nth++) {
    await engine.write(WriteBatch.put(Buffer.from([nth]), value), 'none');
  }
  const before = vfs.written;
  await engine.compact();
  assert.ok(vfs.written - before > 24 * MIB, `${vfs.written - before} bytes of pages`);
  assert.ok(vfs.mostUnsynced <= UNSYNCED_MOST, `${vfs.mostUnsynced} bytes unsynced`);
  await engine.close();
});
