/**
 * One page of the keydir: sorted cells in 4 KiB of bytes. A leaf's cells say where the newest entry
 * of a key is; an inner page's cells lead to other pages. Functions on bytes, without state; the
 * tree is in `keydir.ts`, where pages come from in `keydir-pages.ts`.
 *
 *   header  kind 2 | count 2 | start of the heap 2 | unused bytes in the heap 2 | birth 4 |
 *           leftmost child 4 (inner pages) | cells with long keys 2 | 2 unused
 *   slots   the cells' places in the page, 2 bytes each, in key order
 *   heap    the cells, from the end of the page downwards
 *   cell    key length and flags 2 | payload (leaf: offset 4, file 2, length 2; inner: child 4) |
 *           key | expiry 8 (leaf, with its flag)
 *
 * A long key is kept elsewhere; its cell holds its number.
 */

import { commonPrefixLength, compareRanges } from '../base/bytes.ts';

export const PAGE_BYTES = 4096;
export const LEAF = 1;
export const INNER = 2;

export const PAGE_HEADER_BYTES = 20;
export const LEAF_PAYLOAD = 8;
export const INNER_PAYLOAD = 4;
export const EXPIRY_BYTES = 8;

/** Longer keys are kept elsewhere, so that a page has room for several cells. */
export const INLINE_KEY_BYTES_MAX = 480;

/** In a cell's first two bytes. */
export const LONG_KEY = 0x8000;
export const EXPIRES = 0x4000;
const KEY_LENGTH = 0x3fff;

export function get16(u8: Uint8Array, at: number): number {
  return u8[at]! | (u8[at + 1]! << 8);
}

export function put16(u8: Uint8Array, at: number, value: number): void {
  u8[at] = value;
  u8[at + 1] = value >>> 8;
}

export function get32(u8: Uint8Array, at: number): number {
  return (u8[at]! | (u8[at + 1]! << 8) | (u8[at + 2]! << 16) | (u8[at + 3]! << 24)) >>> 0;
}

export function put32(u8: Uint8Array, at: number, value: number): void {
  u8[at] = value;
  u8[at + 1] = value >>> 8;
  u8[at + 2] = value >>> 16;
  u8[at + 3] = value >>> 24;
}

export function initPage(u8: Uint8Array, base: number, kind: number, birth: number): void {
  u8.fill(0, base, base + PAGE_HEADER_BYTES);
  put16(u8, base, kind);
  put16(u8, base + 4, PAGE_BYTES);
  put32(u8, base + 8, birth);
}

export function isLeaf(u8: Uint8Array, base: number): boolean {
  return u8[base] === LEAF;
}

export function countOf(u8: Uint8Array, base: number): number {
  return get16(u8, base + 2);
}

export function birthOf(u8: Uint8Array, base: number): number {
  return get32(u8, base + 8);
}

export function setBirth(u8: Uint8Array, base: number, birth: number): void {
  put32(u8, base + 8, birth);
}

export function leftmostOf(u8: Uint8Array, base: number): number {
  return get32(u8, base + 12);
}

export function setLeftmost(u8: Uint8Array, base: number, child: number): void {
  put32(u8, base + 12, child);
}

/** Cells whose keys are kept elsewhere. */
export function longCount(u8: Uint8Array, base: number): number {
  return get16(u8, base + 16);
}

export function payloadBytes(u8: Uint8Array, base: number): number {
  return u8[base] === LEAF ? LEAF_PAYLOAD : INNER_PAYLOAD;
}

/** Where cell `index` is in the array. */
export function cellAt(u8: Uint8Array, base: number, index: number): number {
  return base + get16(u8, base + PAGE_HEADER_BYTES + 2 * index);
}

/** Bytes of the cell's key as it lies in the cell: 4, its number, for a long one. */
export function storedKeyLength(head: number): number {
  return (head & LONG_KEY) !== 0 ? 4 : head & KEY_LENGTH;
}

function cellBytes(u8: Uint8Array, at: number, payload: number): number {
  const head = get16(u8, at);
  return 2 + payload + storedKeyLength(head) + ((head & EXPIRES) !== 0 ? EXPIRY_BYTES : 0);
}

/** Bytes in use by cells and slots. */
export function usedBytes(u8: Uint8Array, base: number): number {
  const heap = PAGE_BYTES - get16(u8, base + 4) - get16(u8, base + 6);
  return heap + 2 * countOf(u8, base);
}

/** Bytes that a page has for cells and slots. */
export const ROOM_BYTES: number = PAGE_BYTES - PAGE_HEADER_BYTES;

/** So full are pages that keys fill in order, many at once: those that come between have room. */
export const LOADED_BYTES: number = (ROOM_BYTES * 7) >>> 3;

/** The shortest key above `low` and not above `high`, which is larger. */
export function shortestBetween(low: Uint8Array, high: Uint8Array): Uint8Array {
  return high.slice(0, Math.min(commonPrefixLength(low, high) + 1, high.length));
}

