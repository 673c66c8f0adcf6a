/**
 * Which pages are in use: one bit for each, in free-list pages at fixed places, so that the lowest
 * free page is found and the end of the file can be given back. A bit is set for a page in use.
 *
 * A free-list page holds the bits of the pages of its region; page 1 that of the first region, then
 * the second page of each region. Changes go through the pager like those of any page.
 */

import { assert } from '../base/assert.ts';
import { HoldfastError } from '../base/errors.ts';
import { META_FIELDS, pageCount, setPageCount } from './meta-page.ts';
import { PAGE_COUNT_MAX, PAGE_HEADER_BYTES, PAGE_KIND, pageKind } from './page-format.ts';
import type { PageFrame } from './btree-page-cache.ts';
import type { Pager } from './pager.ts';

/** Where the free-list page stands in its region. */
const PLACE_IN_REGION = 1;

/** Pages that one free-list page has bits for. */
export function regionPages(pageBytes: number): number {
  return (pageBytes - PAGE_HEADER_BYTES) * 8;
}

/** The free-list page of a page. */
export function freeListPageOf(number: number, pageBytes: number): number {
  const pages = regionPages(pageBytes);
  return Math.floor(number / pages) * pages + PLACE_IN_REGION;
}

/** Whether a page is one of the free list. */
export function isFreeListPage(number: number, pageBytes: number): boolean {
  return number % regionPages(pageBytes) === PLACE_IN_REGION;
}

/** Whether a free-list page says that a page of its region is in use. */
export function isUsed(freeList: Uint8Array, number: number): boolean {
  const bit = number % regionPages(freeList.length);
  return (freeList[PAGE_HEADER_BYTES + (bit >>> 3)]! & (1 << (bit & 7))) !== 0;
}

/** Sets or clears the bit of a page. Returns the offset of the byte. */
export function setUsed(freeList: Uint8Array, number: number, used: boolean): number {
  const bit = number % regionPages(freeList.length);
  const at = PAGE_HEADER_BYTES + (bit >>> 3);
  const mask = 1 << (bit & 7);
  freeList[at] = used ? freeList[at]! | mask : freeList[at]! & ~mask;
  return at;
}

export class FreeList {
  readonly #pager: Pager;
  /** No page below is free, but for those that are leaving. */
  #lowestFree = 0;
  /** Free pages that older states may still read, with the state since which they are free. */
  readonly #leaving = new Map<number, number>();
  /** Those of them that the record being made has added. */
  #released: number[] = [];
  #oldestSeen = -1;
  /** Whether the record being made gives the end of the file back. */
  #shrinking = false;

  constructor(pager: Pager) {
    this.#pager = pager;
  }

  /** An empty page of a kind, in the lowest free place. @throws HOLDFAST_TOO_LARGE */
  allocate(kind: number, level: number): PageFrame {
    const number = this.#lowest() ?? this.#extend();
    this.#set(number, true);
    this.#lowestFree = number + 1;
    return this.#pager.fresh(number, kind, level);
  }

