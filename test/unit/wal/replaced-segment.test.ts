/**
 * A recovery that writes the newest segment anew, on a file system where a crash in a rename over a file may leave
 * neither the old file nor the new one: the log is damaged then, and says so.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { runNow } from '../../../src/durable/two-forms.ts';
import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { VfsCall } from '../../../src/vfs/vfs-call.ts';
import { writeWalPointer } from '../../../src/wal/wal-directory.ts';
import { WriteAheadLog } from '../../../src/wal/write-ahead-log.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const DIRECTORY = '/log';
const NEWEST = `${DIRECTORY}/000002.log`;

function open(vfs: ForwardingVfs): Promise<WriteAheadLog> {
  const dispatch = new SyncDispatch(vfs, syncRulesFor('linux', 'node'));
  return WriteAheadLog.open(DIRECTORY, { dispatch, clock: new ManualClock() });
}

/** Two segments, and a pointer that a process that was killed in its rotation has left: it names the first. */
async function rotatedLog(): Promise<MemoryVfs> {
  const vfs = new MemoryVfs();
  const log = await open(new LockAsideVfs(vfs));
  await log.append(Buffer.from('first'), 'sync');
  await log.rotate();
  await log.append(Buffer.from('second'), 'sync');
  await log.close();
  runNow(writeWalPointer(vfs, DIRECTORY, { first: 1, last: 1, firstSequence: 1 }));
  return vfs;
}

/** Keeps what a crash in a rename over the newest segment leaves: the segment under neither name. */
class NeitherVfs extends ForwardingVfs {
  left: MemoryVfs | null = null;

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const result = await run(call);
    if (call.name === 'rename' && call.target === NEWEST) {
      this.left = MemoryVfs.fromTree((this.inner as MemoryVfs).toTree());
      this.left.unlinkSync(NEWEST);
    }
    return result;
  }
}

test('a segment that is lost while recovery replaces it is missed, though no rotation had ended', async () => {
  const disk = new NeitherVfs(await rotatedLog());
  const log = await open(new LockAsideVfs(disk));
  assert.equal(log.lastSequence, 2);
  await log.close();
  const { left } = disk;
  assert.ok(left !== null, 'recovery replaces the newest segment');
  await assert.rejects(open(new LockAsideVfs(left)), {
    code: 'HOLDFAST_CORRUPTION',
    path: NEWEST,
  });
});
