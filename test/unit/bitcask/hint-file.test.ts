/** Hint files: bound to their data file, and taken in any order that keeps each key's own. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { HintBuilder, HintReader } from '../../../src/bitcask/hint-file.ts';
import { positionsByKey } from '../../../src/bitcask/hint-order.ts';

const BINDING = { number: 7, length: 1234, fingerprint: 99 };

function hintOf(keys: readonly Buffer[]): HintReader {
  const builder = new HintBuilder();
  for (const [index, key] of keys.entries()) builder.add(key, 0, key.length, index, 40, 0);
  const hint = HintReader.open(builder.finish(BINDING, 5).slice(), BINDING);
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
  const positions = positionsByKey(hint);
  assert.ok(positions !== null);
  const seen = new Map<string, number>();
  const offsets = new Set<number>();
  let before = '';
  for (const position of positions) {
    hint.read(position);
    const key = Buffer.from(hint.bytes.subarray(hint.keyStart, hint.keyEnd)).toString('hex');
    assert.equal(key, keys[hint.offset]?.toString('hex'));
    assert.ok((seen.get(key) ?? -1) < hint.offset, 'a key keeps its order');
    seen.set(key, hint.offset);
    offsets.add(hint.offset);
    const first = key.padEnd(10, '0').slice(0, 10);
    assert.ok(first >= before, 'the first bytes rise');
    before = first;
  }
  assert.equal(offsets.size, keys.length);
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
