/**
 * Sorted internal keys that are searched again and again: the separators of a table's index, the
 * last keys of a level's tables. What all of them begin with is kept once, and the six bytes of
 * each that follow are kept as a number, so that a search compares numbers and looks at a key only
 * where two are equal. Not here: what stands at a place.
 */

import { compareInternal, TRAILER_BYTES } from '../internal-key.ts';

/** Bytes of a key that make its number: as many as a double holds exactly. */
const HEAD_BYTES = 6;

export class KeyFences {
  readonly count: number;
  /** The keys, one after the other. */
  readonly #bytes: Uint8Array;
  /** Where each key begins, and where the last one ends. */
  readonly #starts: Uint32Array;
  /** How many first bytes the user's parts of all keys share. */
  readonly #common: number;
  readonly #heads: Float64Array;

  /** REQUIRES: the keys are in order, and each has a trailer. They are copied. */
  constructor(keys: readonly Uint8Array[]) {
    this.count = keys.length;
    this.#starts = new Uint32Array(keys.length + 1);
    let length = 0;
    for (const [index, key] of keys.entries()) {
      this.#starts[index] = length;
      length += key.length;
    }
    this.#starts[keys.length] = length;
    this.#bytes = new Uint8Array(length);
    for (const [index, key] of keys.entries()) this.#bytes.set(key, this.#starts[index]);
    this.#common = sharedByAll(keys);
    this.#heads = new Float64Array(keys.length);
    for (const [index, key] of keys.entries()) {
      this.#heads[index] = headAt(key, this.#common, key.length - TRAILER_BYTES);
    }
  }

  /** Bytes of memory. */
  get memoryBytes(): number {
    return this.#bytes.length + this.#starts.byteLength + this.#heads.byteLength;
  }

  /** The place of the first key that is not before `target[0, length)`; `count` when all are. */
  firstNotBefore(target: Uint8Array, length: number): number {
    const userEnd = length - TRAILER_BYTES;
    const bytes = this.#bytes;
    const common = this.#common;
    for (let index = 0; index < common; index++) {
      if (index >= userEnd) return 0;
      const difference = target[index]! - bytes[index]!;
      if (difference !== 0) return difference < 0 ? 0 : this.count;
    }
    const head = headAt(target, common, userEnd);
    const heads = this.#heads;
    let left = 0;
    let right = this.count;
    while (left < right) {
      const middle = (left + right) >>> 1;
      const other = heads[middle]!;
      if (other < head || (other === head && this.#isBefore(middle, target, length))) {
        left = middle + 1;
      } else {
        right = middle;
      }
    }
    return left;
  }

  #isBefore(place: number, target: Uint8Array, length: number): boolean {
    const start = this.#starts[place]!;
    const end = this.#starts[place + 1]!;
    return compareInternal(this.#bytes, start, end, target, 0, length) < 0;
  }
}

/** In order, the first and the last share what all do. */
function sharedByAll(keys: readonly Uint8Array[]): number {
  const first = keys[0];
  const last = keys.at(-1);
  if (first === undefined || last === undefined) return 0;
  const end = Math.min(first.length, last.length) - TRAILER_BYTES;
  let shared = 0;
  while (shared < end && first[shared] === last[shared]) shared++;
  return shared;
}

/** Bytes from `start` on as a number of the same order; those from `end` on count as zeros. */
function headAt(bytes: Uint8Array, start: number, end: number): number {
  if (start + HEAD_BYTES <= end) {
    const high = (bytes[start]! << 16) | (bytes[start + 1]! << 8) | bytes[start + 2]!;
    const low = (bytes[start + 3]! << 16) | (bytes[start + 4]! << 8) | bytes[start + 5]!;
    return high * 0x100_0000 + low;
  }
  let head = 0;
  for (let index = start; index < start + HEAD_BYTES; index++) {
    head = head * 0x100 + (index < end ? bytes[index]! : 0);
  }
  return head;
}
