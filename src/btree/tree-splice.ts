/**
 * The one change of a tree: at a page of a path, some cells go and others come. What does not fit,
 * or leaves too little behind, is spread over the page and its sibling, or a new page, and the
 * parent's cells change accordingly, up to the root. Every page but the root and the last of its
 * level stays at least a third full: a cell takes at most a third of a page, so that two pages can
 * always be made of what is too much for one. The key of a branch page's first child counts for it,
 * although it stands above.
 *
 * REQUIRES: `prepare` has been called for the same change: it brings what the change may need, and
 * may throw `PageMissing`. `splice` never does.
 */

import { assert } from '../base/assert.ts';
import { putVarint32, varintLength } from '../base/coding.ts';
import type { FreeList } from './free-list.ts';
import { META_FIELDS, setRootPage } from './meta-page.ts';
import type { PageFrame } from './btree-page-cache.ts';
import {
  PAGE_HEADER_BYTES,
  PAGE_KIND,
  cellCount,
  pageKind,
  pageLevel,
  putUint32,
} from './page-format.ts';
import type { Pager } from './pager.ts';
import {
  CHILD_BYTES,
  CellCursor,
  SLOT_BYTES,
  cellBytesMax,
  bytesOfCell,
  childAt,
  insertCell,
  usedBytes,
} from './slotted-page.ts';
import type { TreePath } from './tree-path.ts';

/** A cell in an array of bytes that does not change meanwhile. */
export interface Cell {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly keyStart: number;
  readonly keyEnd: number;
}

/** A sibling with this share of its room free takes cells before a new page is made. */
const SIBLING_FREE_SHARE = 1 / 5;

export class TreeSplice {
  readonly #pager: Pager;
  readonly #freeList: FreeList;
  readonly #path: TreePath;
  readonly #cursor = new CellCursor();

  constructor(pager: Pager, freeList: FreeList, path: TreePath) {
    this.#pager = pager;
    this.#freeList = freeList;
    this.#path = path;
  }

