/**
 * The cells of a leaf or branch page. Behind the header stands one offset of two bytes for each
 * cell, in the order of the keys; the cells themselves fill the page from its end downwards. Every
 * cell begins with its key, so that one search serves both kinds:
 *
 *   leaf cell:    key length varint | key | value code varint | value, or first overflow page 4
 *   branch cell:  key length varint | key | child 4
 *
 * The value code is twice the value's length, plus one where overflow pages hold it. What the
 * functions here do to a page depends on the page and their arguments alone: redo does it again.
 * Not here: which page a cell belongs to (`tree-insert`, `tree-remove`).
 */

import { assert } from '../base/assert.ts';
import { compareRanges } from '../base/bytes.ts';
import { varintLength } from '../base/coding.ts';
import {
  PAGE_HEADER_BYTES,
  PAGE_KIND,
  cellCount,
  cellsOffset,
  pageKind,
  scatteredBytes,
  setCellCount,
  setCellsOffset,
  setScatteredBytes,
  uint32,
} from './page-format.ts';

/** Bytes of the offset of a cell. */
export const SLOT_BYTES = 2;
/** Bytes of a page number in a cell. */
export const CHILD_BYTES = 4;

/** Bytes that a cell may take in a page of this size, its slot included. */
export function cellBytesMax(pageBytes: number): number {
  return Math.floor((pageBytes - PAGE_HEADER_BYTES) / 3);
}

/** Bytes that cells and slots take of a page. */
export function usedBytes(page: Uint8Array): number {
  return page.length - PAGE_HEADER_BYTES - freeBytes(page);
}

/** Bytes that are left for cells and their slots. */
export function freeBytes(page: Uint8Array): number {
  return gapBytes(page) + scatteredBytes(page);
}

/** Where a cell begins. */
export function cellOffset(page: Uint8Array, index: number): number {
  const at = PAGE_HEADER_BYTES + SLOT_BYTES * index;
  return page[at]! | (page[at + 1]! << 8);
}

/** Reads a cell without an object for it: `at` fills the fields. */
export class CellCursor {
  start = 0;
  keyStart = 0;
  keyEnd = 0;
  /** Of a leaf cell. */
  valueStart = 0;
  valueLength = 0;
  /** Whether overflow pages hold the value; then `child` is the first of them. */
  overflows = false;
  /** Of a branch cell: the page below. */
  child = 0;
  end = 0;

  /** Reads the cell of an index. */
  at(page: Uint8Array, index: number): void {
    this.read(page, cellOffset(page, index), pageKind(page) === PAGE_KIND.leaf);
  }

  /** Reads a cell that begins at `start`. */
  read(bytes: Uint8Array, start: number, leaf: boolean): void {
    this.start = start;
    let place = start;
    let length = bytes[place++]!;
    if (length >= 0x80) length = (length & 0x7f) | (bytes[place]! << 7);
    // Keys are shorter than a third of 64 KiB: two or three bytes of length.
    if (length >= 0x4000) length = (length & 0x3fff) | (bytes[place + 1]! << 14);
    this.keyStart = start + keyLengthBytes(length);
    this.keyEnd = this.keyStart + length;
    place = this.keyEnd;
    if (!leaf) {
      this.child = uint32(bytes, place);
      this.end = place + CHILD_BYTES;
      return;
    }
    let code = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = bytes[place++]!;
      code += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    this.overflows = code % 2 === 1;
    this.valueLength = (code - (code % 2)) / 2;
    this.valueStart = place;
    if (this.overflows) {
      this.child = uint32(bytes, place);
      this.end = place + CHILD_BYTES;
    } else {
      this.end = place + this.valueLength;
    }
  }
}

/** Bytes of a leaf cell whose value is in it. */
export function leafCellLength(keyLength: number, valueLength: number): number {
  return keyLengthBytes(keyLength) + keyLength + varintLength(valueLength * 2) + valueLength;
}

/**
 * The place of a key: the index of its cell, or `-1 - i` where `i` is the first cell with a greater
 * key. Makes nothing: this is what every read does at every level.
 */
export function searchCells(
  page: Uint8Array,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
): number {
  let low = 0;
  let high = cellCount(page);
  const length = keyEnd - keyStart;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const slot = PAGE_HEADER_BYTES + SLOT_BYTES * middle;
    let place = page[slot]! | (page[slot + 1]! << 8);
    let cellLength = page[place++]!;
    if (cellLength >= 0x80) {
      cellLength = (cellLength & 0x7f) | (page[place++]! << 7);
      if (cellLength >= 0x4000) cellLength = (cellLength & 0x3fff) | (page[place++]! << 14);
    }
    let order = 0;
    const common = cellLength < length ? cellLength : length;
    if (common > LOOP_BYTES_MAX) {
      order = compareRanges(page, place, place + cellLength, key, keyStart, keyEnd);
    } else {
      for (let index = 0; index < common; index++) {
        order = page[place + index]! - key[keyStart + index]!;
        if (order !== 0) break;
      }
      if (order === 0) order = cellLength - length;
    }
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return -1 - low;
}

