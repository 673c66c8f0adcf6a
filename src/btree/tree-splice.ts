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
import type { FreeList } from './free-list.ts';
import { META_FIELDS, setRootPage } from './meta-page.ts';
import type { PageFrame } from './btree-page-cache.ts';
import { PAGE_HEADER_BYTES, PAGE_KIND, cellCount, pageKind, pageLevel } from './page-format.ts';
import type { Pager } from './pager.ts';
import {
  CellCursor,
  SLOT_BYTES,
  cellBytesMax,
  bytesOfCell,
  childAt,
  insertCell,
  usedBytes,
} from './slotted-page.ts';
import { NO_KEY, branchCell, childOf, middleOf, separatorOf, withoutKey } from './tree-cells.ts';
import type { Cell } from './tree-cells.ts';
import type { TreePath } from './tree-path.ts';

/** A page before it is filled anew. */
interface OldPage {
  readonly frame: PageFrame;
  readonly cells: readonly Cell[];
}

/** A sibling with this share of its room free takes cells before a new page is made. */
const SIBLING_FREE_SHARE = 3 / 10;
/** About what a change of one cell takes in the log, without the cell. */
const CHANGE_BYTES = 6;

export class TreeSplice {
  readonly #pager: Pager;
  readonly #freeList: FreeList;
  readonly #path: TreePath;
  readonly #cursor = new CellCursor();
  /** Copies of a page and its sibling, whose cells are spread over both. */
  readonly #copies: readonly [Uint8Array, Uint8Array];

