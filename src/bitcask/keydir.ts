/**
 * The ordered index of all keys: a B+tree in bytes outside the JavaScript heap. For each key it
 * knows where the newest entry is; values are in the data files. Snapshots cost nothing until
 * something is changed under them, and hold up nobody. What a page looks like is in
 * `keydir-page.ts`, copying for snapshots in `keydir-pages.ts`, walking in `keydir-cursor.ts`.
 */

import { assert } from '../base/assert.ts';
import { compareRanges } from '../base/bytes.ts';
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
  ROOM_BYTES,
  appendCells,
  appendLeafCell,
  cellAt,
  childIndex,
  childOf,
  compareCell,
  countOf,
  findCell,
  get16,
  get32,
  insertCell,
  isLeaf,
  leftmostOf,
  noteLong,
  payloadBytes,
  put16,
  put32,
  removeCell,
  setChild,
  setLeftmost,
  shortestBetween,
  splitPoint,
  storedKeyLength,
  tidyPage,
  truncateCells,
  usedBytes,
} from './keydir-page.ts';
import type { KeyLocation } from './key-location.ts';
import { KeydirPages } from './keydir-pages.ts';
import type { PagesSnapshot } from './keydir-pages.ts';

/** An inner page's cell and its slot are never larger. */
const INNER_CELL_BYTES_MAX = 2 + INNER_PAYLOAD + INLINE_KEY_BYTES_MAX + 2;
/** A page emptier than this joins a neighbour, if both fit in `JOINED_BYTES_MAX`. */
const SPARSE_BYTES = ROOM_BYTES >>> 2;
const JOINED_BYTES_MAX = (ROOM_BYTES * 3) >>> 2;
/** Deeper than any tree that memory can hold. */
const DEPTH_MAX = 24;

export class Keydir {
  readonly #pages: KeydirPages;
  readonly #scratch = new Uint8Array(PAGE_BYTES);
  /** The way from the root to a leaf: pages, and the index of the child taken in each. */
  readonly #path = new Int32Array(DEPTH_MAX);
  readonly #taken = new Int32Array(DEPTH_MAX);
  #depth = 0;
  #count: number;
  /** The leaf of the last `setNear`, which the path leads to; -1 when the tree has changed since. */
  #near = -1;
  /** Whether that is the last leaf of all. */
  #nearIsLast = false;

  /** `pages`: what it begins with, and how many keys are in them (`keydir-filler.ts`). */
  constructor(pages: KeydirPages = new KeydirPages(LEAF), count: number = 0) {
    this.#pages = pages;
    this.#count = count;
  }

  /** Keys. */
  get count(): number {
    return this.#count;
  }

  /** Bytes held, snapshots included. */
  get bytes(): number {
    return this.#pages.bytes;
  }

  get snapshotCount(): number {
    return this.#pages.snapshotCount;
  }

  /** For cursors. */
  get pages(): KeydirPages {
    return this.#pages;
  }

  /** Holds the state of now until `drop`. */
  snapshot(): PagesSnapshot {
    this.#near = -1;
    return this.#pages.takeSnapshot();
  }

  drop(snapshot: PagesSnapshot): void {
    this.#pages.dropSnapshot(snapshot);
  }

  /** Fills `location` and gives true when the key is there, in the state of now or a snapshot. */
  find(
    key: Uint8Array,
    start: number,
    end: number,
    location: KeyLocation,
    snapshot?: PagesSnapshot,
  ): boolean {
    const pages = this.#pages;
    let page = snapshot === undefined ? pages.root : snapshot.root;
    for (;;) {
      const u8 = pages.array(page);
      const base = pages.base(page);
      if (isLeaf(u8, base)) {
        const index = findCell(u8, base, pages.longKeys, key, start, end);
        if (index < 0) return false;
        location.load(u8, cellAt(u8, base, index));
        return true;
      }
      page = childOf(u8, base, childIndex(u8, base, pages.longKeys, key, start, end));
    }
  }

  /** Puts a key at a location. True when it was there before: then `before` says where. */
  set(
    key: Uint8Array,
    start: number,
    end: number,
    location: KeyLocation,
    before: KeyLocation,
  ): boolean {
    this.#near = -1;
    return this.#setIn(this.#descend(key, start, end, true), key, start, end, location, before);
  }