/** Of a branch page: the index of the child that a key belongs to. */
export function searchChild(
  page: Uint8Array,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
): number {
  const found = searchCells(page, key, keyStart, keyEnd);
  // The first cell has the empty key, so that every key has a child.
  return found >= 0 ? found : -2 - found;
}

/** Of a branch page: the page below a cell. */
export function childAt(page: Uint8Array, index: number): number {
  const start = cellOffset(page, index);
  let length = page[start]!;
  if (length >= 0x80) length = (length & 0x7f) | (page[start + 1]! << 7);
  if (length >= 0x4000) length = (length & 0x3fff) | (page[start + 2]! << 14);
  return uint32(page, start + keyLengthBytes(length) + length);
}

/** Puts a cell at an index. REQUIRES: room for it and its slot. */
export function insertCell(
  page: Uint8Array,
  index: number,
  cell: Uint8Array,
  start: number,
  end: number,
): void {
  const length = end - start;
  assert(freeBytes(page) >= length + SLOT_BYTES, 'a page has room for a cell');
  if (gapBytes(page) < length + SLOT_BYTES) defragment(page);
  const count = cellCount(page);
  assert(index <= count, 'a cell goes among the others or behind them');
  const slot = PAGE_HEADER_BYTES + SLOT_BYTES * index;
  const slotsEnd = PAGE_HEADER_BYTES + SLOT_BYTES * count;
  if (slotsEnd - slot > MOVE_LOOP_BYTES_MAX) page.copyWithin(slot + SLOT_BYTES, slot, slotsEnd);
  else for (let at = slotsEnd - 1; at >= slot; at--) page[at + SLOT_BYTES] = page[at]!;
  const offset = cellsOffset(page) - length;
  page[slot] = offset;
  page[slot + 1] = offset >>> 8;
  copyBytes(cell, start, end, page, offset);
  setCellsOffset(page, offset);
  setCellCount(page, count + 1);
}

/** Takes the cell of an index away. */
export function removeCell(page: Uint8Array, index: number): void {
  const count = cellCount(page);
  assert(index < count, 'a cell is there');
  const offset = cellOffset(page, index);
  const length = bytesOfCell(page, index);
  const slot = PAGE_HEADER_BYTES + SLOT_BYTES * index;
  page.copyWithin(slot, slot + SLOT_BYTES, PAGE_HEADER_BYTES + SLOT_BYTES * count);
  setCellCount(page, count - 1);
  // The lowest cell gives its room back to the gap at once.
  if (offset === cellsOffset(page)) setCellsOffset(page, offset + length);
  else setScatteredBytes(page, scatteredBytes(page) + length);
  if (count === 1) {
    setCellsOffset(page, page.length);
    setScatteredBytes(page, 0);
  }
}

/** Puts another cell in the place of one. REQUIRES: room for the difference. */
export function replaceCell(
  page: Uint8Array,
  index: number,
  cell: Uint8Array,
  start: number,
  end: number,
): void {
  if (bytesOfCell(page, index) === end - start) {
    copyBytes(cell, start, end, page, cellOffset(page, index));
    return;
  }
  removeCell(page, index);
  insertCell(page, index, cell, start, end);
}

/** Bytes of a cell, without its slot. */
export function bytesOfCell(page: Uint8Array, index: number): number {
  CURSOR.at(page, index);
  return CURSOR.end - CURSOR.start;
}

/** Moves the cells together at the end of the page, in the order of their keys. */
function defragment(page: Uint8Array): void {
  if (scratch.length < page.length) scratch = new Uint8Array(page.length);
  scratch.set(page);
  const count = cellCount(page);
  let offset = page.length;
  for (let index = 0; index < count; index++) {
    CURSOR.at(scratch, index);
    offset -= CURSOR.end - CURSOR.start;
    copyBytes(scratch, CURSOR.start, CURSOR.end, page, offset);
    const slot = PAGE_HEADER_BYTES + SLOT_BYTES * index;
    page[slot] = offset;
    page[slot + 1] = offset >>> 8;
  }
  setCellsOffset(page, offset);
  setScatteredBytes(page, 0);
}

/** Bytes between the slots and the cells. */
function gapBytes(page: Uint8Array): number {
  return cellsOffset(page) - PAGE_HEADER_BYTES - SLOT_BYTES * cellCount(page);
}

function keyLengthBytes(length: number): number {
  if (length < 0x80) return 1;
  return length < 0x4000 ? 2 : 3;
}

/** A loop beats a call out of JavaScript, and a view for it, for a key and the like. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start > COPY_LOOP_BYTES_MAX) {
    target.set(source.subarray(start, end), at);
    return;
  }
  for (let from = start, to = at; from < end; from++, to++) target[to] = source[from]!;
}

/** Up to this length a loop copies faster than a call out of JavaScript. */
const COPY_LOOP_BYTES_MAX = 48;
/** As much for moving slots. */
const MOVE_LOOP_BYTES_MAX = 32;
/** Up to this length a loop compares faster than a call out of JavaScript. */
const LOOP_BYTES_MAX = 48;
/** Nothing here waits, so that one cursor and one page of scratch serve all. */
const CURSOR = new CellCursor();
let scratch = new Uint8Array(0);
