/** Ranges: which keys are inside, checked against a comparison of hex text. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { toHex } from '../../../src/base/bytes.ts';
import {
  aboveLower,
  belowUpper,
  boundsAreEmpty,
  entryLimit,
  keyBounds,
} from '../../../src/engine/key-range.ts';

const key = fc.uint8Array({ maxLength: 3, max: 4 });
const range = fc.record({ gt: key, gte: key, lt: key, lte: key }, { requiredKeys: [] });

describe('a key range', () => {
  it('has the keys that its words say, gte before gt and lte before lt', () => {
    fc.assert(
      fc.property(range, key, (words, probe) => {
        const hex = toHex(probe);
        const above =
          words.gte !== undefined
            ? hex >= toHex(words.gte)
            : words.gt === undefined || hex > toHex(words.gt);
        const below =
          words.lte !== undefined
            ? hex <= toHex(words.lte)
            : words.lt === undefined || hex < toHex(words.lt);
        const bounds = keyBounds(words);
        assert.equal(aboveLower(bounds, probe), above);
        assert.equal(belowUpper(bounds, probe), below);
        if (above && below) assert.equal(boundsAreEmpty(bounds), false);
        const padded = Uint8Array.of(9, ...probe, 9);
        assert.equal(aboveLower(bounds, padded, 1, 1 + probe.length), above);
        assert.equal(belowUpper(bounds, padded, 1, 1 + probe.length), below);
      }),
    );
  });

  it('knows when nothing can be inside', () => {
    const a = Buffer.from('a');
    const b = Buffer.from('b');
    const none = new Uint8Array(0);
    assert.equal(boundsAreEmpty(keyBounds({})), false);
    assert.equal(boundsAreEmpty(keyBounds({ gte: a, lte: a })), false);
    for (const empty of [{ gt: a, lte: a }, { gte: a, lt: a }, { gte: b, lte: a }, { lt: none }]) {
      assert.equal(boundsAreEmpty(keyBounds(empty)), true);
    }
  });

  it('keeps its own copy of the bounds', () => {
    const bound = Buffer.from('m');
    const bounds = keyBounds({ gte: bound });
    bound[0] = 0;
    assert.equal(aboveLower(bounds, Buffer.from('a')), false);
  });

  it('takes a negative limit for none', () => {
    assert.deepEqual(
      [entryLimit(undefined), entryLimit(-1), entryLimit(0), entryLimit(7)],
      [Infinity, Infinity, 0, 7],
    );
  });
});