  /** As `set`, in less time where the key comes soon after that of the last `setNear`. */
  setNear(
    key: Uint8Array,
    start: number,
    end: number,
    location: KeyLocation,
    before: KeyLocation,
  ): boolean {
    let leaf = this.#near;
    if (leaf >= 0 && this.#nearIsLast && this.#appendTo(leaf, key, start, end, location)) {
      return false;
    }
    if (leaf < 0 || !this.#spans(key, start, end)) {
      leaf = this.#descend(key, start, end, true);
      this.#near = leaf;
      this.#nearIsLast = this.#onRightEdge();
    }
    return this.#setIn(leaf, key, start, end, location, before);
  }

  /** Puts a key behind all others, if it is; the leaf, which the path leads to, is the last one. */
  #appendTo(
    leaf: number,
    key: Uint8Array,
    start: number,
    end: number,
    location: KeyLocation,
  ): boolean {
    const pages = this.#pages;
    const u8 = pages.array(leaf);
    const base = pages.base(leaf);
    const count = countOf(u8, base);
    if (count === 0) return false;
    if (compareCell(u8, base, count - 1, pages.longKeys, key, start, end) >= 0) return false;
    this.#count++;
    if (location.expiry === 0 && end - start <= INLINE_KEY_BYTES_MAX) {
      const at = appendLeafCell(u8, base, key, start, end);
      if (at >= 0) {
        location.store(u8, at);
        return true;
      }
    }
    const isFull = usedBytes(u8, base) > LOADED_BYTES;
    if (isFull || !this.#insertEntry(leaf, count, key, start, end, location)) {
      this.#splitLeaf(leaf, count, key, start, end, location);
    }
    return true;
  }

  /**
   * Whether the path leads to where the key belongs; false when in doubt. The page above the leaf is
   * asked: it is more likely to be in the processor's caches.
   */
  #spans(key: Uint8Array, start: number, end: number): boolean {
    if (this.#depth === 0) return true;
    const pages = this.#pages;
    const above = this.#path[this.#depth - 1]!;
    const index = this.#taken[this.#depth - 1]!;
    const u8 = pages.array(above);
    const base = pages.base(above);
    if (index < 0 || compareCell(u8, base, index, pages.longKeys, key, start, end) > 0)
      return false;
    if (index + 1 === countOf(u8, base)) return this.#nearIsLast;
    return compareCell(u8, base, index + 1, pages.longKeys, key, start, end) > 0;
  }

  #setIn(
    leaf: number,
    key: Uint8Array,
    start: number,
    end: number,
    location: KeyLocation,
    before: KeyLocation,
  ): boolean {
    const pages = this.#pages;
    const u8 = pages.array(leaf);
    const base = pages.base(leaf);
    let index = findCell(u8, base, pages.longKeys, key, start, end);
    const replaced = index >= 0;
    if (replaced) {
      const at = cellAt(u8, base, index);
      before.load(u8, at);
      if ((before.expiry !== 0) === (location.expiry !== 0)) {
        location.store(u8, at);
        return true;
      }
      this.#removeFrom(u8, base, index);
    } else {
      index = ~index;
      this.#count++;
    }
    if (!this.#insertEntry(leaf, index, key, start, end, location)) {
      this.#splitLeaf(leaf, index, key, start, end, location);
    }
    return replaced;
  }

  /** Takes a key out. True when it was there: then `before` says where. */
  delete(key: Uint8Array, start: number, end: number, before: KeyLocation): boolean {
    this.#near = -1;
    // A delete of an absent key must not copy pages.
    if (!this.find(key, start, end, before)) return false;
    const pages = this.#pages;
    const leaf = this.#descend(key, start, end, false);
    const u8 = pages.array(leaf);
    const base = pages.base(leaf);
    const index = findCell(u8, base, pages.longKeys, key, start, end);
    assert(index >= 0, 'a key that was found is in its leaf');
    this.#removeFrom(u8, base, index);
    this.#count--;
    this.#joinSparse();
    return true;
  }

  /**
   * Goes to the leaf for a key, and makes every page on the way ready to be changed. With `split`,
   * every inner page on the way gets room for one more cell, however large.
   */
  #descend(key: Uint8Array, start: number, end: number, split: boolean): number {
    const pages = this.#pages;
    let page = pages.writable(pages.root);
    pages.root = page;
    this.#depth = 0;
    for (;;) {
      let u8 = pages.array(page);
      let base = pages.base(page);
      if (isLeaf(u8, base)) break;
      if (split && usedBytes(u8, base) > ROOM_BYTES - INNER_CELL_BYTES_MAX) {
        page = this.#splitInner(page, key, start, end);
        u8 = pages.array(page);
        base = pages.base(page);
      }
      const index = childIndex(u8, base, pages.longKeys, key, start, end);
      this.#path[this.#depth] = page;
      this.#taken[this.#depth] = index;
      this.#depth++;
      const child = childOf(u8, base, index);
      page = pages.writable(child);
      if (page !== child) setChild(u8, base, index, page);
    }
    this.#path[this.#depth] = page;
    return page;
  }

  #removeFrom(u8: Uint8Array, base: number, index: number): void {
    const at = cellAt(u8, base, index);
    if ((get16(u8, at) & LONG_KEY) !== 0) {
      this.#pages.dropLong(get32(u8, at + 2 + payloadBytes(u8, base)));
    }
    removeCell(u8, base, index);
  }

  /** False when the leaf is full, and nothing has changed. */
  #insertEntry(
    leaf: number,
    index: number,
    key: Uint8Array,
    start: number,
    end: number,
    location: KeyLocation,
  ): boolean {
    const extra = location.expiry === 0 ? 0 : EXPIRY_BYTES;
    const at = this.#insertKey(leaf, index, key, start, end, LEAF_PAYLOAD, extra);
    if (at < 0) return false;
    location.store(this.#pages.array(leaf), at);
    return true;
  }

  /** Makes a cell with a key; gives its place, or -1 when the page is full. */
  #insertKey(
    page: number,
    index: number,
    key: Uint8Array,
    start: number,
    end: number,
    payload: number,
    extra: number,
  ): number {
    const pages = this.#pages;
    const u8 = pages.array(page);
    const base = pages.base(page);
    const long = end - start > INLINE_KEY_BYTES_MAX;
    const stored = long ? 4 : end - start;
    const at = insertCell(u8, base, index, 2 + payload + stored + extra, this.#scratch);
    if (at < 0) return at;
    put16(u8, at, stored | (long ? LONG_KEY : 0) | (extra === 0 ? 0 : EXPIRES));
    const keyAt = at + 2 + payload;
    if (long) {
      put32(u8, keyAt, pages.keepLong(key.subarray(start, end)));
      noteLong(u8, base, 1);
    } else {
      for (let from = start, to = keyAt; from < end; from++, to++) u8[to] = key[from]!;
    }
    return at;
  }

  #splitLeaf(
    left: number,
    index: number,
    key: Uint8Array,
    start: number,
    end: number,
    location: KeyLocation,
  ): void {
    this.#near = -1;
    const pages = this.#pages;
    const u8 = pages.array(left);
    const base = pages.base(left);
    const count = countOf(u8, base);
    // Keys that come in order fill their pages: a new last one begins a page of its own.
    const point = index === count && this.#onRightEdge() ? count : splitPoint(u8, base);
    const right = pages.allocate(LEAF);
    const next = point === count ? key.subarray(start, end) : this.#keyAt(u8, base, point);
    const separator = shortestBetween(this.#keyAt(u8, base, point - 1), next);
    appendCells(u8, base, point, count, pages.array(right), pages.base(right));
    truncateCells(u8, base, point);
    this.#insertAbove(separator, right);
    const order = compareRanges(key, start, end, separator, 0, separator.length);
    const done =
      order < 0
        ? this.#insertEntry(left, index, key, start, end, location)
        : this.#insertEntry(right, index - point, key, start, end, location);
    assert(done, 'half a page has room for any cell');
  }

  /**
   * Splits the page that comes next on the path; gives the half that the key belongs to. The page
   * above has room, because it was on the path before.
   */
  #splitInner(left: number, key: Uint8Array, start: number, end: number): number {
    const pages = this.#pages;
    const u8 = pages.array(left);
    const base = pages.base(left);
    const count = countOf(u8, base);
    const point = Math.min(splitPoint(u8, base), count - 2);
    const separator = this.#keyAt(u8, base, point).slice();
    const right = pages.allocate(INNER);
    const rightBase = pages.base(right);
    setLeftmost(pages.array(right), rightBase, childOf(u8, base, point));
    appendCells(u8, base, point + 1, count, pages.array(right), rightBase);
    truncateCells(u8, base, point + 1);
    this.#removeFrom(u8, base, point);
    this.#path[this.#depth] = left;
    this.#insertAbove(separator, right);
    const goesRight = compareRanges(key, start, end, separator, 0, separator.length) >= 0;
    if (goesRight) this.#taken[this.#depth - 1]! += 1;
    return goesRight ? right : left;
  }

  /** Puts the new right half of the last page of the path beside it, into the page above. */
  #insertAbove(separator: Uint8Array, right: number): void {
    const pages = this.#pages;
    if (this.#depth === 0) {
      const root = pages.allocate(INNER);
      setLeftmost(pages.array(root), pages.base(root), pages.root);
      pages.root = root;
      this.#path[1] = this.#path[0]!;
      this.#path[0] = root;
      this.#taken[0] = -1;
      this.#depth = 1;
    }
    const above = this.#path[this.#depth - 1]!;
    const index = this.#taken[this.#depth - 1]! + 1;
    const at = this.#insertKey(above, index, separator, 0, separator.length, INNER_PAYLOAD, 0);
    assert(at >= 0, 'an inner page on the path has room for one more cell');
    put32(pages.array(above), at + 2, right);
  }

  #onRightEdge(): boolean {
    for (let above = 0; above < this.#depth; above++) {
      const page = this.#path[above]!;
      const count = countOf(this.#pages.array(page), this.#pages.base(page));
      if (this.#taken[above] !== count - 1) return false;
    }
    return true;
  }

  /** From the leaf up: pages that have become sparse join a neighbour, and empty ones go. */
  #joinSparse(): void {
    const pages = this.#pages;
    for (let depth = this.#depth; depth > 0; depth--) {
      const page = this.#path[depth]!;
      if (usedBytes(pages.array(page), pages.base(page)) >= SPARSE_BYTES) return;
      if (!this.#joinNeighbour(depth)) return;
    }
    let root = pages.root;
    while (!isLeaf(pages.array(root), pages.base(root))) {
      const u8 = pages.array(root);
      const base = pages.base(root);
      if (countOf(u8, base) > 0) break;
      const only = leftmostOf(u8, base);
      pages.release(root);
      root = only;
    }
    pages.root = root;
  }

  /** Joins the page at `depth` of the path with the one beside it; false when both stay. */
  #joinNeighbour(depth: number): boolean {
    const pages = this.#pages;
    const parent = this.#path[depth - 1]!;
    const above = pages.array(parent);
    const aboveBase = pages.base(parent);
    if (countOf(above, aboveBase) === 0) return true;
    const seam = Math.max(this.#taken[depth - 1]!, 0);
    const right = childOf(above, aboveBase, seam);
    const first = childOf(above, aboveBase, seam - 1);
    const rightU8 = pages.array(right);
    const rightBase = pages.base(right);
    const inner = !isLeaf(rightU8, rightBase);
    const separator = inner ? this.#keyAt(above, aboveBase, seam) : null;
    const rightBytes = usedBytes(rightU8, rightBase);
    const firstBytes = usedBytes(pages.array(first), pages.base(first));
    const together = rightBytes + firstBytes + (inner ? INNER_CELL_BYTES_MAX : 0);
    const oneIsEmpty = rightBytes === 0 || firstBytes === 0;
    if (together > (oneIsEmpty ? ROOM_BYTES : JOINED_BYTES_MAX)) return false;
    const left = pages.writable(first);
    if (left !== first) setChild(above, aboveBase, seam - 1, left);
    const u8 = pages.array(left);
    const base = pages.base(left);
    tidyPage(u8, base, this.#scratch);
    if (separator !== null) {
      const index = countOf(u8, base);
      const at = this.#insertKey(left, index, separator, 0, separator.length, INNER_PAYLOAD, 0);
      assert(at >= 0, 'two pages join only where there is room');
      put32(u8, at + 2, leftmostOf(rightU8, rightBase));
    }
    const count = countOf(rightU8, rightBase);
    pages.holdCopies(rightU8, rightBase, 0, count);
    appendCells(rightU8, rightBase, 0, count, u8, base);
    this.#removeFrom(above, aboveBase, seam);
    pages.release(right);
    return true;
  }

  /** The key of a cell, as a view. */
  #keyAt(u8: Uint8Array, base: number, index: number): Uint8Array {
    const at = cellAt(u8, base, index);
    const head = get16(u8, at);
    const from = at + 2 + payloadBytes(u8, base);
    if ((head & LONG_KEY) !== 0) return this.#pages.longKeys[get32(u8, from)]!;
    return u8.subarray(from, from + storedKeyLength(head));
  }
}
