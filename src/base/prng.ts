/**
 * Random numbers from a seed: the same seed gives the same numbers on every machine and every
 * version. For sampling and tests, never for secrets or for names that must be unique.
 */

import { assert } from './assert.ts';

/**
 * A generator with 32 bits of state (Mulberry32).
 *
 * @see https://gist.github.com/tommyettinger/46a874533244883189143505d203312c
 */
export class Prng {
  #state: number;

  /** `seed` is taken modulo 2^32. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to 2^32 - 1. */
  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** An integer from 0 to `limit` - 1. `limit` is at most 2^32. */
  below(limit: number): number {
    assert(Number.isInteger(limit) && limit > 0 && limit <= 2 ** 32, 'a limit is from 1 to 2^32');
    return Math.floor((this.uint32() / 2 ** 32) * limit);
  }

  /** True with the given chance, from 0 to 1. */
  chance(probability: number): boolean {
    return this.uint32() / 2 ** 32 < probability;
  }

  /** One of `items`, which must not be empty. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    assert(item !== undefined, 'an index below the length has an item');
    return item;
  }

  /** A copy of `items` in another order. */
  shuffled<Item>(items: readonly Item[]): Item[] {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      const held = order[last];
      const swapped = order[other];
      assert(held !== undefined && swapped !== undefined, 'both places are inside the array');
      order[last] = swapped;
      order[other] = held;
    }
    return order;
  }
}
