/**
 * The entries of the workload: key and value follow from a number, so that nothing has to be kept.
 * Keys of 16 bytes in random order, values that do not compress.
 */

import { Prng } from '../../src/base/prng.ts';
import type { Entry } from './store-contestant.ts';

const KEY_BYTES = 16;
const POOL_BYTES = 1 << 20;

/** The entries of one size of value. */
export class Workload {
  readonly #valueBytes: number;
  readonly #pool: Buffer;

  constructor(valueBytes: number) {
    this.#valueBytes = valueBytes;
    const random = new Prng(7);
    this.#pool = Buffer.alloc(POOL_BYTES + valueBytes);
    for (let at = 0; at + 4 <= this.#pool.length; at += 4) {
      this.#pool.writeUInt32LE(random.uint32(), at);
    }
  }

  /** The key of entry `number`: the same for the same number, without order among neighbours. */
  key(number: number): Buffer {
    const key = Buffer.allocUnsafe(KEY_BYTES);
    const random = new Prng(Math.imul(number + 1, 0x9e3779b1));
    for (let at = 0; at < KEY_BYTES - 4; at += 4) key.writeUInt32BE(random.uint32(), at);
    // No two entries have one key.
    key.writeUInt32BE(number, KEY_BYTES - 4);
    return key;
  }

  value(number: number): Buffer {
    const start = Math.imul(number, 40_503) & (POOL_BYTES - 1);
    return this.#pool.subarray(start, start + this.#valueBytes);
  }

  /** Entries from number `from`. */
  entries(from: number, count: number): Entry[] {
    return Array.from({ length: count }, (_, index) => [
      this.key(from + index),
      this.value(from + index),
    ]);
  }
}
