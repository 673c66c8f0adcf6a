/** Tables: what was built is read, sought and walked; what was damaged is told. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { CorruptionError } from '../../../../src/base/errors.ts';
import { Prng } from '../../../../src/base/prng.ts';
import { CURSOR } from '../../../../src/lsm/entry-cursor.ts';
import { compareInternalKeys, internalKey } from '../../../../src/lsm/internal-key.ts';
import { ReadContext } from '../../../../src/lsm/read-context.ts';
import { bloomHash } from '../../../../src/lsm/table/bloom-filter.ts';
import { FilterBlock, FilterBlockBuilder } from '../../../../src/lsm/table/filter-block.ts';
import { RunCursor } from '../../../../src/lsm/table/run-cursor.ts';
import type { RunTable } from '../../../../src/lsm/table/run-cursor.ts';
import { compressBlock, uncompressBlock } from '../../../../src/lsm/table/snappy-codec.ts';
import { DEFAULT_TABLE_FORMAT, TableBuilder } from '../../../../src/lsm/table/table-builder.ts';
import { TableCache } from '../../../../src/lsm/table/table-cache.ts';
import { MemoryVfs } from '../../../../src/vfs/memory-vfs.ts';

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

function randomEntries(random: Prng, count: number): Entry[] {
  const byText = new Map<string, Entry>();
  for (let index = 0; index < count; index++) {
    const text = 'k'.repeat(random.below(3)) + String(random.below(count * 2));
    const key = internalKey(Buffer.from(text), 1 + random.below(3), random.below(2));
    const value = new Uint8Array(random.below(random.chance(0.02) ? 4000 : 40)).fill(index);
    byText.set(Buffer.from(key).toString('latin1'), { key, value });
  }
  return [...byText.values()].toSorted((a, b) => compareInternalKeys(a.key, b.key));
}

function bytesOf(entries: readonly Entry[], compression: boolean): Uint8Array {
  const format = { ...DEFAULT_TABLE_FORMAT, compression, blockBytes: 256 };
  const builder = new TableBuilder(format);
  for (const { key, value } of entries) builder.add(key, 0, key.length, value, 0, value.length);
  builder.finish();
  return builder.takeChunk().slice();
}

/** A file system with the entries in tables of one run. */
function runOf(
  entries: readonly Entry[],
  tableCount: number,
  compression: boolean,
): { vfs: MemoryVfs; tables: RunTable[] } {
  const vfs = new MemoryVfs();
  const tables: RunTable[] = [];
  const perTable = Math.ceil(entries.length / tableCount);
  for (let number = 1; number <= tableCount; number++) {
    const part = entries.slice((number - 1) * perTable, number * perTable);
    const largest = part.at(-1)?.key;
    if (largest === undefined) continue;
    const bytes = bytesOf(part, compression);
    const name = `/${String(number).padStart(6, '0')}.ldb`;
    const file = vfs.openSync(name, { write: true, create: true });
    file.writeSync(bytes, 0, bytes.length, 0);
    file.closeSync();
    tables.push({ number, length: bytes.length, largest });
  }
  return { vfs, tables };
}

const BOUNDS = { tablesMax: 10, indexBytesMax: 1 << 20, blockBytesMax: 2000 };

function cursorOn(vfs: MemoryVfs, tables: readonly RunTable[]): RunCursor {
  const context = new ReadContext(new TableCache(vfs, '/', BOUNDS), true, true);
  return new RunCursor(context, tables);
}

function entryAt(cursor: RunCursor): Entry | undefined {
  if (cursor.state !== CURSOR.entry) return undefined;
  const key = cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd);
  return {
    key,
    value: new Uint8Array(cursor.valueBytes.slice(cursor.valueStart, cursor.valueEnd)),
  };
}

function entriesFrom(cursor: RunCursor, move: () => void): Entry[] {
  const entries: Entry[] = [];
  for (let entry = entryAt(cursor); entry !== undefined; entry = entryAt(cursor)) {
    entries.push(entry);
    move();
  }
  return entries;
}

