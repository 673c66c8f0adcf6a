import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import {
  commonPrefixLength,
  compareBytes,
  compareRanges,
  concatBytes,
  equalBytes,
  fromHex,
  toHex,
} from '../../../src/base/bytes.ts';

/** Two byte strings that share a beginning more often than chance would have it. */
const pair = fc
  .tuple(
    fc.uint8Array({ maxLength: 100 }),
    fc.uint8Array({ maxLength: 20 }),
    fc.uint8Array({ maxLength: 20 }),
  )
  .map(([prefix, a, b]) => [concatBytes([prefix, a]), concatBytes([prefix, b])] as const);

describe('bytes', () => {
  it('orders keys as unsigned bytes, a prefix first', () => {
    const sorted = ['', '00', '0000', '0001', '7f', '80', '80ff', '81', 'ff', 'ff00'].map(fromHex);
    for (const [i, a] of sorted.entries()) {
      for (const [j, b] of sorted.entries()) {
        assert.equal(Math.sign(compareBytes(a, b)), Math.sign(i - j), `${toHex(a)} ${toHex(b)}`);
      }
    }
  });

  it('compares as memcmp does at every length', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b));
        const inA = concatBytes([Uint8Array.of(7), a, Uint8Array.of(9)]);
        const inB = concatBytes([b, Uint8Array.of(8)]);
        const order = compareRanges(inA, 1, 1 + a.length, inB, 0, b.length);
        assert.equal(Math.sign(order), Buffer.compare(a, b));
        assert.equal(equalBytes(a, b), Buffer.compare(a, b) === 0);
        assert.equal(equalBytes(a, a.slice()), true);
      }),
    );
  });

  it('compares long keys to their last byte', () => {
    const a = new Uint8Array(200);
    const b = a.slice();
    assert.equal(compareBytes(a, b), 0);
    b[199] = 1;
    assert.ok(compareBytes(a, b) < 0 && compareBytes(b, a) > 0);
    assert.ok(compareBytes(a.subarray(0, 100), a) < 0);
  });

  it('finds the longest shared beginning', () => {
    fc.assert(
      fc.property(pair, ([a, b]) => {
        const length = commonPrefixLength(a, b);
        assert.deepEqual(a.subarray(0, length), b.subarray(0, length));
        if (length < Math.min(a.length, b.length)) assert.notEqual(a[length], b[length]);
      }),
    );
  });

  it('joins parts into bytes of its own', () => {
    const part = Uint8Array.of(1, 2);
    const whole = concatBytes([part, Uint8Array.of(), Uint8Array.of(3)]);
    part[0] = 9;
    assert.deepEqual([...whole], [1, 2, 3]);
  });

  it('writes hex of a view, reads it back and refuses other text', () => {
    const view = Uint8Array.of(9, 0, 0xab, 0xff, 9).subarray(1, 4);
    assert.equal(toHex(view), '00abff');
    assert.deepEqual(fromHex('00ABff'), Uint8Array.of(0, 0xab, 0xff));
    assert.throws(() => fromHex('abc'), TypeError);
    assert.throws(() => fromHex('0x'), TypeError);
  });
});
