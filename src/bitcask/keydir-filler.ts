/**
 * Makes a keydir of keys that come in order, page by page from the left: nothing is looked for, and
 * nothing is moved. Not here: where the keys come from (`index-loading.ts`).
 */

import { assert } from '../base/assert.ts';
import {
  EXPIRES,
  EXPIRY_BYTES,
  INLINE_KEY_BYTES_MAX,
  INNER,
  INNER_PAYLOAD,
  LEAF,
  LEAF_PAYLOAD,
  LOADED_BYTES,
  LONG_KEY,
  PAGE_BYTES,
  PAGE_HEADER_BYTES,
  cellAt,
  countOf,
  get16,
  get32,
  insertCell,
  noteLong,
  put16,
  put32,
  setLeftmost,
  shortestBetween,
  storedKeyLength,
  usedBytes,
} from './keydir-page.ts';
import { KeydirPages } from './keydir-pages.ts';
import { Keydir } from './keydir.ts';

const TWO_TO_32 = 0x1_0000_0000;

export class KeydirFiller {
  readonly #pages = new KeydirPages(LEAF);
  readonly #scratch = new Uint8Array(PAGE_BYTES);
  /** The last page of each level above the leaves, the lowest first. */
  readonly #above: number[] = [];
  /** Keys so far. */
  keys = 0;
  /** The array and place of the last leaf, and what its header will say: see `index-filling.ts`. */
  u8: Buffer;
  base: number;
  count = 0;
  heap: number = PAGE_BYTES;
  #leaf: number;

  constructor() {
    this.#leaf = this.#pages.root;
    this.u8 = this.#pages.array(this.#leaf);
    this.base = this.#pages.base(this.#leaf);
  }

  /** Puts the first `length` bytes of `key`, a key behind all that came before, at a location. */
  add(
    key: Uint8Array,
    length: number,
    file: number,
    offset: number,
    lengthCode: number,
    expiry: number,
  ): void {
    const isLong = length > INLINE_KEY_BYTES_MAX;
    const stored = isLong ? 4 : length;
    const bytes = 2 + LEAF_PAYLOAD + stored + (expiry === 0 ? 0 : EXPIRY_BYTES);
    let slots = 2 * this.count;
    const isFull = PAGE_BYTES - this.heap + slots > LOADED_BYTES;
    if (isFull || this.heap - bytes < PAGE_HEADER_BYTES + slots + 2) {
      this.#nextLeaf(key.subarray(0, length));
      slots = 0;
    }
    const u8 = this.u8;
    const base = this.base;
    this.heap -= bytes;
    const at = base + this.heap;
    const slot = base + PAGE_HEADER_BYTES + slots;
    const head = stored | (isLong ? LONG_KEY : 0) | (expiry === 0 ? 0 : EXPIRES);
    // As `put16` and `put32` have it, which know many kinds of arrays.
    u8[slot] = this.heap;
    u8[slot + 1] = this.heap >>> 8;
    u8[at] = head;
    u8[at + 1] = head >>> 8;
    u8[at + 2] = offset;
    u8[at + 3] = offset >>> 8;
    u8[at + 4] = offset >>> 16;
    u8[at + 5] = offset >>> 24;
    u8[at + 6] = file;
    u8[at + 7] = file >>> 8;
    u8[at + 8] = lengthCode;
    u8[at + 9] = lengthCode >>> 8;
    const keyAt = at + 2 + LEAF_PAYLOAD;
    if (isLong) this.#keepLong(u8, base, keyAt, key.subarray(0, length));
    else for (let index = 0; index < length; index++) u8[keyAt + index] = key[index]!;
    if (expiry !== 0) {
      put32(u8, keyAt + stored, expiry);
      put32(u8, keyAt + stored + 4, Math.floor(expiry / TWO_TO_32));
    }
    this.count++;
    this.keys++;
  }

  /** Cells have been put into the leaf by somebody else: it has `count` now, which begin at `heap`. */
  take(heap: number, count: number): void {
    this.keys += count - this.count;
    this.heap = heap;
    this.count = count;
  }

  /** The keydir of all keys that were added. Nothing may be added any more. */
  finish(): Keydir {
    this.#endLeaf();
    return new Keydir(this.#pages, this.keys);
  }

  #endLeaf(): void {
    put16(this.u8, this.base + 2, this.count);
    put16(this.u8, this.base + 4, this.heap);
  }

  /** Goes on in a new leaf, which begins with `key`. */
  #nextLeaf(key: Uint8Array): void {
    this.#endLeaf();
    const separator = shortestBetween(this.#lastKey(), key);
    const left = this.#leaf;
    this.#leaf = this.#pages.allocate(LEAF);
    this.u8 = this.#pages.array(this.#leaf);
    this.base = this.#pages.base(this.#leaf);
    this.count = 0;
    this.heap = PAGE_BYTES;
    this.#insertAbove(0, left, separator, this.#leaf);
  }

  /** The key of the last cell of the leaf, as a view. */
  #lastKey(): Uint8Array {
    const u8 = this.u8;
    const at = cellAt(u8, this.base, this.count - 1);
    const head = get16(u8, at);
    const from = at + 2 + LEAF_PAYLOAD;
    if ((head & LONG_KEY) !== 0) return this.#pages.longKeys[get32(u8, from)]!;
    return u8.subarray(from, from + storedKeyLength(head));
  }

  /** Puts a page beside `left`, the last one of its level, into the last page above them. */
  #insertAbove(level: number, left: number, separator: Uint8Array, right: number): void {
    const pages = this.#pages;
    let above = this.#above[level];
    if (above === undefined) {
      above = this.#newInner(level, left);
      pages.root = above;
    }
    const u8 = pages.array(above);
    const base = pages.base(above);
    if (usedBytes(u8, base) > LOADED_BYTES) {
      // The separator goes up: all of the new page is on its right side.
      this.#insertAbove(level + 1, above, separator, this.#newInner(level, right));
      return;
    }
    const isLong = separator.length > INLINE_KEY_BYTES_MAX;
    const stored = isLong ? 4 : separator.length;
    const bytes = 2 + INNER_PAYLOAD + stored;
    const at = insertCell(u8, base, countOf(u8, base), bytes, this.#scratch);
    assert(at >= 0, 'a page that is not full has room for a separator');
    put16(u8, at, stored | (isLong ? LONG_KEY : 0));
    put32(u8, at + 2, right);
    const keyAt = at + 2 + INNER_PAYLOAD;
    if (isLong) this.#keepLong(u8, base, keyAt, separator);
    else u8.set(separator, keyAt);
  }

  /** The new last page of a level above the leaves. */
  #newInner(level: number, leftmost: number): number {
    const page = this.#pages.allocate(INNER);
    setLeftmost(this.#pages.array(page), this.#pages.base(page), leftmost);
    this.#above[level] = page;
    return page;
  }

  #keepLong(u8: Uint8Array, base: number, at: number, key: Uint8Array): void {
    put32(u8, at, this.#pages.keepLong(key));
    noteLong(u8, base, 1);
  }
}
