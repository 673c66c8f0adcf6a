/** The memtable against a sorted array. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import {
  compareInternalKeys,
  internalKey,
  KIND_DELETE,
  KIND_PUT,
} from '../../../src/lsm/internal-key.ts';
import { Memtable, memtableFilterBytes } from '../../../src/lsm/memtable.ts';
import { bloomHash } from '../../../src/lsm/table/bloom-filter.ts';

function keyAt(table: Memtable, node: number): Uint8Array {
  return table.arena.slice(table.keyStart(node), table.keyEnd(node));
}

function randomKey(random: Prng): Uint8Array {
  // Few different bytes and lengths, so that keys share prefixes and come again.
  return Uint8Array.from({ length: random.below(7) }, () => random.pick([0, 1, 0x7f, 0x80, 0xff]));
}

test('a memtable keeps the order of internal keys, and finds what a sorted array finds', () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = new Prng(seed);
    const table = new Memtable(16);
    const sorted: Uint8Array[] = [];
    for (let sequence = 1; sequence <= 300; sequence++) {
      const key = randomKey(random);
      const kind = random.chance(0.3) ? KIND_DELETE : KIND_PUT;
      const bytes = Buffer.concat([key, Buffer.from(`value ${sequence}`)]);
      table.add(sequence, kind, bytes, 0, key.length, key.length, bytes.length);
      sorted.push(internalKey(key, sequence, kind));
    }
    sorted.sort(compareInternalKeys);
    const walked: Uint8Array[] = [];
    for (let node = table.first(); node !== 0; node = table.next(node)) {
      walked.push(keyAt(table, node));
    }
    assert.deepEqual(walked, sorted, `seed ${seed}`);
    const backward: Uint8Array[] = [];
    for (let node = table.last(); node !== 0; node = table.previous(node)) {
      backward.push(keyAt(table, node));
    }
    assert.deepEqual(backward, sorted.toReversed(), `seed ${seed}`);
    for (let probe = 0; probe < 100; probe++) {
      const target = internalKey(randomKey(random), random.below(310), random.below(2));
      const place = sorted.findIndex((key) => compareInternalKeys(key, target) >= 0);
      const expected = place === -1 ? undefined : sorted[place];
      const node = table.seek(target, target.length);
      assert.deepEqual(node === 0 ? undefined : keyAt(table, node), expected, `seed ${seed}`);
      const before = place === -1 ? sorted.at(-1) : sorted[place - 1];
      const last = table.seekBefore(target, target.length);
      assert.deepEqual(last === 0 ? undefined : keyAt(table, last), before, `seed ${seed}`);
    }
  }
});

test('a memtable that crossed to another thread is the same', () => {
  const table = new Memtable();
  const bytes = Buffer.from('key and value');
  table.add(7, KIND_PUT, bytes, 0, 3, 8, 13);
  const copy = Memtable.from(structuredClone(table.parts()));
  const node = copy.first();
  assert.deepEqual(keyAt(copy, node), internalKey(bytes.subarray(0, 3), 7, KIND_PUT));
  const value = copy.arena.slice(copy.keyEnd(node), copy.valueEnd(node));
  assert.equal(Buffer.from(value).toString(), 'value');
  assert.equal(copy.next(node), 0);
});

test('the filter of a memtable excludes most keys that are not there, and none that are', () => {
  const random = new Prng(4);
  const table = new Memtable(16, memtableFilterBytes(64 << 10));
  const key = (number: number): Uint8Array => Buffer.from(`key of number ${number}`);
  for (let number = 0; number < 1000; number++) {
    const bytes = key(2 * number);
    table.add(number + 1, KIND_PUT, bytes, 0, bytes.length, bytes.length, bytes.length);
  }
  let excluded = 0;
  for (let number = 0; number < 1000; number++) {
    const there = key(2 * random.below(1000));
    assert.ok(table.mayHold(bloomHash(there, 0, there.length)));
    const other = key(2 * number + 1);
    if (!table.mayHold(bloomHash(other, 0, other.length))) excluded++;
  }
  assert.ok(excluded > 500, `${excluded} excluded`);
  assert.ok(new Memtable().mayHold(0));
});
