/** Crash images of block logs made by hand: which disks are allowed, and which are not. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CrashImages } from '../../../../src/lab/powercut/crash-images.ts';
import { DiskImage } from '../../../../src/lab/powercut/disk-image.ts';
import {
  flush,
  type HandMadeEntry,
  LOG_SECTOR,
  write,
  writeBlockLog,
} from '../../../support/block-log-builder.ts';

const LIMITS = { seed: 1, subsetsMax: 256, tornMax: 0 };
const FUA = 2;

describe('crash images', () => {
  let directory = '';
  let path = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-crash-images-'));
    path = join(directory, 'log');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function images(entries: readonly HandMadeEntry[], limits = LIMITS): CrashImages {
    writeBlockLog(path, entries);
    return new CrashImages(path, new DiskImage(), limits);
  }

  /** First byte of each of the disk's first sectors, for every disk, with the crash's place in the log. */
  function disks(entries: readonly HandMadeEntry[], sectors = 3, limits = LIMITS): string[] {
    return [...images(entries, limits)]
      .map(({ image, position }) => {
        const bytes = Array.from({ length: sectors }, (_, index) =>
          image.slice(index * LOG_SECTOR, 1).readUInt8(0),
        );
        return `${bytes.join('')}@${position}`;
      })
      .toSorted();
  }

  it('are all subsets of what was written since the last flush, at the last moment before the next', () => {
    const entries = [write(0, 1), write(1, 2), flush];
    // The full disk is also what the next epoch begins with, and more may have been promised there.
    assert.deepEqual(disks(entries), ['000@2', '020@2', '100@2', '120@3']);
  });

  it('keep everything from before a completed flush', () => {
    const entries = [write(0, 1), flush, write(1, 2), write(2, 3), flush];
    assert.deepEqual(disks(entries), ['000@1', '100@4', '103@4', '120@4', '123@5']);
  });

  it('let the later of two overlapping writes win, whichever survive', () => {
    const entries = [write(0, 1, 2), write(1, 2), flush];
    assert.deepEqual(disks(entries), ['000@2', '020@2', '110@2', '120@3']);
  });

  it('keep a FUA write once it completed, and those before it in flight', () => {
    const fua: HandMadeEntry = { sector: 1, sectors: 1, fill: 2, flags: FUA };
    const entries = [write(0, 1), fua, write(2, 3)];
    // Without the FUA write: only while it was in flight, that is at place 1.
    assert.deepEqual(disks(entries), ['000@1', '020@3', '023@3', '100@1', '120@3', '123@3']);
  });

  it('take a flush flag on a write to come before that write', () => {
    const flushing: HandMadeEntry = { sector: 1, sectors: 1, fill: 2, flags: 1 };
    assert.deepEqual(disks([write(0, 1), flushing]), ['000@1', '100@2', '120@2']);
  });

  it('are each yielded once, however many ways lead to them', () => {
    const entries = [write(0, 1), flush, write(0, 1), write(0, 2), write(0, 1), flush];
    assert.deepEqual(disks(entries, 1), ['0@1', '1@6', '2@5']);
    assert.equal(images(entries).counts.distinct, 3);
  });

  it('tear a write at its sectors, and never within one', () => {
    const entries = [write(0, 1, 3), flush];
    const torn = disks(entries, 3, { seed: 3, subsetsMax: 256, tornMax: 64 });
    assert.deepEqual(torn, ['000@1', '001@1', '011@1', '100@1', '110@1', '111@2']);
  });

  it('are a seeded sample with all prefixes where the subsets are too many', () => {
    const entries = [...Array.from({ length: 20 }, (_, index) => write(index, 7)), flush];
    const limits = { seed: 5, subsetsMax: 100, tornMax: 0 };
    const once = disks(entries, 20, limits);
    assert.deepEqual(disks(entries, 20, limits), once);
    assert.notDeepEqual(disks(entries, 20, { ...limits, seed: 6 }), once);
    for (let kept = 0; kept < 20; kept += 1) {
      const prefix = '7'.repeat(kept).padEnd(20, '0');
      assert.ok(once.includes(`${prefix}@20`), `the prefix ${prefix} is among the states`);
    }
    const { counts } = images(entries, limits);
    assert.equal(counts.subsets, 2n ** 20n + 1n);
    assert.equal(counts.sampledEpochs, 1);
    assert.ok(counts.states <= 101);
  });

  it('name what each disk lost', () => {
    const [nothing] = [...images([write(4, 1, 2), flush])];
    assert.deepEqual(nothing?.lost, [
      { entry: 0, offset: 4 * LOG_SECTOR, length: 2 * LOG_SECTOR, keptFrom: 0, keptTo: 0 },
    ]);
  });
});