/**
 * The index of the cell with this key, or `~index` of the first cell with a larger one.
 */
export function findCell(
  u8: Uint8Array,
  base: number,
  longKeys: readonly (Uint8Array | undefined)[],
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
): number {
  const keyOffset = 2 + (u8[base] === LEAF ? LEAF_PAYLOAD : INNER_PAYLOAD);
  const keyLength = keyEnd - keyStart;
  let low = 0;
  let high = u8[base + 2]! | (u8[base + 3]! << 8);
  const slots = base + PAGE_HEADER_BYTES;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const slot = slots + 2 * middle;
    const at = base + (u8[slot]! | (u8[slot + 1]! << 8));
    const head = u8[at]! | (u8[at + 1]! << 8);
    let order: number;
    if ((head & LONG_KEY) === 0) {
      const length = head & KEY_LENGTH;
      const common = length < keyLength ? length : keyLength;
      const from = at + keyOffset;
      order = length - keyLength;
      for (let index = 0; index < common; index++) {
        const difference = u8[from + index]! - key[keyStart + index]!;
        if (difference !== 0) {
          order = difference;
          break;
        }
      }
    } else {
      const long = longKeys[get32(u8, at + keyOffset)]!;
      order = compareRanges(long, 0, long.length, key, keyStart, keyEnd);
    }
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return ~low;
}

/** Negative when the cell's key comes before this one, positive when behind it. */
export function compareCell(
  u8: Uint8Array,
  base: number,
  index: number,
  longKeys: readonly (Uint8Array | undefined)[],
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
): number {
  const slot = base + PAGE_HEADER_BYTES + 2 * index;
  const at = base + (u8[slot]! | (u8[slot + 1]! << 8));
  const head = u8[at]! | (u8[at + 1]! << 8);
  const from = at + 2 + (u8[base] === LEAF ? LEAF_PAYLOAD : INNER_PAYLOAD);
  if ((head & LONG_KEY) !== 0) {
    const long = longKeys[get32(u8, from)]!;
    return compareRanges(long, 0, long.length, key, keyStart, keyEnd);
  }
  const length = head & KEY_LENGTH;
  const keyLength = keyEnd - keyStart;
  const common = length < keyLength ? length : keyLength;
  for (let place = 0; place < common; place++) {
    const difference = u8[from + place]! - key[keyStart + place]!;
    if (difference !== 0) return difference;
  }
  return length - keyLength;
}

/** The page to go on with from an inner page, as an index: -1 is the leftmost child. */
export function childIndex(
  u8: Uint8Array,
  base: number,
  longKeys: readonly (Uint8Array | undefined)[],
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
): number {
  const found = findCell(u8, base, longKeys, key, keyStart, keyEnd);
  return found >= 0 ? found : ~found - 1;
}

export function childOf(u8: Uint8Array, base: number, index: number): number {
  return index < 0 ? leftmostOf(u8, base) : get32(u8, cellAt(u8, base, index) + 2);
}

export function setChild(u8: Uint8Array, base: number, index: number, child: number): void {
  if (index < 0) setLeftmost(u8, base, child);
  else put32(u8, cellAt(u8, base, index) + 2, child);
}

/**
 * Makes room for a cell of `length` bytes at `index` and gives its place in the array; -1 when the
 * page has no room, and nothing has changed. `scratch` is a page's worth of bytes.
 */
export function insertCell(
  u8: Uint8Array,
  base: number,
  index: number,
  length: number,
  scratch: Uint8Array,
): number {
  const count = countOf(u8, base);
  const slotsEnd = PAGE_HEADER_BYTES + 2 * count + 2;
  let heap = get16(u8, base + 4);
  if (heap - length < slotsEnd) {
    if (heap + get16(u8, base + 6) - length < slotsEnd) return -1;
    tidyPage(u8, base, scratch);
    heap = get16(u8, base + 4);
  }
  heap -= length;
  const slot = base + PAGE_HEADER_BYTES + 2 * index;
  if (index < count) u8.copyWithin(slot + 2, slot, base + PAGE_HEADER_BYTES + 2 * count);
  put16(u8, slot, heap);
  put16(u8, base + 2, count + 1);
  put16(u8, base + 4, heap);
  return base + heap;
}

/**
 * Makes a cell behind all others of a leaf, for a short key that never expires, and gives its place;
 * -1 when the leaf is full of loaded keys, and nothing has changed. In one piece, for the sake of
 * loading: what is shared with other kinds of arrays is slower.
 */