  /**
   * Takes free pages whose places in the file may be written at once: see `Pager.isQuiet`. Brings
   * nothing into memory. @throws HOLDFAST_TOO_LARGE
   */
  allocateQuiet(count: number): number[] {
    const numbers: number[] = [];
    const take = (number: number): void => {
      if (!this.#pager.isQuiet(number)) return;
      this.#set(number, true);
      numbers.push(number);
    };
    let number = this.#nextFree(this.#lowestFree);
    while (number !== undefined && numbers.length < count) {
      take(number);
      number = this.#nextFree(number + 1);
    }
    while (numbers.length < count) take(this.#extend());
    return numbers;
  }

  /** Gives a page back. What older states read of it is kept for them. */
  release(frame: PageFrame): void {
    this.#set(frame.number, false);
    this.#lowestFree = Math.min(this.#lowestFree, frame.number);
    this.#pager.discard(frame);
  }

  /**
   * As `release` for a page that need not be in memory. Older states may read it in the file: it is
   * not given away before nobody reads them any more.
   */
  releaseNumber(number: number): void {
    const frame = this.#pager.cache.peek(number);
    if (frame !== undefined) {
      this.release(frame);
      return;
    }
    this.#set(number, false);
    this.#leaving.set(number, NOT_PUBLISHED);
    this.#released.push(number);
  }

  /** After the record of the last changes was published as a state. */
  published(sequence: number): void {
    if (this.#shrinking) this.#pager.shrunkAt = sequence;
    this.#shrinking = false;
    for (const number of this.#released) this.#leaving.set(number, sequence);
    this.#released = [];
    if (this.#leaving.size === 0) return;
    const oldest = this.#pager.versions.snapshots.oldest ?? sequence;
    if (oldest === this.#oldestSeen) return;
    this.#oldestSeen = oldest;
    for (const [number, left] of this.#leaving) {
      if (left > oldest) continue;
      this.#leaving.delete(number);
      this.#lowestFree = Math.min(this.#lowestFree, number);
    }
  }

  /** After changes were taken back. */
  forget(): void {
    for (const number of this.#released) this.#leaving.delete(number);
    this.#released = [];
    this.#lowestFree = 0;
    this.#shrinking = false;
  }

  /** Gives free pages at the end back: the file is cut at the next checkpoint. */
  shrink(): void {
    const count = pageCount(this.#pager.meta.data);
    let end = count;
    while (end > PAGES_MIN) {
      const last = end - 1;
      if (this.#isFree(last)) {
        end--;
      } else if (isFreeListPage(last, this.#pager.pageBytes) && this.#isFree(last - 1)) {
        // Of a region that is free, only its page of bits is left.
        this.#pager.discard(this.#page(last));
        end -= 2;
      } else break;
    }
    if (end === count) return;
    this.#setCount(end);
    this.#shrinking = true;
  }

  /** How many pages would do for all that is in use; those of the free list are not counted. */
  used(): number {
    const count = pageCount(this.#pager.meta.data);
    let used = 0;
    for (let number = 0; number < count; number++) if (!this.#isFree(number)) used++;
    return used;
  }

  /** Whether a page below this one can be had. */
  hasFreeBelow(number: number): boolean {
    const lowest = this.#lowest();
    return lowest !== undefined && lowest < number;
  }

  #isFree(number: number): boolean {
    return !isUsed(this.#page(number).data, number) && !this.#leaving.has(number);
  }

  #page(number: number): PageFrame {
    const frame = this.#pager.cache.peek(freeListPageOf(number, this.#pager.pageBytes));
    assert(frame !== undefined, 'free-list pages are always in memory');
    return frame;
  }

  #set(number: number, used: boolean): void {
    const frame = this.#page(number);
    assert(isUsed(frame.data, number) !== used, 'a page is given once and comes back once');
    this.#pager.edit(frame);
    const at = setUsed(frame.data, number, used);
    this.#pager.changed(frame, at, at + 1);
  }

  #lowest(): number | undefined {
    const number = this.#nextFree(this.#lowestFree);
    if (number === undefined) this.#lowestFree = pageCount(this.#pager.meta.data);
    return number;
  }

  /** The first free page from a number on. */
  #nextFree(from: number): number | undefined {
    const { pageBytes } = this.#pager;
    const count = pageCount(this.#pager.meta.data);
    const pages = regionPages(pageBytes);
    let number = from;
    while (number < count) {
      const bytes = this.#page(number).data;
      const bit = number % pages;
      const byte = bytes[PAGE_HEADER_BYTES + (bit >>> 3)]!;
      // Eight pages at a time where all are in use.
      if (byte === 0xff) number += 8 - (bit & 7);
      else if ((byte & (1 << (bit & 7))) === 0 && !this.#leaving.has(number)) return number;
      else number++;
    }
    return undefined;
  }

  #extend(): number {
    const { pageBytes } = this.#pager;
    const number = pageCount(this.#pager.meta.data);
    if (number + 2 > PAGE_COUNT_MAX) {
      throw new HoldfastError('HOLDFAST_TOO_LARGE', `a file has at most ${PAGE_COUNT_MAX} pages`);
    }
    const list = this.#pager.cache.peek(freeListPageOf(number, pageBytes));
    // It may have been given back in the same record.
    if (list === undefined || pageKind(list.data) !== PAGE_KIND.freeList) {
      // The first page of a region stands before the page with its bits: both are made at once.
      const freeList = number + PLACE_IN_REGION;
      assert(freeListPageOf(number, pageBytes) === freeList, 'regions are made in their order');
      const frame = this.#pager.fresh(freeList, PAGE_KIND.freeList, 0);
      this.#pager.cache.pin(frame);
      setUsed(frame.data, freeList, true);
      this.#setCount(freeList + 1);
    } else {
      this.#setCount(number + 1);
    }
    return number;
  }

  #setCount(count: number): void {
    const { meta } = this.#pager;
    this.#pager.edit(meta);
    setPageCount(meta.data, count);
    this.#pager.changed(meta, META_FIELDS.start, META_FIELDS.end);
  }
}

/** Later than every state. */
const NOT_PUBLISHED = Infinity;
/** The meta page, the first free-list page and a root. */
const PAGES_MIN = 3;
