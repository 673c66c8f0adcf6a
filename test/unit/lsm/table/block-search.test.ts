/**
 * The three ways in which a key is found among tables and blocks in memory: fences of sorted keys,
 * the lookup of a block, the cache of blocks. Each against the plain way.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../../src/base/prng.ts';
import {
  compareInternalKeys,
  internalKey,
  KIND_DELETE,
  KIND_PUT,
  KIND_SEEK,
  TRAILER_BYTES,
} from '../../../../src/lsm/internal-key.ts';
import { BlockBuilder } from '../../../../src/lsm/table/block-builder.ts';
import { BlockCache } from '../../../../src/lsm/table/block-cache.ts';
import type { KeptBlocks } from '../../../../src/lsm/table/block-cache.ts';
import { BlockCursor } from '../../../../src/lsm/table/block-cursor.ts';
import { BlockLookup, LOOKUP } from '../../../../src/lsm/table/block-lookup.ts';
import { Block } from '../../../../src/lsm/table/block.ts';
import { KeyFences } from '../../../../src/lsm/table/key-fences.ts';

/** Keys with long parts in common, keys of which one begins another, and random ones. */
function someKeys(random: Prng, prefix: string, count: number): Uint8Array[] {
  const keys = Array.from({ length: count }, () => {
    const length = random.below(random.below(3) === 0 ? 3 : 12);
    const letters = Array.from({ length }, () => random.below(random.below(2) === 0 ? 2 : 256));
    const user = Buffer.concat([Buffer.from(prefix), Buffer.from(letters)]);
    return internalKey(user, 1 + random.below(50), random.below(4) === 0 ? KIND_DELETE : KIND_PUT);
  });
  const sorted = keys.toSorted(compareInternalKeys);
  return sorted.filter(
    (key, index) => index === 0 || compareInternalKeys(sorted[index - 1]!, key) !== 0,
  );
}

function blockOf(keys: readonly Uint8Array[], value: (index: number) => Uint8Array): Block {
  const builder = new BlockBuilder(4);
  for (const [index, key] of keys.entries()) {
    const bytes = value(index);
    builder.add(key, 0, key.length, bytes, 0, bytes.length);
  }
  return new Block(builder.finish().slice(), 'a block', 0);
}

test('fences find the place that going through the keys finds', () => {
  const random = new Prng(11);
  for (const prefix of ['', 'a', '!a long name of a sublevel!']) {
    for (let round = 0; round < 60; round++) {
      const keys = someKeys(random, prefix, round);
      const fences = new KeyFences(keys);
      assert.equal(fences.count, keys.length);
      const others = [...someKeys(random, prefix, 40), ...someKeys(random, '', 20), ...keys];
      for (const target of others) {
        const place = keys.findIndex((key) => compareInternalKeys(key, target) >= 0);
        const expected = place === -1 ? keys.length : place;
        assert.equal(fences.firstNotBefore(target, target.length), expected);
      }
    }
  }
});

test('the lookup of a block finds what the cursor finds, at every sequence number', () => {
  const random = new Prng(12);
  const lookup = new BlockLookup();
  const told = [0, 0, 0];
  for (let round = 0; round < 400; round++) {
    const prefix = ['', 'user:', 'x'.repeat(140)][round % 3] as string;
    const keys = someKeys(random, prefix, 1 + random.below(40));
    const block = blockOf(keys, (index) => Buffer.alloc(index % 7 === 0 ? 200 : index, index));
    const cursor = new BlockCursor(block);
    for (const target of [...keys, ...someKeys(random, prefix, 10)]) {
      const userEnd = target.length - TRAILER_BYTES;
      const sequence = random.below(60);
      const sought = internalKey(target.subarray(0, userEnd), sequence, KIND_SEEK);
      cursor.seek(sought, sought.length);
      const same =
        cursor.valid &&
        Buffer.compare(cursor.key.slice(0, cursor.keyLength - 8), target.slice(0, userEnd)) === 0;
      const found = lookup.find(block, sought, sought.length, sequence);
      told[found]!++;
      if (found === LOOKUP.unsure) continue;
      assert.equal(found === LOOKUP.found, same);
      if (!same) continue;
      assert.equal(lookup.keyEnd, cursor.valueStart);
      assert.equal(lookup.valueEnd, cursor.valueEnd);
    }
  }
  assert.ok(told[LOOKUP.none]! > 2000 && told[LOOKUP.found]! > 2000, told.join());
  assert.ok(told[LOOKUP.unsure]! < told[LOOKUP.found]!, told.join());
});

test('entries that share a trailer, and damage, are left to the cursor', () => {
  const versions = [5, 4, 3].map((sequence) => internalKey(Buffer.from('k'), sequence, KIND_PUT));
  const lookup = new BlockLookup();
  const sought = internalKey(Buffer.from('k'), 4, KIND_SEEK);
  const block = blockOf(versions, () => Buffer.alloc(1));
  assert.equal(lookup.find(block, sought, sought.length, 4), LOOKUP.unsure);
  const keys = ['a', 'b', 'c', 'd'].map((key) => internalKey(Buffer.from(key), 1, KIND_PUT));
  const whole = blockOf(keys, () => Buffer.alloc(9));
  const { bytes } = whole;
  const last = internalKey(Buffer.from('d'), 1, KIND_SEEK);
  assert.equal(lookup.find(whole, last, last.length, 1), LOOKUP.found);
  // Whatever byte is another one: it finds the entry, or none, or the cursor has to judge.
  for (let at = 0; at < whole.entriesEnd; at++) {
    for (const byte of [0, 1, 7, 8, 0x7f, 0x80, 0xff]) {
      const damaged = new Block(Buffer.from(bytes).fill(byte, at, at + 1), 'a block', 0);
      if (lookup.find(damaged, last, last.length, 1) !== LOOKUP.found) continue;
      assert.ok(lookup.keyEnd <= lookup.valueEnd && lookup.valueEnd <= damaged.entriesEnd);
    }
  }
});

test('a block is kept, makes room for the next when asked to, and goes with its table', () => {
  const keys = [internalKey(Buffer.from('k'), 1, KIND_PUT)];
  const blocks: KeptBlocks = [null, null, null, null];
  const block = (): Block => blockOf(keys, () => Buffer.alloc(400));
  const cost = block().bytes.length + 512;
  const cache = new BlockCache(2 * cost);
  cache.put(blocks, 0, block(), true);
  cache.put(blocks, 1, block(), true);
  // A scan takes what is free, and nothing from others.
  cache.put(blocks, 2, block(), false);
  assert.deepEqual(
    blocks.map((entry) => entry !== null),
    [true, true, false, false],
  );
  assert.notEqual(cache.get(blocks, 0), null);
  // The one that was asked for again has a second chance.
  cache.put(blocks, 3, block(), true);
  assert.deepEqual(
    blocks.map((entry) => entry !== null),
    [true, false, false, true],
  );
  assert.equal(cache.bytes, 2 * cost);
  cache.drop(blocks);
  assert.equal(cache.bytes, 0);
  cache.put(blocks, 1, block(), false);
  assert.equal(cache.bytes, cost);
  assert.notEqual(cache.get(blocks, 1), null);
  assert.equal(cache.get(blocks, 0), null);
});