  constructor(pager: Pager, freeList: FreeList, path: TreePath) {
    this.#pager = pager;
    this.#freeList = freeList;
    this.#path = path;
    this.#copies = [new Uint8Array(pager.pageBytes), new Uint8Array(pager.pageBytes)];
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
    const pages = [this.#old(left, 0), this.#old(right, 1)];
    this.#rewrite(
      0,
      pages,
      index,
      pages.flatMap(({ cells }) => cells),
      -1,
    );
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
    const page = this.#old(path.frame(level), 0);
    const cells = page.cells.toSpliced(index, removed, ...added);
    const appends = index === page.cells.length && path.isRightMost(level);
    const alone = level === path.height || appends;
    if (!alone && this.#spreadWith(level, page, cells, used)) return;
    this.#rewrite(level, [page], path.index(level), cells, appends ? cells.length - 1 : -1);
  }

  /** Spreads the cells of a page over it and its sibling. False: the page is split by itself. */
  #spreadWith(level: number, page: OldPage, own: readonly Cell[], used: number): boolean {
    const partner = this.#partner(level, used);
    if (partner === null) return false;
    const sibling = this.#old(partner.frame, 1);
    const index = this.#path.index(level);
    const onTheRight = partner.at > index;
    const left = onTheRight ? index : partner.at;
    const cells = [...own];
    const others = [...sibling.cells];
    // The first key of a branch page stands in its parent.
    if (level > 0) {
      const right = onTheRight ? others : cells;
      right[0] = this.#withKey(right[0], level, left + 1);
    }
    const all = onTheRight ? [...cells, ...others] : [...others, ...cells];
    if (used > this.#capacity && !this.#fitsInTwo(all)) return false;
    this.#rewrite(level, onTheRight ? [page, sibling] : [sibling, page], left, all, -1);
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

  /** The sibling that takes part and its index in the parent, or null: the page is split by itself. */
  #partner(level: number, used: number): { readonly frame: PageFrame; readonly at: number } | null {
    const path = this.#path;
    const { cache } = this.#pager;
    if (used <= this.#capacity) {
      const at = path.siblingIndex(level);
      if (at < 0) return null;
      const frame = cache.peek(path.sibling(level));
      assert(frame !== undefined, 'the sibling of a page that is too empty was brought');
      return { frame, at };
    }
    const parent = path.frame(level + 1).data;
    const index = path.index(level);
    for (const at of [index + 1, index - 1]) {
      if (at < 0 || at >= cellCount(parent)) continue;
      const frame = cache.peek(childAt(parent, at));
      if (frame === undefined) continue;
      const free = this.#capacity - usedBytes(frame.data);
      if (free >= this.#capacity * SIBLING_FREE_SHARE) return { frame, at };
    }
    return null;
  }

  /**
   * Fills pages that stand side by side with cells, and tells their parent. `at`: where the second
   * page begins; -1: in the middle.
   */
  #rewrite(
    level: number,
    pages: readonly OldPage[],
    parentIndex: number,
    cells: readonly Cell[],
    at: number,
  ): void {
    const [first, second] = pages;
    assert(first !== undefined, 'there is a page to fill');
    const kind = pageKind(first.frame.data);
    let total = 0;
    for (const cell of cells) total += cell.end - cell.start + SLOT_BYTES;
    if (total <= this.#capacity) {
      this.#refill(first, kind, level, cells);
      if (second === undefined) return;
      this.#freeList.release(second.frame);
      this.splice(level + 1, parentIndex + 1, 1, []);
      return;
    }
    const split = at === -1 ? middleOf(cells, total) : at;
    const leftCells = cells.slice(0, split);
    const rightCells = cells.slice(split);
    const separator = separatorOf(leftCells, rightCells, level);
    const cellTo = (right: PageFrame): Cell =>
      branchCell(separator.bytes, separator.start, separator.end, right.number);
    this.#refill(first, kind, level, leftCells);
    let cell: Cell;
    if (second === undefined) {
      const right = this.#freeList.allocate(kind, level);
      this.#fill(right, kind, level, rightCells);
      cell = cellTo(right);
    } else {
      this.#refill(second, kind, level, rightCells);
      cell = cellTo(second.frame);
    }
    if (level < this.#path.height) {
      this.splice(level + 1, parentIndex + 1, second === undefined ? 0 : 1, [cell]);
    } else {
      this.#raiseRoot(first.frame, cell, level + 1);
    }
  }

  /**
   * Makes a page hold other cells than before: those that stay are not touched, unless the log has
   * less to take when the page is made anew.
   */
  #refill(
    { frame, cells: old }: OldPage,
    kind: number,
    level: number,
    cells: readonly Cell[],
  ): void {
    const first = cells[0]!;
    const wanted = level > 0 ? cells.with(0, withoutKey(first)) : cells;
    const copy = old[0]?.bytes;
    let gone = old.length;
    let stayingBytes = 0;
    for (const { bytes, start, end } of wanted) {
      if (bytes !== copy) continue;
      gone--;
      stayingBytes += end - start + SLOT_BYTES;
    }
    const changes = gone + wanted.length - (old.length - gone);
    if (frame.imaging || changes * CHANGE_BYTES >= stayingBytes) {
      this.#fill(frame, kind, level, wanted);
      return;
    }
    // What stays is the same object in both lists, in the same order.
    let last = wanted.length - 1;
    for (let index = old.length - 1; index >= 0; index--) {
      while (last >= 0 && wanted[last]!.bytes !== copy) last--;
      if (last >= 0 && wanted[last] === old[index]) last--;
      else this.#pager.removeCell(frame, index);
    }
    for (let index = 0; index < wanted.length; index++) {
      const { bytes, start, end } = wanted[index]!;
      if (bytes !== copy) this.#pager.insertCell(frame, index, bytes, start, end);
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

  #raiseRoot(left: PageFrame, cell: Cell, level: number): void {
    const root = this.#freeList.allocate(PAGE_KIND.branch, level);
    const first = branchCell(NO_KEY, 0, 0, left.number);
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

  /** A page and its cells, which are in a copy of it: good until the next page is taken so. */
  #old(frame: PageFrame, which: 0 | 1): OldPage {
    const bytes = this.#copies[which];
    bytes.set(frame.data);
    const leaf = pageLevel(bytes) === 0;
    assert(leaf === (pageKind(bytes) === PAGE_KIND.leaf), 'leaves are at level 0');
    const cursor = this.#cursor;
    const cells: Cell[] = [];
    const count = cellCount(bytes);
    for (let index = 0; index < count; index++) {
      cursor.at(bytes, index);
      const { start, end, keyStart, keyEnd } = cursor;
      cells.push({ bytes, start, end, keyStart, keyEnd });
    }
    return { frame, cells };
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
