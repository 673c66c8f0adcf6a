/**
 * A segment whose first sync has failed while a rotation had the next file ready: the cache of the operating system has
 * all of it, and the disk may have nothing. Recovery writes its records anew, and a crash in that leaves a log.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { WriteAheadLog } from '../../../src/wal/write-ahead-log.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const DIRECTORY = '/log';

function open(vfs: Vfs): Promise<WriteAheadLog> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs), syncRulesFor('linux', 'node'));
  return WriteAheadLog.open(DIRECTORY, { dispatch, clock: new ManualClock(), sync: 'none' });
}

/** What the caches and the disk hold when the sync of the second segment has failed. */
async function failedRotation(): Promise<FaultVfs> {
  const faults = new FaultVfs(new MemoryVfs());
  const killable = new KillableVfs(faults);
  const log = await open(killable);
  await log.append(Buffer.from('first'), 'sync');
  await log.rotate();
  await log.append(Buffer.from('second'), 'none');
  faults.inject({ kind: 'failed-sync', path: /000002\.log$/ });
  await assert.rejects(log.rotate(), { code: 'HOLDFAST_POISONED' });
  killable.kill();
  faults.clear();
  return faults;
}

test('a crash anywhere in a recovery behind a failed sync leaves a log that opens', async () => {
  for (let left = 1; ; left++) {
    const faults = await failedRotation();
    const killable = new KillableVfs(faults);
    let calls = 0;
    const killed = killable.killBehind(() => ++calls === left);
    const opening = open(killable).then(() => 'opened');
    const ended = await Promise.race([killed, opening]);
    const disk = MemoryVfs.fromTree(faults.crash('lost'));
    const log = await open(disk);
    assert.ok(log.lastSequence >= 1, `${log.lastSequence} records behind call ${left}`);
    await log.close();
    if (ended === 'opened') break;
  }
});
