/** The ordered index: against a plain map, with snapshots held meanwhile, and its size. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { Keydir } from '../../../src/bitcask/keydir.ts';
import { KeydirCursor } from '../../../src/bitcask/keydir-cursor.ts';
import type { PagesSnapshot } from '../../../src/bitcask/keydir-pages.ts';
import { KeyLocation, lengthCodeOf, lengthOfCode } from '../../../src/bitcask/key-location.ts';

type Plain = Map<string, number>;

const location = new KeyLocation();
const before = new KeyLocation();

function put(keydir: Keydir, key: Buffer, offset: number, near: boolean = false): boolean {
  location.file = offset % 65_521;
  location.offset = offset;
  location.lengthCode = offset % 32_000;
  // Entries that expire have longer cells.
  location.expiry = offset % 5 === 0 ? 2 ** 40 + offset : 0;
  if (near) return keydir.setNear(key, 0, key.length, location, before);
  return keydir.set(key, 0, key.length, location, before);
}

function checkLocation(offset: number): void {
  assert.equal(location.offset, offset);
  assert.equal(location.file, offset % 65_521);
  assert.equal(location.lengthCode, offset % 32_000);
  assert.equal(location.expiry, offset % 5 === 0 ? 2 ** 40 + offset : 0);
}

/** All keys of a state, forwards and backwards, against the plain map. */
function checkState(keydir: Keydir, snapshot: PagesSnapshot, plain: Plain): void {
  const keys = [...plain.keys()].toSorted();
  const cursor = new KeydirCursor(keydir.pages, snapshot);
  const hex = (): string =>
    Buffer.from(cursor.keys.subarray(cursor.keyStart, cursor.keyEnd)).toString('hex');
  const seen: string[] = [];
  for (cursor.first(); cursor.valid; cursor.next()) {
    seen.push(hex());
    cursor.location(location);
    checkLocation(plain.get(hex()) ?? -1);
  }
  assert.deepEqual(seen, keys);
  const back: string[] = [];
  for (cursor.last(); cursor.valid; cursor.previous()) back.push(hex());
  assert.deepEqual(back, keys.toReversed());
}

function randomKey(random: Prng, long: number): Buffer {
  const length = random.chance(long) ? 470 + random.below(40) : random.below(9);
  const key = Buffer.alloc(length, 0x61);
  for (let index = Math.max(0, length - 4); index < length; index++) key[index] = random.below(6);
  return key;
}

/** Keys in about rising order, as hints give them. */
function putRun(keydir: Keydir, plain: Plain, random: Prng, long: number, step: number): void {
  const keys = Array.from({ length: 40 }, () => randomKey(random, long));
  keys.sort((a, b) => a.compare(b));
  if (random.chance(0.5)) keys.push(randomKey(random, long));
  for (const key of keys) {
    const hex = key.toString('hex');
    assert.equal(put(keydir, key, step, true), plain.has(hex));
    plain.set(hex, step);
  }
}

function runRandom(seed: number, steps: number, long: number): void {
  const random = new Prng(seed);
  const keydir = new Keydir();
  const plain: Plain = new Map();
  const held: { snapshot: PagesSnapshot; plain: Plain }[] = [];
  for (let step = 1; step <= steps; step++) {
    const key = randomKey(random, long);
    const hex = key.toString('hex');
    const deleting = random.chance(Math.floor(step / 1000) % 2 === 0 ? 0.2 : 0.8);
    if (deleting) {
      const there = keydir.delete(key, 0, key.length, before);
      assert.equal(there, plain.has(hex));
      if (there) assert.equal(before.offset, plain.get(hex));
      plain.delete(hex);
    } else {
      assert.equal(put(keydir, key, step), plain.has(hex));
      plain.set(hex, step);
    }
    if (random.chance(0.02)) putRun(keydir, plain, random, long, step);
    assert.equal(keydir.count, plain.size);
    if (random.chance(0.004)) held.push({ snapshot: keydir.snapshot(), plain: new Map(plain) });
    if (held.length > 0 && random.chance(0.004)) {
      const [one] = held.splice(random.below(held.length), 1);
      assert.ok(one !== undefined);
      checkState(keydir, one.snapshot, one.plain);
      keydir.drop(one.snapshot);
    }
  }
  for (const one of held) {
    checkState(keydir, one.snapshot, one.plain);
    keydir.drop(one.snapshot);
  }
  for (const [hex, offset] of plain) {
    const key = Buffer.from(hex, 'hex');
    assert.ok(keydir.find(key, 0, key.length, location));
    checkLocation(offset);
  }
  for (const hex of plain.keys()) {
    const key = Buffer.from(hex, 'hex');
    assert.ok(keydir.delete(key, 0, key.length, before));
  }
  assert.equal(keydir.count, 0);
  const empty = keydir.snapshot();
  checkState(keydir, empty, new Map());
  keydir.drop(empty);
  assert.equal(keydir.pages.pagesInUse, 1);
  assert.equal(keydir.pages.longKeysInUse, 0);
}

test('puts, deletes, searches and walks agree with a plain map, snapshots too', () => {
  for (const seed of [1, 2]) runRandom(seed, 5000, 0.05);
});

test('keys of hundreds of bytes on every level agree with a plain map', () => {
  runRandom(4, 4000, 0.7);
});

test('a snapshot taken after a newer one was dropped has the state of now', () => {
  const keydir = new Keydir();
  const old = keydir.snapshot();
  put(keydir, Buffer.from('k'), 7);
  keydir.drop(keydir.snapshot());
  const now = keydir.snapshot();
  checkState(keydir, now, new Map([['6b', 7]]));
  checkState(keydir, old, new Map());
});

test('a cursor goes to the first key that is not below the one sought', () => {
  const keydir = new Keydir();
  for (let number = 0; number < 3000; number += 3) {
    put(keydir, Buffer.from(String(number).padStart(6, '0')), number);
  }
  const snapshot = keydir.snapshot();
  const cursor = new KeydirCursor(keydir.pages, snapshot);
  for (let number = 0; number < 2998; number++) {
    cursor.seek(Buffer.from(String(number).padStart(6, '0')));
    cursor.location(location);
    assert.equal(location.offset, Math.ceil(number / 3) * 3);
  }
  cursor.seek(Buffer.from('002998'));
  assert.equal(cursor.valid, false);
});

test('an entry of a 16-byte key takes no more than 48 bytes, in random and in rising order', () => {
  const count = 200_000;
  const random = new Keydir();
  const rising = new Keydir();
  const numbers = new Prng(7);
  const key = Buffer.alloc(16);
  for (let index = 0; index < count; index++) {
    for (let at = 0; at < 16; at += 4) key.writeUInt32BE(numbers.uint32(), at);
    put(random, key, 5 * index + 1);
    key.writeUInt32BE(index, 0);
    put(rising, key, 5 * index + 1);
  }
  assert.equal(random.count, count);
  assert.ok(random.bytes / count < 48, `${random.bytes / count} bytes in random order`);
  assert.ok(rising.bytes / count < 32, `${rising.bytes / count} bytes in rising order`);
});

test('a length code stands for the length or a little more', () => {
  for (const length of [
    0,
    1,
    100,
    32_767,
    32_768,
    32_769,
    65_536,
    1_000_003,
    2 ** 30,
    2 ** 31 - 2 ** 20,
  ]) {
    const back = lengthOfCode(lengthCodeOf(length));
    assert.ok(lengthCodeOf(length) < 65_536);
    assert.ok(back >= length && back <= length * 1.002, `${back} for ${length}`);
  }
});
