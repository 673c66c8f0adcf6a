import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Prng } from '../../../src/base/prng.ts';

describe('prng', () => {
  it('gives the same numbers for the same seed, on every version', () => {
    const prng = new Prng(42);
    const numbers = [prng.uint32(), prng.uint32(), prng.uint32()];
    assert.deepEqual(numbers, [2581720956, 1925393290, 3661312704]);
  });

  it('stays below the limit and reaches every number under it', () => {
    const prng = new Prng(1);
    const seen = new Set<number>();
    for (let round = 0; round < 200; round += 1) seen.add(prng.below(7));
    assert.deepEqual(
      [...seen].toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6],
    );
  });

  it('shuffles without losing or doubling anything', () => {
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = new Prng(7).shuffled(items);
    assert.notDeepEqual(shuffled, items);
    assert.deepEqual(
      shuffled.toSorted((a, b) => a - b),
      items,
    );
  });

  it('refuses a limit that no number is below', () => {
    assert.throws(() => new Prng(1).below(0), /limit/);
  });
});
