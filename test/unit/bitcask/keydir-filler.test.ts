/** A keydir filled in order is as one that was filled key by key, and can be changed like it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { KeyLocation } from '../../../src/bitcask/key-location.ts';
import { KeydirCursor } from '../../../src/bitcask/keydir-cursor.ts';
import { KeydirFiller } from '../../../src/bitcask/keydir-filler.ts';
import type { Keydir } from '../../../src/bitcask/keydir.ts';

interface Place {
  readonly file: number;
  readonly offset: number;
  readonly lengthCode: number;
  readonly expiry: number;
}

function placeOf({ file, offset, lengthCode, expiry }: KeyLocation): Place {
  return { file, offset, lengthCode, expiry };
}

/** Keys that share much, some of them too long for a page. */
function someKeys(random: Prng, count: number, long: number): Buffer[] {
  const keys = new Map<string, Buffer>();
  while (keys.size < count) {
    const key = Buffer.alloc(random.chance(long) ? 470 + random.below(500) : random.below(24), 7);
    for (let at = Math.max(0, key.length - 5); at < key.length; at++) key[at] = random.below(256);
    keys.set(key.toString('hex'), key);
  }
  return [...keys.values()].toSorted((a, b) => a.compare(b));
}

function contentOf(keydir: Keydir): [key: string, place: Place][] {
  const state = keydir.snapshot();
  const location = new KeyLocation();
  const content: [string, Place][] = [];
  const cursor = new KeydirCursor(keydir.pages, state);
  for (; cursor.valid; cursor.next()) {
    cursor.location(location);
    const key = cursor.keys.toString('hex', cursor.keyStart, cursor.keyEnd);
    content.push([key, placeOf(location)]);
  }
  keydir.drop(state);
  return content;
}

for (const [count, long] of [
  [0, 0],
  [1, 0],
  [12_000, 0],
  [3000, 0.1],
  [1500, 0.9],
] as const) {
  test(`${count} keys, ${long * 100} % of them long, are found, walked over and changed`, () => {
    const random = new Prng(count + 1);
    const filler = new KeydirFiller();
    const expected = new Map<string, Place>();
    for (const [index, key] of someKeys(random, count, long).entries()) {
      const expiry = random.chance(0.1) ? 2 ** 41 + index : 0;
      const place = { file: index % 9, offset: 2 ** 32 - 1 - index, lengthCode: 100, expiry };
      filler.add(key, key.length, place.file, place.offset, place.lengthCode, expiry);
      expected.set(key.toString('hex'), place);
    }
    const keydir = filler.finish();
    assert.equal(keydir.count, count);
    assert.deepEqual(contentOf(keydir), [...expected]);
    const location = new KeyLocation();
    for (const [hex, place] of expected) {
      const key = Buffer.from(hex, 'hex');
      assert.ok(keydir.find(key, 0, key.length, location));
      assert.deepEqual(placeOf(location), place);
    }
    const held = keydir.snapshot();
    const before = new KeyLocation();
    for (const key of someKeys(random, 2000, 0.2)) {
      location.place(1, 2, 3, random.chance(0.5) ? 4 : 0);
      const was = expected.has(key.toString('hex'));
      assert.equal(keydir.set(key, 0, key.length, location, before), was);
      expected.set(key.toString('hex'), placeOf(location));
    }
    keydir.drop(held);
    assert.deepEqual(
      contentOf(keydir),
      [...expected].toSorted(([a], [b]) => Buffer.from(a, 'hex').compare(Buffer.from(b, 'hex'))),
    );
    for (const hex of expected.keys()) {
      const key = Buffer.from(hex, 'hex');
      assert.ok(keydir.delete(key, 0, key.length, before));
    }
    assert.equal(keydir.count, 0);
    assert.equal(keydir.pages.pagesInUse, 1);
    assert.equal(keydir.pages.longKeysInUse, 0);
  });
}