  /**
   * Brings the pages that a change of the leaf by so many bytes may need.
   * @throws PageMissing; nothing was changed then
   */
  prepare(removedBytes: number, addedBytes: number): void {
    const path = this.#path;
    const used = usedBytes(path.frame(0).data) - removedBytes + addedBytes;
    if (used <= this.#capacity && !this.#tooEmpty(0, used)) return;
    if (used <= this.#capacity) this.#bringSibling(0);
    // A page above may lose a cell, or get a shorter one.
    for (let level = 1; level < path.height; level++) {
      const least = usedBytes(path.frame(level).data) - cellBytesMax(this.#pager.pageBytes);
      if (least >= this.#bytesMin) return;
      this.#bringSibling(level);
    }
  }

  /** Takes `removed` cells away at an index of the page of a level, and puts others there. */
  splice(level: number, index: number, removed: number, added: readonly Cell[]): void {
    const frame = this.#path.frame(level);
    let used = usedBytes(frame.data);
    for (let at = index; at < index + removed; at++) {
      used -= bytesOfCell(frame.data, at) + SLOT_BYTES;
    }
    for (const cell of added) used += cell.end - cell.start + SLOT_BYTES;
    if (used <= this.#capacity && !this.#tooEmpty(level, used)) {
      this.#inPlace(frame, index, removed, added);
      if (level > 0 && level === this.#path.height && cellCount(frame.data) === 1) {
        this.#lowerRoot(frame);
      }
      return;
    }
    this.#spread(level, index, removed, added, used);
  }

  /**
   * Joins the leaf of the path with the one to the right of it under the same parent, where both fit
   * in so much of a page. False: they do not, or there is none.
   * @throws PageMissing; nothing was changed then
   */
  joinRight(share: number): boolean {
    const path = this.#path;
    if (path.height === 0) return false;
    const parent = path.frame(1);
    const index = path.index(0);
    if (index + 1 >= cellCount(parent.data)) return false;
    const left = path.frame(0);
    const right = this.#pager.frame(childAt(parent.data, index + 1));
    const used = usedBytes(left.data) + usedBytes(right.data);
    if (used > this.#capacity * share) return false;
    // A page above may lose a cell.
    for (let level = 1; level < path.height; level++) this.#bringSibling(level);
    this.#rewrite(0, [left, right], index, [...this.#cells(left), ...this.#cells(right)], -1);
    return true;
  }

  get #capacity(): number {
    return this.#pager.pageBytes - PAGE_HEADER_BYTES;
  }

  /** A third of a page: what a page must hold. */
  get #bytesMin(): number {
    return Math.ceil(this.#capacity / 3);
  }

  /** Whether the page of a level must not hold so little, and has somebody to join with. */
  #tooEmpty(level: number, used: number): boolean {
    if (used >= this.#bytesMin || level === this.#path.height) return false;
    if (this.#path.siblingIndex(level) < 0) return false;
    return used === 0 || !this.#path.isRightMost(level);
  }

  #bringSibling(level: number): void {
    if (this.#path.siblingIndex(level) >= 0) this.#pager.frame(this.#path.sibling(level));
  }

  #inPlace(frame: PageFrame, index: number, removed: number, added: readonly Cell[]): void {
    const pager = this.#pager;
    const [cell] = added;
    if (removed === 1 && added.length === 1 && cell !== undefined) {
      pager.replaceCell(frame, index, cell.bytes, cell.start, cell.end);
      return;
    }
    for (let left = removed; left > 0; left--) pager.removeCell(frame, index);
    let at = index;
    for (const { bytes, start, end } of added) pager.insertCell(frame, at++, bytes, start, end);
  }

  /** Makes one or two pages of the page and, where it helps, its sibling. */
  #spread(
    level: number,
    index: number,
    removed: number,
    added: readonly Cell[],
    used: number,
  ): void {
    const path = this.#path;
    const frame = path.frame(level);
    const cells = this.#cells(frame);
    const appends = index === cells.length && path.isRightMost(level);
    cells.splice(index, removed, ...added);
    const alone = level === path.height || appends;
    if (!alone && this.#spreadWith(level, frame, cells, used)) return;
    this.#rewrite(level, [frame], path.index(level), cells, appends ? cells.length - 1 : -1);
  }

  /** Spreads the cells of a page over it and its sibling. False: the page is split by itself. */
  #spreadWith(level: number, frame: PageFrame, own: readonly Cell[], used: number): boolean {
    const sibling = this.#partner(level, used);
    if (sibling === null) return false;
    const path = this.#path;
    const siblingIndex = path.siblingIndex(level);
    const onTheRight = siblingIndex > path.index(level);
    const left = onTheRight ? path.index(level) : siblingIndex;
    const cells = [...own];
    const others = this.#cells(sibling);
    // The first key of a branch page stands in its parent.
    if (level > 0) {
      const right = onTheRight ? others : cells;
      right[0] = this.#withKey(right[0], level, left + 1);
    }
    const all = onTheRight ? [...cells, ...others] : [...others, ...cells];
    if (used > this.#capacity && !this.#fitsInTwo(all)) return false;
    this.#rewrite(level, onTheRight ? [frame, sibling] : [sibling, frame], left, all, -1);
    return true;
  }

  /** Whether halves of the cells fit into a page each, wherever the middle falls. */
  #fitsInTwo(cells: readonly Cell[]): boolean {
    let total = 0;
    let longest = 0;
    for (const { start, end } of cells) {
      total += end - start + SLOT_BYTES;
      longest = Math.max(longest, end - start + SLOT_BYTES);
    }
    return total <= 2 * this.#capacity - 2 * longest;
  }

  /** The sibling that takes part, or null: the page is split by itself. */
  #partner(level: number, used: number): PageFrame | null {
    if (this.#path.siblingIndex(level) < 0) return null;
    const sibling = this.#pager.cache.peek(this.#path.sibling(level));
    if (used <= this.#capacity) {
      assert(sibling !== undefined, 'the sibling of a page that is too empty was brought');
      return sibling;
    }
    if (sibling === undefined) return null;
    const free = this.#capacity - usedBytes(sibling.data);
    return free < this.#capacity * SIBLING_FREE_SHARE ? null : sibling;
  }

  /**
   * Fills pages that stand side by side with cells, and tells their parent. `at`: where the second
   * page begins; -1: in the middle.
   */
  #rewrite(
    level: number,
    frames: readonly PageFrame[],
    parentIndex: number,
    cells: readonly Cell[],
    at: number,
  ): void {
    const [first, second] = frames;
    assert(first !== undefined, 'there is a page to fill');
    const kind = pageKind(first.data);
    let total = 0;
    for (const cell of cells) total += cell.end - cell.start + SLOT_BYTES;
    if (total <= this.#capacity) {
      this.#fill(first, kind, level, cells);
      if (second === undefined) return;
      this.#freeList.release(second);
      this.splice(level + 1, parentIndex + 1, 1, []);
      return;
    }
    const split = at === -1 ? middleOf(cells, total) : at;
    const leftCells = cells.slice(0, split);
    const rightCells = cells.slice(split);
    const separator = this.#separator(leftCells, rightCells, level);
    const right = second ?? this.#freeList.allocate(kind, level);
    this.#fill(first, kind, level, leftCells);
    this.#fill(right, kind, level, rightCells);
    const cell = branchCell(separator.bytes, separator.start, separator.end, right.number);
    if (level < this.#path.height) {
      this.splice(level + 1, parentIndex + 1, second === undefined ? 0 : 1, [cell]);
    } else {
      this.#raiseRoot(first, cell, level + 1);
    }
  }

  #fill(frame: PageFrame, kind: number, level: number, cells: readonly Cell[]): void {
    this.#pager.format(frame, kind, level);
    let index = 0;
    for (const cell of cells) {
      const { bytes, start, end } = index === 0 && level > 0 ? withoutKey(cell) : cell;
      insertCell(frame.data, index++, bytes, start, end);
    }
  }

  /** The shortest key above all of the left and not above any of the right. */
  #separator(
    left: readonly Cell[],
    right: readonly Cell[],
    level: number,
  ): { readonly bytes: Uint8Array; readonly start: number; readonly end: number } {
    const before = left.at(-1);
    const [after] = right;
    assert(before !== undefined && after !== undefined, 'both sides of a split have cells');
    const { bytes, keyStart: start, keyEnd } = after;
    if (level > 0) return { bytes, start, end: keyEnd };
    let at = 0;
    const common = Math.min(before.keyEnd - before.keyStart, keyEnd - start);
    while (at < common && before.bytes[before.keyStart + at] === bytes[start + at]) at++;
    assert(start + at < keyEnd, 'keys stand in their order');
    return { bytes, start, end: start + at + 1 };
  }

