/** Whole entries are found among anything, however long they and the file are. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import {
  MORE_FOLLOWS,
  PUT,
  entryLength,
  putEntry,
  sealEntry,
} from '../../../src/bitcask/entry-format.ts';
import { EntrySearch } from '../../../src/bitcask/entry-search.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { writeFullySync } from '../../../src/vfs/transfer.ts';
import type { VfsFile } from '../../../src/vfs/vfs.ts';

const FILE = 9;
const MIB = 1 << 20;

/** Writes an entry, and gives what is behind it. */
function put(file: VfsFile, offset: number, keyLength: number, valueLength: number): number {
  const key = new Uint8Array(keyLength).fill(offset);
  const value = new Uint8Array(valueLength).fill(3);
  const bytes = new Uint8Array(entryLength(keyLength, valueLength, false));
  const fields = { kind: PUT, flags: MORE_FOLLOWS, sequence: 5, undurable: 0, expiry: 0 };
  const end = putEntry(bytes, 0, fields, key, 0, keyLength, value, 0, valueLength);
  sealEntry(bytes, 0, end, FILE, offset);
  writeFullySync(file, bytes, offset);
  return offset + bytes.length;
}

test('entries are found behind garbage, across pieces and longer than a piece', async () => {
  const file = new MemoryVfs().openSync('/f', { read: true, write: true, create: true });
  const random = new Prng(1);
  const places: [at: number, end: number][] = [];
  const lengths = [10, 60_000, 0, 3 * MIB, 7, MIB, 65_535, 5];
  let at = 32;
  for (const [index, length] of lengths.entries()) {
    // Garbage that looks like the beginning of an entry at every turn.
    const garbage = Uint8Array.from({ length: 1000 }, () => random.below(4));
    writeFullySync(file, garbage, at);
    at += garbage.length + (index === 4 ? 2 * MIB : 0);
    const end = put(file, at, index === 1 || index === 6 ? 65_535 : 4, length);
    places.push([at, end]);
    at = end;
  }
  const size = at + 3 * MIB;
  file.truncateSync(size);
  const search = new EntrySearch(file, FILE, 32, size);
  let passed = 32;
  for (const [start, end] of places) {
    assert.ok(await search.next());
    assert.equal(search.entryOffset, start);
    assert.deepEqual([search.passedFrom, search.passedTo], [passed, start]);
    assert.ok(search.passedUsed);
    assert.equal(search.entry.length, end - start);
    const { keyStart, keyEnd } = search.entry;
    const key = search.bytes.slice(keyStart, keyEnd);
    const whole = await search.whole();
    assert.equal(whole.length, end - start);
    assert.deepEqual(whole.slice(search.entry.keyStart, search.entry.keyEnd), key);
    passed = end;
  }
  assert.ok(!(await search.next()));
  assert.ok(!search.passedUsed, 'only zeros follow');
  assert.deepEqual([search.passedFrom, search.passedTo], [passed, size]);
  assert.equal(search.usedTo, at);
});

test('an entry with one wrong byte, or that ends behind the range, is none', async () => {
  const file = new MemoryVfs().openSync('/f', { read: true, write: true, create: true });
  const end = put(file, 32, 4, 2 * MIB);
  assert.ok(await new EntrySearch(file, FILE, 32, end).next());
  assert.ok(!(await new EntrySearch(file, FILE, 32, end - 1).next()));
  assert.ok(!(await new EntrySearch(file, FILE + 1, 32, end).next()));
  for (const at of [32, 36, 60, 32 + MIB, end - 1]) {
    writeFullySync(file, Uint8Array.of(255), at);
    assert.ok(!(await new EntrySearch(file, FILE, 32, end).next()), `byte ${at}`);
    put(file, 32, 4, 2 * MIB);
  }
});
