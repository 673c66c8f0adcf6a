/**
 * Finds one key in a block without putting keys together: it is enough to know how many bytes of
 * the key that is sought the last entry began with. What is not plain (entries that share a part of
 * a trailer, damage) is left to the cursor. Not here: order, for which a block has its cursor
 * (`block-cursor`).
 */

import { compareInternal, sequenceAt, TRAILER_BYTES } from '../internal-key.ts';
import type { Block } from './block.ts';

/** What a lookup ended with; `unsure`: the cursor knows. */
export const LOOKUP = { none: 0, found: 1, unsure: 2 } as const;
export type Lookup = (typeof LOOKUP)[keyof typeof LOOKUP];

/** One lookup can be used again and again. After `LOOKUP.found` the fields say where the entry is. */
export class BlockLookup {
  /** Where the key ends, and the value begins. */
  keyEnd = 0;
  valueEnd = 0;
  /** The entry that was read last. */
  #shared = 0;
  #own = 0;
  #valueLength = 0;
  #keyAt = 0;

  /**
   * The newest entry of the user key of the internal key `target[0, length)` that is not before
   * that. REQUIRES: `sequence` is the target's, and its kind the largest.
   */
  find(block: Block, target: Uint8Array, length: number, sequence: number): Lookup {
    const { bytes, entriesEnd } = block;
    const userEnd = length - TRAILER_BYTES;
    let at = this.#startFor(block, target, length);
    if (at < 0) return LOOKUP.unsure;
    // Of the user key of the entry before: how much the target begins with, and how long it is.
    let matched = 0;
    let userLength = 0;
    while (at < entriesEnd) {
      this.#read(bytes, at);
      const shared = this.#shared;
      const keyAt = this.#keyAt;
      const keyEnd = keyAt + this.#own;
      at = keyEnd + this.#valueLength;
      const entryUser = shared + this.#own - TRAILER_BYTES;
      // A length that is none makes `at` none too.
      if (!(at <= entriesEnd) || entryUser < 0) return LOOKUP.unsure;
      if (shared > matched) {
        // It goes on as the one before, which is before the target; unless that had ended there.
        if (matched === userLength || shared > userLength + TRAILER_BYTES) return LOOKUP.unsure;
        userLength = entryUser;
        continue;
      }
      const common = entryUser < userEnd ? entryUser : userEnd;
      const own = keyAt - shared;
      matched = shared < common ? shared : common;
      while (matched < common && bytes[own + matched] === target[matched]) matched++;
      userLength = entryUser;
      if (matched < common) {
        if (bytes[own + matched]! > target[matched]!) return LOOKUP.none;
      } else if (entryUser > userEnd) {
        return LOOKUP.none;
      } else if (entryUser === userEnd) {
        if (shared > userEnd) return LOOKUP.unsure;
        if (sequenceAt(bytes, keyEnd) > sequence) continue;
        this.keyEnd = keyEnd;
        this.valueEnd = at;
        return LOOKUP.found;
      }
    }
    return LOOKUP.none;
  }

  /** Where the last restart point is whose key is before the target; -1: the cursor knows. */
  #startFor(block: Block, target: Uint8Array, length: number): number {
    const { bytes, entriesEnd, restartCount } = block;
    if (restartCount === 0) return -1;
    let left = 0;
    let right = restartCount - 1;
    while (left < right) {
      const middle = (left + right + 1) >>> 1;
      this.#read(bytes, block.restartAt(middle));
      const keyEnd = this.#keyAt + this.#own;
      const isPlain = this.#shared === 0 && this.#own >= TRAILER_BYTES && keyEnd <= entriesEnd;
      if (!isPlain) return -1;
      if (compareInternal(bytes, this.#keyAt, keyEnd, target, 0, length) < 0) left = middle;
      else right = middle - 1;
    }
    return block.restartAt(left);
  }

  #read(bytes: Uint8Array, start: number): void {
    const shared = bytes[start]!;
    const own = bytes[start + 1]!;
    const valueLength = bytes[start + 2]!;
    this.#keyAt = start + 3;
    if ((shared | own | valueLength) < 0x80) {
      this.#shared = shared;
      this.#own = own;
      this.#valueLength = valueLength;
      return;
    }
    this.#keyAt = start;
    this.#shared = this.#varint(bytes);
    this.#own = this.#varint(bytes);
    this.#valueLength = this.#varint(bytes);
  }

  /** NaN where there is none: behind the block there are no bytes. */
  #varint(bytes: Uint8Array): number {
    let value = 0;
    for (let factor = 1; factor <= 0x1000_0000; factor *= 0x80) {
      const byte = bytes[this.#keyAt++] ?? Number.NaN;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  }
}
