/** The index takes entries late, in key order; nobody who asks it can tell. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { BatchEncoder } from '../../../src/bitcask/batch-encoder.ts';
import { FileTable } from '../../../src/bitcask/data-file.ts';
import type { DataFile } from '../../../src/bitcask/data-file.ts';
import { KeyIndex } from '../../../src/bitcask/key-index.ts';
import { KeyLocation } from '../../../src/bitcask/key-location.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

/** As many as are put in order at once, at least. */
const LARGE_BATCH = 17_000;
const TURNS_MAX = 100;

/** So many that they are put in order several times, over two logs. */
const ENTRIES = 120_000;
const KEYS = 9000;

test('entries that are taken late are those of a plain map, with the counts of the files', () => {
  const file = new MemoryVfs().openSync('/f', { write: true, create: true });
  const files = new FileTable();
  const logs = [1, 2].map((number) => files.add(number, `/${number}`, file, false, 32, false));
  const index = new KeyIndex(files);
  const encoder = new BatchEncoder();
  const random = new Prng(4);
  const plain = new Map<string, { log: DataFile; offset: number; length: number }>();
  const location = new KeyLocation();
  const check = (key: string): void => {
    const found = index.keydir.find(Buffer.from(key), 0, key.length, location);
    const known = plain.get(key);
    assert.equal(found, known !== undefined);
    if (known === undefined) return;
    assert.deepEqual([location.file, location.offset], [known.log.slot, known.offset]);
  };
  for (let done = 0; done < ENTRIES; done += 100) {
    const log = logs[done < ENTRIES / 2 ? 0 : 1]!;
    const offset = log.length;
    const batch = new WriteBatch();
    let at = offset;
    for (let count = 0; count < 100; count++) {
      const key = `k${random.below(KEYS) * 7919}`;
      const isPut = random.below(5) > 0;
      const length = 24 + key.length + (isPut ? 5 : 0);
      if (isPut) batch.put(Buffer.from(key), Buffer.from('value'));
      else batch.delete(Buffer.from(key));
      if (isPut) plain.set(key, { log, offset: at, length });
      else plain.delete(key);
      at += length;
    }
    const place = { fileNumber: log.number, offset, durable: 32, sequence: done, now: 0 };
    const bytes = encoder.encode(batch, place);
    index.applyEntries(log, bytes, offset, bytes.length);
    if (random.below(300) === 0) check(`k${random.below(KEYS) * 7919}`);
  }
  index.catchUp();
  for (const log of logs) {
    const alive = [...plain.values()].filter((known) => known.log === log);
    const bytes = alive.reduce((sum, { length }) => sum + length, 0);
    assert.deepEqual([log.liveEntries, log.liveBytes], [alive.length, bytes]);
    assert.equal(log.entries, ENTRIES / 2);
  }
  assert.equal(index.keydir.count, plain.size);
  for (let number = 0; number < KEYS; number++) check(`k${number * 7919}`);
});

test('who waits for the entries of now gets them while large batches come without an end', async () => {
  const file = new MemoryVfs().openSync('/f', { write: true, create: true });
  const files = new FileTable();
  const log = files.add(1, '/1', file, false, 32, false);
  const index = new KeyIndex(files);
  const encoder = new BatchEncoder();
  const give = (): void => {
    const batch = new WriteBatch();
    for (let count = 0; count < LARGE_BATCH; count++) {
      batch.put(Buffer.from(`k${count}`), Buffer.from('value'));
    }
    const offset = log.length;
    const place = { fileNumber: 1, offset, durable: 32, sequence: log.entries, now: 0 };
    const bytes = encoder.encode(batch, place);
    index.applyEntries(log, bytes, offset, bytes.length);
  };
  let turns = 0;
  const clock = new ManualClock();
  clock.sleep = () => {
    if (++turns < TURNS_MAX) give();
    return Promise.resolve();
  };
  give();
  await index.catchUpInTurns(clock);
  assert.ok(turns < TURNS_MAX);
});
