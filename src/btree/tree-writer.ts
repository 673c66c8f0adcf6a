/**
 * Puts and deletes in the tree. Each call does all of its change or throws `PageMissing` before any
 * of it, so that the caller can bring the page and call again. Not here: records, commits and the
 * log (`commit-queue`).
 */

import { assert } from '../base/assert.ts';
import { putVarint32, putVarint53, varintLength } from '../base/coding.ts';
import { HoldfastError } from '../base/errors.ts';
import type { FreeList } from './free-list.ts';
import { META_FIELDS, entryCount, setEntryCount } from './meta-page.ts';
import { OverflowChain, writeOverflow } from './overflow.ts';
import type { PageFrame } from './btree-page-cache.ts';
import { putUint32 } from './page-format.ts';
import type { Pager } from './pager.ts';
import {
  CHILD_BYTES,
  CellCursor,
  SLOT_BYTES,
  cellBytesMax,
  copyBytes,
  freeBytes,
  leafCellLength,
  searchCells,
} from './slotted-page.ts';
import type { Cell } from './tree-cells.ts';
import { TreePath } from './tree-path.ts';
import { TreeSplice } from './tree-splice.ts';
import type { ValuePlacer } from './value-placer.ts';

/** Bytes of a key in pages of this size: so that with the longest value code it fits in a cell. */
export function keyBytesMax(pageBytes: number): number {
  return cellBytesMax(pageBytes) - SLOT_BYTES - KEY_LENGTH_BYTES - VALUE_CODE_BYTES - CHILD_BYTES;
}

const KEY_LENGTH_BYTES = 3;
/** A value has at most 2^32 bytes, and the code is twice its length. */
const VALUE_CODE_BYTES = 5;

export class TreeWriter {
  readonly pager: Pager;
  readonly freeList: FreeList;
  readonly placer: ValuePlacer;
  /** Goes up when pages of long values come back, and when changes are taken back. */
  chainChanges = 0;
  readonly #path: TreePath;
  readonly #splice: TreeSplice;
  readonly #cursor = new CellCursor();
  #scratch: Uint8Array;

  constructor(pager: Pager, freeList: FreeList, placer: ValuePlacer) {
    this.pager = pager;
    this.freeList = freeList;
    this.placer = placer;
    this.#path = new TreePath(pager);
    this.#splice = new TreeSplice(pager, freeList, this.#path);
    this.#scratch = new Uint8Array(pager.pageBytes);
  }

  /** Sets a key. @throws PageMissing, ValueUnplaced, HOLDFAST_TOO_LARGE; nothing was changed then */
  put(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    checkKey(keyEnd - keyStart, this.pager.pageBytes);
    const keyLength = keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    let length = leafCellLength(keyLength, valueLength);
    const overflows = length + SLOT_BYTES > cellBytesMax(this.pager.pageBytes);
    const placed = overflows && valueLength >= this.placer.bytesMin;
    if (placed) this.placer.require(bytes, valueStart, valueEnd);
    this.#path.descend(bytes, keyStart, keyEnd);
    const leaf = this.#path.frame(0);
    if (overflows) {
      const code = varintLength(valueLength * 2 + 1);
      length = leafCellLength(keyLength, 0) - 1 + code + CHILD_BYTES;
    }
    // Where there is room it is this page that changes. Its copy is made first, in one go through memory,
    // so that the search finds the page in the processor's caches.
    if (freeBytes(leaf.data) >= length + SLOT_BYTES) this.pager.edit(leaf);
    const found = searchCells(leaf.data, bytes, keyStart, keyEnd);
    const index = found >= 0 ? found : -1 - found;
    const old = found >= 0 ? this.#oldValue(leaf, index) : null;
    this.#splice.prepare(old?.cellBytes ?? 0, length + SLOT_BYTES);
    // From here on nothing is missing.
    let first = 0;
    if (placed) first = this.placer.take();
    else if (overflows) {
      first = writeOverflow(this.freeList, this.pager, bytes, valueStart, valueEnd);
    }
    const cell = this.#leafCell(bytes, keyStart, keyEnd, valueStart, valueEnd, first);
    assert(cell.end === length, 'a cell takes the bytes that were counted for it');
    this.#splice.splice(0, index, old === null ? 0 : 1, [cell]);
    if (old === null) this.#count(1);
    else this.#releaseAll(old.overflow);
  }