for (const compression of [false, true]) {
  test(`a run of tables reads as its entries, compression ${compression}`, () => {
    for (let seed = 0; seed < 6; seed++) {
      const random = new Prng(seed);
      const entries = randomEntries(random, 200);
      const { vfs, tables } = runOf(entries, 1 + (seed % 3), compression);
      const cursor = cursorOn(vfs, tables);
      cursor.seekToFirst();
      const forward = entriesFrom(cursor, () => cursor.next());
      assert.deepEqual(forward, entries, `seed ${seed}`);
      cursor.seekToLast();
      const backward = entriesFrom(cursor, () => cursor.previous());
      assert.deepEqual(backward, entries.toReversed(), `seed ${seed}`);
      for (let probe = 0; probe < 60; probe++) {
        const text = 'k'.repeat(random.below(3)) + String(random.below(420));
        const target = internalKey(Buffer.from(text), random.below(5), 1);
        const place = entries.findIndex(({ key }) => compareInternalKeys(key, target) >= 0);
        cursor.seek(target, target.length);
        assert.deepEqual(entryAt(cursor), place === -1 ? undefined : entries[place]);
        cursor.seekBefore(target, target.length);
        assert.deepEqual(entryAt(cursor), place === -1 ? entries.at(-1) : entries[place - 1]);
      }
    }
  });
}

test('a table with any bit of it flipped gives right entries or says that it is damaged', () => {
  const entries = randomEntries(new Prng(3), 30);
  const { vfs, tables } = runOf(entries, 1, true);
  const path = '/000001.ldb';
  const file = vfs.openSync(path, { read: true, write: true });
  const bytes = new Uint8Array(tables[0]?.length ?? 0);
  file.readSync(bytes, 0, bytes.length, 0);
  let told = 0;
  for (let offset = 0; offset < bytes.length; offset++) {
    const flipped = bytes.slice(offset, offset + 1);
    flipped[0] = (flipped[0] ?? 0) ^ (1 << (offset % 8));
    file.writeSync(flipped, 0, 1, offset);
    const read: Entry[] = [];
    try {
      const cursor = cursorOn(vfs, tables);
      for (cursor.seekToFirst(); cursor.state === CURSOR.entry; cursor.next()) {
        read.push(entryAt(cursor) as Entry);
      }
      assert.deepEqual(read, entries, `offset ${offset}`);
    } catch (error) {
      assert.ok(error instanceof CorruptionError, String(error));
      assert.equal(error.path, path);
      assert.deepEqual(read, entries.slice(0, read.length), `offset ${offset}`);
      told++;
    }
    file.writeSync(bytes, offset, 1, offset);
  }
  // Only the zeros that fill the footer up may change unseen.
  assert.ok(told >= bytes.length - 40, `${told} of ${bytes.length}`);
});

test('a filter excludes no key that it was made with, and nearly all others', () => {
  const builder = new FilterBlockBuilder();
  const hashOf = (text: string): number => bloomHash(Buffer.from(text), 0, text.length);
  for (let block = 0; block < 20; block++) {
    builder.startBlock(block * 1500);
    for (let index = 0; index < 50; index++) {
      const key = Buffer.from(`block ${block} key ${index}`);
      builder.add(key, 0, key.length);
    }
  }
  const filter = new FilterBlock(builder.finish().slice());
  let wrong = 0;
  for (let block = 0; block < 20; block++) {
    for (let index = 0; index < 50; index++) {
      assert.ok(filter.mayHold(block * 1500, hashOf(`block ${block} key ${index}`)));
      if (filter.mayHold(block * 1500, hashOf(`other ${block} key ${index}`))) wrong++;
    }
  }
  assert.ok(wrong < 40, `${wrong} of 1000`);
});

test('a Snappy stream that claims more than it can hold is refused', () => {
  assert.equal(uncompressBlock(Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 0x00, 0x61)), null);
  const text = new Uint8Array(100_000).fill(97);
  assert.deepEqual(uncompressBlock(compressBlock(text)), text);
});

test('values that do not compress are not tried each time, and those behind them are compressed', () => {
  const random = new Prng(8);
  const lengthOf = (count: number, isRandom: (index: number) => boolean): number => {
    const entries = Array.from({ length: count }, (_, index) => ({
      key: internalKey(Buffer.from(String(10_000 + index)), 1, 1),
      // About a block each.
      value: Uint8Array.from({ length: 250 }, () => (isRandom(index) ? random.below(256) : 7)),
    }));
    return bytesOf(entries, true).length;
  };
  const noise = lengthOf(100, () => true);
  const still = lengthOf(100, () => false);
  assert.ok(noise > 25_000 && still < 8000, `${noise}, ${still}`);
  // Sixteen blocks that could be smaller are not, at most.
  const both = lengthOf(200, (index) => index < 100);
  assert.ok(both < noise + still + 16 * 250, `${both}`);
  // One in five is found among the others, after one more.
  const mixed = lengthOf(100, (index) => index % 5 === 0);
  assert.ok(mixed < still + 20 * 250 + 20 * 250 + 1000, `${mixed}`);
});
