/**
 * Moves pages towards the front of the file, a leaf and the way to it at a time, so that the end of
 * the file can be given back; neighbours that fit into one page become one. Each step is a change of
 * the pages that changes nothing for readers, made in a record of its own. Not here: the order of
 * the steps (`btree-compact`).
 */

import type { PageFrame } from './btree-page-cache.ts';
import type { FreeList } from './free-list.ts';
import { META_FIELDS, setRootPage } from './meta-page.ts';
import { OverflowChain, overflowBytes } from './overflow.ts';
import { cellCount, pageKind, pageLevel, putUint32, setNextPage } from './page-format.ts';
import type { Pager } from './pager.ts';
import { CHILD_BYTES, CellCursor } from './slotted-page.ts';
import { TreePath } from './tree-path.ts';
import { TreeSplice } from './tree-splice.ts';

/** Neighbours become one where they fill at most so much of a page. */
const JOINED_SHARE = 0.9;
/** Where the part of a page begins that does not say which page it is. */
const BODY_AT = 16;
/** Pages of a value that one step moves: they have to be in memory at one time. */
const CHAIN_STEP = 8;
/** Values of more pages stay where they are. */
const CHAIN_PAGES_MAX = 4096;
const NEXT_FIELD = { start: 28, end: 32 };

export class TreeMover {
  readonly #pager: Pager;
  readonly #freeList: FreeList;
  readonly #path: TreePath;
  readonly #splice: TreeSplice;
  readonly #cursor = new CellCursor();

  constructor(pager: Pager, freeList: FreeList) {
    this.#pager = pager;
    this.#freeList = freeList;
    this.#path = new TreePath(pager);
    this.#splice = new TreeSplice(pager, freeList, this.#path);
  }

  /**
   * Works on the leaf of a key: pages from number `from` on are moved below it where there is room.
   * Returns the key of the next step, which may be the same; null behind the last leaf.
   * @throws PageMissing; nothing was changed then
   */
  step(key: Uint8Array, from: number): Uint8Array | null {
    this.#path.descend(key, 0, key.length);
    if (this.#moveValue(from) || this.#splice.joinRight(JOINED_SHARE)) return key;
    for (let level = this.#path.height; level >= 0; level--) this.#moveNode(level, from);
    return this.#nextKey();
  }

  #moveNode(level: number, from: number): void {
    const path = this.#path;
    const old = path.frame(level);
    if (old.number < from || !this.#freeList.hasFreeBelow(old.number)) return;
    const frame = this.#copy(old);
    if (level === path.height) {
      const { meta } = this.#pager;
      this.#pager.edit(meta);
      setRootPage(meta.data, frame.number);
      this.#pager.changed(meta, META_FIELDS.start, META_FIELDS.end);
    } else {
      this.#lead(path.frame(level + 1), path.index(level), frame.number);
    }
    path.frames[level] = frame;
    this.#freeList.release(old);
  }

  /** Moves some pages of the first long value of the leaf that has any to be moved. */
  #moveValue(from: number): boolean {
    const leaf = this.#path.frame(0);
    for (let index = 0; index < cellCount(leaf.data); index++) {
      const cursor = this.#cursor;
      cursor.at(leaf.data, index);
      const { overflows, child, valueLength } = cursor;
      if (!overflows) continue;
      if (valueLength > CHAIN_PAGES_MAX * overflowBytes(this.#pager.pageBytes)) continue;
      const numbers = new OverflowChain(child, valueLength).find(this.#pager);
      const moved = numbers.findIndex(
        (number) => number >= from && this.#freeList.hasFreeBelow(number),
      );
      if (moved === -1) continue;
      this.#moveChain(leaf, index, numbers, moved, from);
      return true;
    }
    return false;
  }

  #moveChain(
    leaf: PageFrame,
    index: number,
    numbers: readonly number[],
    first: number,
    from: number,
  ): void {
    let before = first === 0 ? null : this.#pager.frame(numbers[first - 1]!);
    const frames = numbers
      .slice(first, first + CHAIN_STEP)
      .map((number) => this.#pager.frame(number));
    for (const old of frames) {
      if (old.number < from || !this.#freeList.hasFreeBelow(old.number)) {
        before = old;
        continue;
      }
      const frame = this.#copy(old);
      if (before === null) this.#lead(leaf, index, frame.number);
      else {
        this.#pager.edit(before);
        setNextPage(before.data, frame.number);
        this.#pager.changed(before, NEXT_FIELD.start, NEXT_FIELD.end);
      }
      this.#freeList.release(old);
      before = frame;
    }
  }

  /** The same page in the lowest free place. */
  #copy(old: PageFrame): PageFrame {
    const frame = this.#freeList.allocate(pageKind(old.data), pageLevel(old.data));
    frame.data.set(old.data.subarray(BODY_AT), BODY_AT);
    return frame;
  }

  /** Lets a cell lead to another page. */
  #lead(frame: PageFrame, index: number, number: number): void {
    const cursor = this.#cursor;
    cursor.at(frame.data, index);
    // Of both kinds of cell, the page number is the last thing.
    const own = new Uint8Array(frame.data.subarray(cursor.start, cursor.end));
    putUint32(own, own.length - CHILD_BYTES, number);
    this.#pager.replaceCell(frame, index, own, 0, own.length);
  }

  #nextKey(): Uint8Array | null {
    const path = this.#path;
    for (let level = 1; level <= path.height; level++) {
      const { data } = path.frame(level);
      const next = path.index(level - 1) + 1;
      if (next >= cellCount(data)) continue;
      this.#cursor.at(data, next);
      return new Uint8Array(data.subarray(this.#cursor.keyStart, this.#cursor.keyEnd));
    }
    return null;
  }
}
