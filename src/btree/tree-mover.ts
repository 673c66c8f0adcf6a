/**
 * Moves pages towards the front of the file, a leaf and the way to it at a time, so that the end of
 * the file can be given back; neighbours that fit into one page become one. Each step is a change of
 * the pages that changes nothing for readers, made in a record of its own. Not here: the order of
 * the steps (`btree-compact`).
 */

import type { PageFrame } from './btree-page-cache.ts';
import type { FreeList } from './free-list.ts';
import { META_FIELDS, setRootPage } from './meta-page.ts';
import { checkOverflow, overflowBytes } from './overflow.ts';
import { cellCount, nextPage, pageKind, pageLevel, putUint32, setNextPage } from './page-format.ts';
import type { Pager } from './pager.ts';
import { CHILD_BYTES, CellCursor } from './slotted-page.ts';
import { TreePath } from './tree-path.ts';
import { TreeSplice } from './tree-splice.ts';
import type { TreeWriter } from './tree-writer.ts';

/** Neighbours become one where they fill at most so much of a page. */
const JOINED_SHARE = 0.9;
/** Where the part of a page begins that does not say which page it is. */
const BODY_AT = 16;
/** Pages of a value that one step moves: they have to be in memory at one time. */
const CHAIN_STEP = 8;
const NEXT_FIELD = { start: 28, end: 32 };

/** How far the pages of a long value have been looked at. */
interface ChainPlace {
  /** Of the value: as its cell has them. */
  readonly first: number;
  readonly length: number;
  /** The page before that of the place; 0: it is the first. */
  readonly before: number;
  /** The page of the place; 0: it is behind the last. */
  readonly at: number;
  /** Pages before it. */
  readonly passed: number;
}

export class TreeMover {
  readonly #pager: Pager;
  readonly #freeList: FreeList;
  readonly #path: TreePath;
  readonly #splice: TreeSplice;
  readonly #writer: TreeWriter;
  readonly #cursor = new CellCursor();
  /** Long values of the leaf, by their first pages, of which all pages are where they should be. */
  readonly #finished = new Set<number>();
  #place: ChainPlace | null = null;
  /** The place once the commit of the step is there: a step may be made again. */
  #proposed: ChainPlace | null = null;
  /** What the writer said when this was known. */
  #chainChanges = -1;

  constructor(writer: TreeWriter) {
    this.#writer = writer;
    this.#pager = writer.pager;
    this.#freeList = writer.freeList;
    this.#path = new TreePath(writer.pager);
    this.#splice = new TreeSplice(writer.pager, writer.freeList, this.#path);
  }

  /** The commit of the last step is there. */
  committed(): void {
    if (this.#proposed !== null) this.#place = this.#proposed;
    this.#proposed = null;
  }

  /**
   * Works on the leaf of a key: pages from number `from` on are moved below it where there is room.
   * Returns the key of the next step, which may be the same; null behind the last leaf.
   * @throws PageMissing; nothing was changed then
   */
  step(key: Uint8Array, from: number): Uint8Array | null {
    this.#proposed = null;
    if (this.#chainChanges !== this.#writer.chainChanges) {
      // Others may have given back what is known here, and the pages may be those of other values.
      this.#chainChanges = this.#writer.chainChanges;
      this.#place = null;
      this.#finished.clear();
    }
    this.#path.descend(key, 0, key.length);
    if (this.#moveValue(from) || this.#splice.joinRight(JOINED_SHARE)) return key;
    for (let level = this.#path.height; level >= 0; level--) this.#moveNode(level, from);
    this.#finished.clear();
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
      if (!overflows || this.#finished.has(child)) continue;
      if (this.#place?.first !== child || this.#place.length !== valueLength) {
        this.#place = { first: child, length: valueLength, before: 0, at: child, passed: 0 };
      }
      this.#place = this.#passOver(this.#place, from);
      if (this.#place.at !== 0) {
        this.#proposed = this.#moveChain(leaf, index, this.#place, from);
        return true;
      }
      this.#finished.add(child);
    }
    return false;
  }

  /** The place of the first page of a value that is to be moved. @throws PageMissing */
  #passOver(from: ChainPlace, lowest: number): ChainPlace {
    let place = from;
    while (place.at !== 0 && !this.#moves(place.at, lowest)) {
      // Kept also when a page is missing: a long value does not fit in memory.
      this.#place = place;
      place = { ...place, before: place.at, ...this.#behind(place) };
    }
    return place;
  }

  #moves(number: number, from: number): boolean {
    return number >= from && this.#freeList.hasFreeBelow(number);
  }

  /** What follows the page of a place. @throws PageMissing, HOLDFAST_CORRUPTION */
  #behind({ at, passed, length }: ChainPlace): { readonly at: number; readonly passed: number } {
    const { data } = this.#pager.frame(at);
    const last = passed + 1 === Math.ceil(length / overflowBytes(this.#pager.pageBytes));
    checkOverflow(this.#pager, at, data, last);
    return { at: nextPage(data), passed: passed + 1 };
  }

  #moveChain(leaf: PageFrame, index: number, start: ChainPlace, from: number): ChainPlace {
    let before = start.before === 0 ? null : this.#pager.frame(start.before);
    const frames: PageFrame[] = [];
    let behind = { at: start.at, passed: start.passed };
    while (behind.at !== 0 && frames.length < CHAIN_STEP) {
      frames.push(this.#pager.frame(behind.at));
      behind = this.#behind({ ...start, ...behind });
    }
    // From here on nothing is missing.
    let { first } = start;
    for (const old of frames) {
      if (!this.#moves(old.number, from)) {
        before = old;
        continue;
      }
      const frame = this.#copy(old);
      if (before === null) {
        this.#lead(leaf, index, frame.number);
        first = frame.number;
      } else {
        this.#pager.edit(before);
        setNextPage(before.data, frame.number);
        this.#pager.changed(before, NEXT_FIELD.start, NEXT_FIELD.end);
      }
      this.#freeList.release(old);
      before = frame;
    }
    return { first, length: start.length, before: before?.number ?? 0, ...behind };
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