  #raiseRoot(left: PageFrame, cell: Cell, level: number): void {
    const root = this.#freeList.allocate(PAGE_KIND.branch, level);
    const first = branchCell(NO_BYTES, 0, 0, left.number);
    insertCell(root.data, 0, first.bytes, first.start, first.end);
    insertCell(root.data, 1, cell.bytes, cell.start, cell.end);
    this.#setRoot(root.number);
  }

  /** A root with one child makes room for it. */
  #lowerRoot(root: PageFrame): void {
    const child = childAt(root.data, 0);
    this.#freeList.release(root);
    this.#setRoot(child);
  }

  #setRoot(number: number): void {
    const { meta } = this.#pager;
    this.#pager.edit(meta);
    setRootPage(meta.data, number);
    this.#pager.changed(meta, META_FIELDS.start, META_FIELDS.end);
  }

  /** The cells of a page, in a copy of it. */
  #cells(frame: PageFrame): Cell[] {
    const bytes = new Uint8Array(frame.data);
    const leaf = pageLevel(bytes) === 0;
    const cursor = this.#cursor;
    const cells: Cell[] = [];
    for (let index = 0; index < cellCount(bytes); index++) {
      cursor.at(bytes, index);
      assert(leaf === (pageKind(bytes) === PAGE_KIND.leaf), 'leaves are at level 0');
      const { start, end, keyStart, keyEnd } = cursor;
      cells.push({ bytes, start, end, keyStart, keyEnd });
    }
    return cells;
  }

  /** The first cell of a branch page with its key, which is that of the page in its parent. */
  #withKey(cell: Cell | undefined, level: number, parentIndex: number): Cell {
    assert(cell !== undefined, 'a branch page has a child');
    const parent = this.#path.frame(level + 1).data;
    const cursor = this.#cursor;
    cursor.at(parent, parentIndex);
    const child = childOf(cell);
    return branchCell(parent, cursor.keyStart, cursor.keyEnd, child);
  }
}

const NO_BYTES = new Uint8Array(0);

/** A cell that leads every key from its own on to a page. */
export function branchCell(key: Uint8Array, keyStart: number, keyEnd: number, child: number): Cell {
  const length = keyEnd - keyStart;
  const bytes = new Uint8Array(varintLength(length) + length + CHILD_BYTES);
  const start = putVarint32(bytes, 0, length);
  bytes.set(key.subarray(keyStart, keyEnd), start);
  putUint32(bytes, start + length, child);
  return { bytes, start: 0, end: bytes.length, keyStart: start, keyEnd: start + length };
}

function withoutKey(cell: Cell): Cell {
  return cell.keyStart === cell.keyEnd ? cell : branchCell(NO_BYTES, 0, 0, childOf(cell));
}

function childOf(cell: Cell): number {
  const cursor = new CellCursor();
  cursor.read(cell.bytes, cell.start, false);
  return cursor.child;
}

/** The index that parts cells into halves of bytes as equal as can be. */
function middleOf(cells: readonly Cell[], total: number): number {
  let before = 0;
  for (let index = 0; index < cells.length; index++) {
    const { start, end } = cells[index]!;
    const length = end - start + SLOT_BYTES;
    if (before + length > total / 2) {
      // The cell across the middle goes to the side that has less without it.
      const goesLeft = before < total - before - length;
      return Math.max(1, goesLeft ? index + 1 : index);
    }
    before += length;
  }
  return cells.length - 1;
}