export function appendLeafCell(
  u8: Uint8Array,
  base: number,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
): number {
  const slots = 2 * (u8[base + 2]! | (u8[base + 3]! << 8));
  const length = keyEnd - keyStart;
  const heap = (u8[base + 4]! | (u8[base + 5]! << 8)) - 2 - LEAF_PAYLOAD - length;
  const slot = PAGE_HEADER_BYTES + slots;
  if (heap < slot + 2 || usedBytes(u8, base) > LOADED_BYTES) return -1;
  u8[base + slot] = heap;
  u8[base + slot + 1] = heap >>> 8;
  u8[base + 2] = slots / 2 + 1;
  u8[base + 3] = (slots / 2 + 1) >>> 8;
  u8[base + 4] = heap;
  u8[base + 5] = heap >>> 8;
  const at = base + heap;
  u8[at] = length;
  u8[at + 1] = length >>> 8;
  const shift = at + 2 + LEAF_PAYLOAD - keyStart;
  for (let from = keyStart; from < keyEnd; from++) u8[from + shift] = key[from]!;
  return at;
}

/** Says that the cell just inserted has a long key. */
export function noteLong(u8: Uint8Array, base: number, change: 1 | -1): void {
  put16(u8, base + 16, longCount(u8, base) + change);
}

/** Takes a cell out. A long key's number is the caller's to give up. */
export function removeCell(u8: Uint8Array, base: number, index: number): void {
  const at = cellAt(u8, base, index);
  if ((get16(u8, at) & LONG_KEY) !== 0) noteLong(u8, base, -1);
  const length = cellBytes(u8, at, payloadBytes(u8, base));
  const count = countOf(u8, base);
  const slot = base + PAGE_HEADER_BYTES + 2 * index;
  u8.copyWithin(slot, slot + 2, base + PAGE_HEADER_BYTES + 2 * count);
  put16(u8, base + 2, count - 1);
  put16(u8, base + 6, get16(u8, base + 6) + length);
}

/** Moves all cells together, so that the free bytes are in one piece. `scratch` is a page's worth. */
export function tidyPage(u8: Uint8Array, base: number, scratch: Uint8Array): void {
  const payload = payloadBytes(u8, base);
  const count = countOf(u8, base);
  scratch.set(u8.subarray(base, base + PAGE_BYTES));
  let heap = PAGE_BYTES;
  for (let index = 0; index < count; index++) {
    const at = cellAt(scratch, 0, index);
    const length = cellBytes(scratch, at, payload);
    heap -= length;
    copyBytes(scratch, at, u8, base + heap, length);
    put16(u8, base + PAGE_HEADER_BYTES + 2 * index, heap);
  }
  put16(u8, base + 4, heap);
  put16(u8, base + 6, 0);
}

/** Copies cells `from` to before `to` to the end of another page, which has room for them. */
export function appendCells(
  source: Uint8Array,
  sourceBase: number,
  from: number,
  to: number,
  target: Uint8Array,
  targetBase: number,
): void {
  const payload = payloadBytes(source, sourceBase);
  let count = countOf(target, targetBase);
  let heap = get16(target, targetBase + 4);
  let long = longCount(target, targetBase);
  for (let index = from; index < to; index++) {
    const at = cellAt(source, sourceBase, index);
    const length = cellBytes(source, at, payload);
    if ((get16(source, at) & LONG_KEY) !== 0) long++;
    heap -= length;
    copyBytes(source, at, target, targetBase + heap, length);
    put16(target, targetBase + PAGE_HEADER_BYTES + 2 * count++, heap);
  }
  put16(target, targetBase + 2, count);
  put16(target, targetBase + 4, heap);
  put16(target, targetBase + 16, long);
}

/** Drops cells from `count` on; their bytes become unused. Long keys have gone elsewhere. */
export function truncateCells(u8: Uint8Array, base: number, count: number): void {
  const payload = payloadBytes(u8, base);
  let unused = get16(u8, base + 6);
  let long = longCount(u8, base);
  for (let index = count; index < countOf(u8, base); index++) {
    const at = cellAt(u8, base, index);
    unused += cellBytes(u8, at, payload);
    if ((get16(u8, at) & LONG_KEY) !== 0) long--;
  }
  put16(u8, base + 2, count);
  put16(u8, base + 6, unused);
  put16(u8, base + 16, long);
}

/** How many cells stay in the left page when it is split into halves of about equal bytes. */
export function splitPoint(u8: Uint8Array, base: number): number {
  const payload = payloadBytes(u8, base);
  const count = countOf(u8, base);
  const half = usedBytes(u8, base) / 2;
  let bytes = 0;
  for (let index = 0; index < count - 1; index++) {
    bytes += cellBytes(u8, cellAt(u8, base, index), payload) + 2;
    if (bytes >= half) return index + 1;
  }
  return count - 1;
}

/** Cells are short: for them a loop is faster than a call out of JavaScript. */
function copyBytes(
  source: Uint8Array,
  from: number,
  target: Uint8Array,
  to: number,
  length: number,
): void {
  if (length > 64) {
    target.set(source.subarray(from, from + length), to);
    return;
  }
  for (let index = 0; index < length; index++) target[to + index] = source[from + index]!;
}
