/** A log that no policy syncs is synced every 16 MiB: for speed, so that a full segment holds nobody for all of it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RedoLog } from '../../../src/btree/redo-log.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { WriteAheadLog } from '../../../src/wal/write-ahead-log.ts';
import { ManualClock } from '../../support/manual-clock.ts';

test('a log under none is durable as far as 16 MiB before, and waits for nothing below that', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs(), syncRulesFor('linux', 'node'));
  const wal = await WriteAheadLog.open('/log', { dispatch, clock: new ManualClock() });
  const log = new RedoLog(wal);
  const record = Buffer.alloc(1 << 20, 1);
  for (let number = 1; number < 16; number++) await log.append(record, 'none');
  assert.equal(log.durableSequence, 0);
  await log.append(record, 'none');
  assert.equal(log.durableSequence, 16);
  await log.append(record, 'none');
  assert.equal(log.durableSequence, 16);
  await wal.close();
});
