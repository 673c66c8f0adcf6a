/**
 * A place in a block of internal keys that can be sought and moved either way. Keys are put
 * together in one buffer of the cursor's; values stay in the block. Not here: reading the block.
 */

import { compareInternal, TRAILER_BYTES } from '../internal-key.ts';
import { copyRange } from './block-builder.ts';
import type { Block } from './block.ts';

/**
 * A cursor. While `valid`, its entry is the key `key[0, keyLength)` and the value
 * `block.bytes[valueStart, valueEnd)`; both change with the next move. Every move may throw
 * HOLDFAST_CORRUPTION.
 */
export class BlockCursor {
  block: Block;
  valid = false;
  key: Uint8Array = new Uint8Array(128);
  keyLength = 0;
  valueStart = 0;
  valueEnd = 0;
  /** How many bytes of the key the entry shares with the one before. */
  sharedLength = 0;
  /** Where the current entry begins, and the next. */
  #entryStart = 0;
  #entryEnd = 0;

  constructor(block: Block) {
    this.block = block;
  }

  /** Stands in another block, before its first entry. */
  reset(block: Block): void {
    this.block = block;
    this.valid = false;
  }

  /** Where the current entry begins in the block. */
  get entryStart(): number {
    return this.#entryStart;
  }

  seekToFirst(): void {
    this.#jump(0);
    this.next();
  }

  seekToLast(): void {
    this.#jump(Math.max(0, this.block.restartCount - 1));
    this.next();
    while (this.valid && this.#entryEnd < this.block.entriesEnd) this.next();
  }

  /** Stands at the first entry whose key is not before the internal key in `target`. */
  seek(target: Uint8Array, targetLength: number): void {
    const { block } = this;
    let left = 0;
    let right = block.restartCount - 1;
    while (left < right) {
      const middle = (left + right + 1) >>> 1;
      if (this.#compareRestart(middle, target, targetLength) < 0) left = middle;
      else right = middle - 1;
    }
    this.#jump(Math.max(0, left));
    this.next();
    while (
      this.valid &&
      compareInternal(this.key, 0, this.keyLength, target, 0, targetLength) < 0
    ) {
      this.next();
    }
  }

  /** Stands at the last entry whose key is before the internal key in `target`. */
  seekBefore(target: Uint8Array, targetLength: number): void {
    this.seek(target, targetLength);
    if (this.valid) this.previous();
    else this.seekToLast();
  }

  next(): void {
    const { block } = this;
    const at = this.#entryEnd;
    if (at >= block.entriesEnd) {
      this.valid = false;
      return;
    }
    this.#entryStart = at;
    this.#entryEnd = this.#parse(at);
    this.valid = true;
  }

  /** REQUIRES: `valid`. */
  previous(): void {
    const wanted = this.#entryStart;
    if (wanted === 0) {
      this.valid = false;
      return;
    }
    this.#jump(this.#restartBefore(wanted));
    do this.next();
    while (this.valid && this.#entryEnd < wanted);
    if (!this.valid || this.#entryEnd !== wanted) {
      throw this.block.damage(`an entry that ends at ${wanted}`, `one at ${this.#entryEnd}`);
    }
  }

  /** The last restart point before an entry. */
  #restartBefore(entryStart: number): number {
    let left = 0;
    let right = this.block.restartCount - 1;
    while (left < right) {
      const middle = (left + right + 1) >>> 1;
      if (this.block.restartAt(middle) < entryStart) left = middle;
      else right = middle - 1;
    }
    return left;
  }

  /** Before the entry of a restart point. */
  #jump(restart: number): void {
    this.keyLength = 0;
    this.#entryEnd = this.block.restartCount === 0 ? 0 : this.block.restartAt(restart);
    this.valid = false;
  }

  #compareRestart(restart: number, target: Uint8Array, targetLength: number): number {
    const { block } = this;
    const { bytes } = block;
    let at = block.restartAt(restart);
    // Nearly always three lengths of one byte, the first of them zero.
    if (bytes[at] === 0 && bytes[at + 1]! < 0x80 && bytes[at + 2]! < 0x80) {
      const end = at + 3 + bytes[at + 1]!;
      if (end <= block.entriesEnd && bytes[at + 1]! >= TRAILER_BYTES) {
        return compareInternal(bytes, at + 3, end, target, 0, targetLength);
      }
    }
    this.keyLength = 0;
    at = this.#parse(at);
    return compareInternal(this.key, 0, this.keyLength, target, 0, targetLength);
  }

  /** Takes in the entry at `at` and returns where the next begins. */
  #parse(at: number): number {
    const { block } = this;
    const { bytes, entriesEnd } = block;
    let shared = bytes[at]!;
    let own = bytes[at + 1]!;
    let valueLength = bytes[at + 2]!;
    let place = at + 3;
    if ((shared | own | valueLength) >= 0x80) {
      this.#varintEnd = at;
      shared = this.#varint();
      own = this.#varint();
      valueLength = this.#varint();
      place = this.#varintEnd;
    }
    const valueStart = place + own;
    const end = valueStart + valueLength;
    if (end > entriesEnd || shared > this.keyLength || shared + own < TRAILER_BYTES) {
      const found = `${shared} + ${own} bytes of key and ${valueLength} of value`;
      throw block.damage(`an entry inside the block at ${at}`, found);
    }
    if (shared + own > this.key.length) this.#growKey(shared, shared + own);
    this.keyLength = copyRange(this.key, shared, bytes, place, valueStart);
    this.sharedLength = shared;
    this.valueStart = valueStart;
    this.valueEnd = end;
    return end;
  }

  #varintEnd = 0;

  #varint(): number {
    const { bytes, entriesEnd } = this.block;
    let value = 0;
    for (let factor = 1; factor <= 0x1000_0000; factor *= 0x80) {
      if (this.#varintEnd >= entriesEnd) break;
      const byte = bytes[this.#varintEnd++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    throw this.block.damage(`a length before ${this.#varintEnd}`, 'none');
  }

  #growKey(kept: number, length: number): void {
    const larger = new Uint8Array(2 * length);
    larger.set(this.key.subarray(0, kept));
    this.key = larger;
  }
}
