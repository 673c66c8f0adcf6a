/**
 * A log on a file system that is full for real: a batch that does not fit is refused whole, also where a new segment
 * is begun, nothing acknowledged is lost, what is there can be read, and appending goes on without reopening once there
 * is room. In memory (tmpfs) and, where the rig's pieces are, on ext4, whose blocks are allocated late.
 */

import assert from 'node:assert/strict';
import { unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { errorCode } from '../../src/vfs/errno.ts';
import type { LogOperation } from '../../src/wal/batch-format.ts';
import type { WalOptions } from '../../src/wal/wal-options.ts';
import { WriteAheadLog } from '../../src/wal/write-ahead-log.ts';
import { skipWithout } from '../support/powercut-needs.ts';
import { withSmallDisk, withSmallMemory } from '../support/small-disk.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const MIB = 1 << 20;
const DISK_BYTES = 2 * MIB;
const BALLAST_BYTES = MIB / 2;
const RECORD_BYTES = 900;
/** Records of a batch: each is whole or absent. */
const BATCH = 3;
/** Small, so that a new one is begun on the full disk as well. */
const SEGMENT_BYTES = 256 << 10;
const POLICIES = ['sync', 'none', 'batch'] as const;

/** Appends batches of records that say which they are, each in another way than the one before. */
class Appender {
  kept = 0;
  readonly #log: WriteAheadLog;
  #tries = 0;

  constructor(log: WriteAheadLog) {
    this.#log = log;
  }

  async append(): Promise<boolean> {
    const policy = POLICIES[this.#tries % POLICIES.length] ?? 'sync';
    const batch = Array.from({ length: BATCH }, (_, place) => putOf(this.kept + place));
    try {
      if (this.#tries++ % 2 === 0) this.#log.appendBatchSync(batch, policy);
      else await this.#log.appendBatch(batch, policy);
    } catch (error) {
      // The one that is looked for; anything else, poison above all, is a failure of the test.
      assert.equal(errorCode(error), 'ENOSPC', String(error));
      assert.equal((error as { outcome?: string }).outcome, 'old');
      return false;
    }
    this.kept += BATCH;
    return true;
  }

  async fill(): Promise<void> {
    while (await this.append());
    for (let again = 0; again < 6; again++) await this.append();
  }
}

function putOf(number: number): LogOperation {
  const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
  const value = bytesOf(String(number).padStart(RECORD_BYTES, '.'));
  return { kind: 'put', key: bytesOf(String(number)), value };
}

/** All of them, in order, and nothing else. */
async function assertHolds(log: WriteAheadLog, kept: number): Promise<void> {
  let number = 0;
  for await (const entries of log.replay()) {
    for (const entry of entries) {
      assert.ok(entry.kind === 'batch');
      for (const operation of entry.operations) {
        assert.deepEqual(operation, putOf(number));
        number++;
      }
    }
  }
  assert.equal(number, kept);
}

async function fillAndGoOn(disk: string, preallocate: boolean): Promise<void> {
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(BALLAST_BYTES, 1));
  const spare = join(disk, 'spare');
  writeFileSync(spare, Buffer.alloc(SEGMENT_BYTES, 1));
  const directory = join(disk, 'log');
  const options = { segmentBytes: SEGMENT_BYTES, preallocate };
  const log = await WriteAheadLog.open(directory, options);
  const appender = new Appender(log);
  await appender.fill();
  assert.ok(appender.kept * RECORD_BYTES > DISK_BYTES / 3, `${appender.kept} fit`);
  await assertHolds(log, appender.kept);
  assert.equal(log.poisoned, false);

  unlinkSync(ballast);
  for (let more = 0; more < 50; more++)
    assert.equal(await appender.append(), true, 'there is room');
  await log.sync();
  await appender.fill();
  await assertHolds(log, appender.kept);
  await log.close();

  const again = await openFull(directory, options, () => unlinkSync(spare));
  await assertHolds(again, appender.kept);
  await again.truncate(again.lastSequence);
  assert.equal(await new Appender(again).append(), true, 'truncating gives room');
  await again.close();
}

/** A log on a full disk need not open, since a new segment is begun, but it says why, and opens when there is room. */
async function openFull(
  directory: string,
  options: WalOptions,
  makeRoom: () => void,
): Promise<WriteAheadLog> {
  try {
    return await WriteAheadLog.open(directory, options);
  } catch (error) {
    assert.equal(errorCode(error), 'ENOSPC', String(error));
    makeRoom();
    return await WriteAheadLog.open(directory, options);
  }
}

for (const preallocate of [true, false]) {
  const zeros = preallocate ? 'with' : 'without';
  describe(`a log ${zeros} zeros ahead, on a full disk`, () => {
    const root = { skip: process.getuid?.() !== 0 && 'mounting needs root' };
    it('in memory: refuses, loses nothing, and goes on', root, async (t) => {
      const directory = temporaryDirectory(t);
      await withSmallMemory(directory, DISK_BYTES, async () => fillAndGoOn(directory, preallocate));
    });

    it('ext4: refuses, loses nothing, and goes on', skipWithout('ext4'), async () => {
      await withSmallDisk(DISK_BYTES, async (disk) => fillAndGoOn(disk, preallocate));
    });
  });
}
