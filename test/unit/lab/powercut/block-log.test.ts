/** The reader of block logs, on logs made by hand byte by byte. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { TraceError } from '../../../../src/base/errors.ts';
import {
  BLOCK_LOG_MAGIC,
  BlockLogReader,
  countLiveEntries,
} from '../../../../src/lab/powercut/block-log.ts';
import {
  entrySectors,
  type HandMadeEntry,
  LOG_SECTOR,
  superSector,
  writeBlockLog,
} from '../../../support/block-log-builder.ts';

describe('block log', () => {
  let directory = '';
  let path = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-block-log-'));
    path = join(directory, 'log');
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function writeLog(entries: readonly HandMadeEntry[], count: number = entries.length): void {
    writeBlockLog(path, entries, count);
  }

  it('yields writes, flushes, FUA writes, discards and marks in order', () => {
    writeLog([
      { sector: 8, sectors: 2, flags: 0, fill: 7 },
      { sector: 0, sectors: 0, flags: 1 },
      { sector: 100, sectors: 1, flags: 2 | 16, fill: 9 },
      { sector: 64, sectors: 1000, flags: 4 },
      { sector: 0, sectors: 0, flags: 8, text: 'hello' },
      { sector: 1, sectors: 1, flags: 0, fill: 3 },
    ]);
    const reader = BlockLogReader.open(path);
    try {
      const entries = [];
      for (let entry = reader.next(); entry !== null; entry = reader.next()) entries.push(entry);
      assert.deepEqual(
        entries.map((entry) => [entry.offset, entry.length]),
        [
          [4096, 1024],
          [0, 0],
          [51200, 512],
          [32768, 512000],
          [0, 0],
          [512, 512],
        ],
      );
      assert.deepEqual(
        entries.map((entry) => [entry.flush, entry.fua, entry.discard, entry.metadata]),
        [
          [false, false, false, false],
          [true, false, false, false],
          [false, true, false, true],
          [false, false, true, false],
          [false, false, false, false],
          [false, false, false, false],
        ],
      );
      assert.equal(entries[4]?.mark, 'hello');
      const [first, , , , , last] = entries;
      assert.ok(first !== undefined && last !== undefined);
      assert.deepEqual(reader.readData(first), new Uint8Array(1024).fill(7));
      assert.deepEqual(reader.readData(last), new Uint8Array(512).fill(3));
    } finally {
      reader.close();
    }
  });

  it('finds the end of a live log by its first sector of zeros, and goes on when it grows', () => {
    const first = { sector: 8, sectors: 1, flags: 0, fill: 7 };
    writeLog([first], 0);
    const reader = BlockLogReader.open(path, { liveSectorSize: LOG_SECTOR });
    try {
      assert.equal(countLiveEntries(reader), 1);
      assert.equal(countLiveEntries(reader), 1);
      writeLog([first, { sector: 0, sectors: 0, flags: 1 }], 0);
      assert.equal(countLiveEntries(reader), 2);
    } finally {
      reader.close();
    }
  });

  it('does not take a gap before a later entry for the end of a live log', () => {
    const whole = Buffer.concat([
      superSector(0),
      entrySectors({ sector: 8, sectors: 1, flags: 0, fill: 7 }),
      entrySectors({ sector: 0, sectors: 0, flags: 1 }),
    ]);
    const withGap = Buffer.from(whole).fill(0, LOG_SECTOR, 3 * LOG_SECTOR);
    writeFileSync(path, withGap);
    const reader = BlockLogReader.open(path, { liveSectorSize: LOG_SECTOR });
    try {
      assert.throws(() => countLiveEntries(reader), /has a gap after entry -1/);
      writeFileSync(path, whole);
      assert.equal(countLiveEntries(reader), 2);
    } finally {
      reader.close();
    }
  });

  const damaged: readonly (readonly [string, () => Buffer, RegExp])[] = [
    ['an empty file', () => Buffer.alloc(0), /is cut/],
    ['a wrong magic number', () => superSector(0, 1n), /not a block log/],
    ['another version', () => superSector(0, BLOCK_LOG_MAGIC, 2n), /version 2/],
    ['a log that ends before its last entry', () => superSector(1), /ends inside entry 0/],
    [
      'unknown flags',
      () => Buffer.concat([superSector(1), entrySectors({ sector: 0, sectors: 0, flags: 64 })]),
      /unknown flags in entry 0/,
    ],
  ];
  for (const [name, bytes, message] of damaged) {
    it(`refuses ${name}`, () => {
      writeFileSync(path, bytes());
      assert.throws(
        () => {
          const reader = BlockLogReader.open(path);
          try {
            reader.next();
          } finally {
            reader.close();
          }
        },
        (error) => error instanceof TraceError && message.test(error.message),
      );
    });
  }

  it('refuses the bytes of a write that the file no longer holds', () => {
    const whole = Buffer.concat([
      superSector(1),
      entrySectors({ sector: 0, sectors: 2, flags: 0, fill: 1 }),
    ]);
    writeFileSync(path, whole.subarray(0, whole.length - LOG_SECTOR));
    const reader = BlockLogReader.open(path);
    try {
      const entry = reader.next();
      assert.ok(entry !== null);
      assert.throws(() => reader.readData(entry), /the bytes of entry 0 is missing/);
    } finally {
      reader.close();
    }
  });
});
