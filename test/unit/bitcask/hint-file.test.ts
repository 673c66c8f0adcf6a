/** Hint files: bound to their data file, and taken in any order that keeps each key's own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crc32c } from '../../../src/base/crc32c.ts';
import { Prng } from '../../../src/base/prng.ts';
import { HINT_HEADER_BYTES, HintBuilder, HintReader } from '../../../src/bitcask/hint-file.ts';
import { sortedRecords } from '../../../src/bitcask/hint-order.ts';

const BINDING = { number: 7, length: 1234, fingerprint: 99 };
const HEADER = 32;
const LENGTH = 40;

function hintOf(keys: readonly Buffer[]): HintReader {
  const builder = new HintBuilder();
  const offset = (index: number): number => HEADER + index * LENGTH;
  for (const [index, key] of keys.entries()) {
    builder.add(key, 0, key.length, offset(index), LENGTH, 0);
  }
  const binding = { ...BINDING, length: offset(keys.length) };
  const hint = HintReader.open(builder.finish(binding, 5).slice(), binding);
  assert.ok(hint !== null);
  return hint;
}

test('records sorted by key are all there, each key in its own order', () => {
  const random = new Prng(3);
  const keys = Array.from({ length: 5000 }, () => {
    const key = Buffer.alloc(random.below(8));
    for (let at = 0; at < key.length; at++) key[at] = random.below(3) * 100;
    return key;
  });
  const hint = hintOf(keys);
  const sorted = sortedRecords([hint]);
  assert.ok(sorted !== null);
  const seen = new Map<string, number>();
  const offsets = new Set<number>();
  let before = '';
  while (sorted.next()) {
    const { bytes, keyStart, keyEnd, offset }: HintReader = sorted.reader;
    const key: string = Buffer.from(bytes.subarray(keyStart, keyEnd)).toString('hex');
    assert.equal(key, keys[(offset - HEADER) / LENGTH]?.toString('hex'));
    assert.ok((seen.get(key) ?? -1) < offset, 'a key keeps its order');
    seen.set(key, offset);
    offsets.add(offset);
    const first = key.padEnd(10, '0').slice(0, 10);
    assert.ok(first >= before, 'the first bytes rise');
    before = first;
  }
  assert.equal(offsets.size, keys.length);
});

test('records of several hints are sorted together, and each key’s of the earlier hint come first', () => {
  const names = Array.from({ length: 1500 }, (_, index) => Buffer.from(`same:${index % 700}`));
  const sorted = sortedRecords([hintOf(names), hintOf(names.slice(0, 900))]);
  assert.ok(sorted !== null);
  const last = new Map<string, number>();
  let count = 0;
  let before = '';
  while (sorted.next()) {
    const { bytes, keyStart, keyEnd, offset }: HintReader = sorted.reader;
    const key: string = Buffer.from(bytes.subarray(keyStart, keyEnd)).toString();
    assert.equal(key, names[(offset - HEADER) / LENGTH]?.toString());
    const age = sorted.owner * 1_000_000 + offset;
    assert.ok((last.get(key) ?? -1) < age, 'a key keeps its order');
    last.set(key, age);
    assert.ok(key >= before, 'what all keys share does not hide their order');
    before = key;
    count++;
  }
  assert.equal(count, 2400);
});

test('a hint counts only whole, and for the file that it was made for', () => {
  const builder = new HintBuilder();
  builder.add(Buffer.from('key'), 0, 3, 32, 40, 77);
  const bytes = builder.finish(BINDING, 5).slice();
  assert.ok(HintReader.open(bytes, BINDING) !== null);
  for (const other of [{ number: 8 }, { length: 1235 }, { fingerprint: 98 }]) {
    assert.equal(HintReader.open(bytes, { ...BINDING, ...other }), null);
  }
  assert.equal(HintReader.open(bytes.subarray(0, bytes.length - 1), BINDING), null);
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 4;
    assert.equal(HintReader.open(damaged, BINDING), null, `byte ${at}`);
  }
});

test('a hint that says what no data file can hold does not count, whatever its checksum', () => {
  const key = Buffer.from('key');
  const told = (
    records: readonly (readonly [offset: number, code: number, expiry: number])[],
    change: (bytes: Buffer) => Buffer = (bytes) => bytes,
  ): HintReader | null => {
    const builder = new HintBuilder();
    for (const [offset, code, expiry] of records) builder.add(key, 0, 3, offset, code, expiry);
    const bytes = change(Buffer.from(builder.finish(BINDING, 5)));
    bytes.writeUInt32LE(crc32c(bytes, 0, bytes.length - 4), bytes.length - 4);
    return HintReader.open(bytes, BINDING);
  };
  const good = [
    [32, 40, 0],
    [72, 40, 99],
    [112, 0, 0],
    [139, 1000, 0],
  ] as const;
  assert.equal(told(good)?.count, good.length);
  assert.equal(told([[31, 40, 0]]), null, 'in the header');
  assert.equal(told([[1210, 27, 0]]), null, 'past the end');
  assert.equal(told([[0xffff_fff0, 27, 0]]), null, 'far past the end');
  assert.equal(told([[32, 26, 0]]), null, 'too short for the key');
  assert.equal(told([good[1], good[0]]), null, 'not in order');
  assert.equal(told([good[0], good[0]]), null, 'twice');
  const byte = (at: number, value: number) => (bytes: Buffer) => {
    bytes[at] = value;
    return bytes;
  };
  assert.equal(told(good, byte(HINT_HEADER_BYTES + 8, 200)), null, 'a key past the end');
  assert.equal(told(good, byte(HINT_HEADER_BYTES + 6, 1)), null, 'a delete with a length');
  assert.equal(told(good, byte(32, 3)), null, 'more records than it says');
  assert.equal(told(good, byte(32, 5)), null, 'fewer records than it says');
  assert.equal(told(good, byte(35, 255)), null, 'far fewer');
  assert.equal(told(good, byte(36 + 7, 255)), null, 'a clock that no number can hold');
  const longer = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc(7)]);
  assert.equal(told(good, longer), null, 'bytes that are no record');
});