  /** Deletes a key, if it is there. @throws PageMissing; nothing was changed then */
  delete(bytes: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#path.descend(bytes, keyStart, keyEnd);
    const leaf = this.#path.frame(0);
    const index = searchCells(leaf.data, bytes, keyStart, keyEnd);
    if (index < 0) return;
    const old = this.#oldValue(leaf, index);
    this.#splice.prepare(old.cellBytes, 0);
    this.#splice.splice(0, index, 1, []);
    this.#releaseAll(old.overflow);
    this.#count(-1);
  }

  #oldValue(
    leaf: PageFrame,
    index: number,
  ): { readonly cellBytes: number; readonly overflow: readonly number[] } {
    const cursor = this.#cursor;
    cursor.at(leaf.data, index);
    const cellBytes = cursor.end - cursor.start + SLOT_BYTES;
    if (!cursor.overflows) return { cellBytes, overflow: NO_PAGES };
    const { child, valueLength } = cursor;
    const { first, length } = this.#chain ?? NO_CHAIN;
    if (this.#chain === null || first !== child || length !== valueLength) {
      this.#chain = new OverflowChain(child, valueLength);
    }
    return { cellBytes, overflow: this.#chain.find(this.pager) };
  }

  #releaseAll(numbers: readonly number[]): void {
    if (numbers.length > 0) this.chainChanges++;
    for (const number of numbers) this.freeList.releaseNumber(number);
    this.#chain = null;
  }

  /** Of the value that is being replaced or deleted, as far as its pages have been found. */
  #chain: OverflowChain | null = null;

  #leafCell(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    firstOverflow: number,
  ): Cell {
    const cell = this.#scratch;
    const start = putVarint32(cell, 0, keyEnd - keyStart);
    const end = start + keyEnd - keyStart;
    copyBytes(bytes, keyStart, keyEnd, cell, start);
    const code = (valueEnd - valueStart) * 2 + (firstOverflow === 0 ? 0 : 1);
    let at = putVarint53(cell, end, code);
    if (firstOverflow === 0) {
      copyBytes(bytes, valueStart, valueEnd, cell, at);
      at += valueEnd - valueStart;
    } else {
      putUint32(cell, at, firstOverflow);
      at += CHILD_BYTES;
    }
    return { bytes: cell, start: 0, end: at, keyStart: start, keyEnd: end };
  }

  #count(more: number): void {
    const { meta } = this.pager;
    this.pager.edit(meta);
    setEntryCount(meta.data, entryCount(meta.data) + more);
    this.#metaChanged = true;
  }

  /** Whether the entry count of the meta page is not in the record yet. */
  #metaChanged = false;

  /** After changes were taken back. */
  forget(): void {
    this.#metaChanged = false;
    this.#chain = null;
    this.chainChanges++;
    this.placer.forget();
  }

  /** Must come before the record ends: the count goes into it once. */
  finish(): void {
    if (!this.#metaChanged) return;
    this.#metaChanged = false;
    this.pager.changed(this.pager.meta, META_FIELDS.start, META_FIELDS.end);
  }
}

/** @throws HOLDFAST_TOO_LARGE */
export function checkKey(length: number, pageBytes: number): void {
  const most = keyBytesMax(pageBytes);
  if (length <= most) return;
  throw new HoldfastError(
    'HOLDFAST_TOO_LARGE',
    `a key of ${length} bytes is over the limit of ${most} for pages of ${pageBytes} bytes: ` +
      'make the store with larger pages, or use another engine',
  );
}

const NO_PAGES: readonly number[] = [];
const NO_CHAIN = { first: -1, length: -1 };
