/**
 * The layout of every page of a B+tree file: a header of 32 bytes, and what its kind puts behind.
 * Only the header is here; `slotted-page` has the cells of leaf and branch pages. The whole of it
 * with worked bytes: `docs/formats/btree.md`.
 *
 *   checksum 4 | page number 4 | log position 8 | kind 1 | level 1 | count 2 | cells offset 4 |
 *   free bytes 4 | next 4
 *
 * The checksum is the masked CRC-32C of all that follows it. Integers are little-endian. The log
 * position is the sequence number of the log record with the last change of the page: a page says
 * itself which part of the log it has seen.
 */

import { assert } from '../base/assert.ts';
import { crc32c, maskCrc32c } from '../base/crc32c.ts';

/** Bytes before what a kind of page puts into it. */
export const PAGE_HEADER_BYTES = 32;
/** Bytes of a page, of which a file has one size from its creation on: a power of two. */
export const PAGE_BYTES_MIN = 4096;
export const PAGE_BYTES_MAX = 65_536;
export const PAGE_BYTES_DEFAULT = 4096;
/** Pages of a file: a page number is 32 bits. */
export const PAGE_COUNT_MAX: number = 2 ** 32 - 1;

/** What a page is. The values are those on the disk. */
export const PAGE_KIND = {
  /** Never written, or given back: of no meaning. */
  none: 0,
  meta: 1,
  leaf: 2,
  branch: 3,
  overflow: 4,
  freeList: 5,
} as const;

const NUMBER_AT = 4;
const POSITION_AT = 8;
const KIND_AT = 16;
const LEVEL_AT = 17;
const COUNT_AT = 18;
const CELLS_AT = 20;
const FREE_AT = 24;
const NEXT_AT = 28;

/** Makes a page empty: nothing of what was there before is left. */
export function formatPage(page: Uint8Array, number: number, kind: number, level: number): void {
  page.fill(0);
  putUint32(page, NUMBER_AT, number);
  page[KIND_AT] = kind;
  page[LEVEL_AT] = level;
  putUint32(page, CELLS_AT, page.length);
}

export function pageNumber(page: Uint8Array): number {
  return uint32(page, NUMBER_AT);
}

/** Sequence number of the log record that has the last change of this page; 0: none has. */
export function pagePosition(page: Uint8Array): number {
  return uint32(page, POSITION_AT + 4) * 2 ** 32 + uint32(page, POSITION_AT);
}

export function setPagePosition(page: Uint8Array, position: number): void {
  assert(Number.isSafeInteger(position) && position >= 0, 'a log position is an integer from 0');
  putUint32(page, POSITION_AT, position >>> 0);
  putUint32(page, POSITION_AT + 4, Math.floor(position / 2 ** 32));
}

/** One of `PAGE_KIND`. */
export function pageKind(page: Uint8Array): number {
  return page[KIND_AT]!;
}

/** Of a leaf or branch: how many levels are below it. A leaf has none. */
export function pageLevel(page: Uint8Array): number {
  return page[LEVEL_AT]!;
}

/** Of a leaf or branch: its cells. */
export function cellCount(page: Uint8Array): number {
  return page[COUNT_AT]! | (page[COUNT_AT + 1]! << 8);
}

export function setCellCount(page: Uint8Array, count: number): void {
  page[COUNT_AT] = count;
  page[COUNT_AT + 1] = count >>> 8;
}

/** Of a leaf or branch: where its cells begin, which grow from the end of the page downwards. */
export function cellsOffset(page: Uint8Array): number {
  return uint32(page, CELLS_AT);
}

export function setCellsOffset(page: Uint8Array, offset: number): void {
  putUint32(page, CELLS_AT, offset);
}

/** Of a leaf or branch: bytes between its cells that removed ones have left. */
export function scatteredBytes(page: Uint8Array): number {
  return uint32(page, FREE_AT);
}

export function setScatteredBytes(page: Uint8Array, bytes: number): void {
  putUint32(page, FREE_AT, bytes);
}

/** Of an overflow page: the page with the bytes that follow, 0 at the last. */
export function nextPage(page: Uint8Array): number {
  return uint32(page, NEXT_AT);
}

export function setNextPage(page: Uint8Array, next: number): void {
  putUint32(page, NEXT_AT, next);
}

/** Puts the checksum of the page as it is. */
export function sealPage(page: Uint8Array): void {
  putUint32(page, 0, maskCrc32c(crc32c(page, NUMBER_AT, page.length)));
}

/** What is wrong with a page that was read, or null: its checksum and its number are right. */
export function pageFault(
  page: Uint8Array,
  number: number,
): { readonly expected: string; readonly found: string } | null {
  const computed = maskCrc32c(crc32c(page, NUMBER_AT, page.length));
  const stored = uint32(page, 0);
  if (stored !== computed) {
    return { expected: `checksum ${hex(computed)} of page ${number}`, found: hex(stored) };
  }
  const found = pageNumber(page);
  return found === number ? null : { expected: `page ${number}`, found: `page ${found}` };
}

export function uint32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
