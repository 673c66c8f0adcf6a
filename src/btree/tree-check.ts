/**
 * Walks a whole tree in one state and says everything that is wrong with it: order, fill, levels,
 * pages in use more than once, pages that nothing leads to, the count of entries. Checksums are
 * compared when a page is read. Not here: who asks, and progress (`btree-verify`).
 */

import { compareRanges } from '../base/bytes.ts';
import { varintLength } from '../base/coding.ts';
import { freeListPageOf, isFreeListPage, isUsed } from './free-list.ts';
import { META_PAGE, entryCount, pageCount, rootPage } from './meta-page.ts';
import {
  PAGE_HEADER_BYTES,
  PAGE_KIND,
  cellCount,
  nextPage,
  pageKind,
  pageLevel,
} from './page-format.ts';
import { overflowBytes } from './overflow.ts';
import { CellCursor, usedBytes } from './slotted-page.ts';

/** A thing that is wrong, at a page. */
export interface TreeFault {
  readonly number: number;
  readonly message: string;
}

/** What a walk found. */
export interface TreeCensus {
  readonly entries: number;
  readonly height: number;
  /** Pages by what they are. */
  readonly leaves: number;
  readonly branches: number;
  readonly overflows: number;
  readonly free: number;
  /** Bytes that cells take of the leaves. */
  readonly leafBytes: number;
  readonly faults: readonly TreeFault[];
}

/** What a file has that was never written since it was made: its log has all of the tree. */
export const NO_ROOT = 'it names no root: all of the tree was in the log';

/** Bounds of the keys of a page: from `lower` on and below `upper`. */
interface Bounds {
  readonly lower: Uint8Array | null;
  readonly upper: Uint8Array | null;
}

/** Gives a page of the state, or a fault for one that cannot be read. */
export type PageSource = (number: number) => Uint8Array;

/**
 * A step a page, so that the caller can bring pages between the steps, and show progress. A source
 * that throws ends the step; the walk goes on at the same page with the next.
 */
export class TreeWalk {
  #entries = 0;
  #leaves = 0;
  #branches = 0;
  #overflows = 0;
  #leafBytes = 0;
  readonly #faults: TreeFault[] = [];
  readonly #seen = new Set<number>();
  readonly #todo: (() => void)[] = [];
  readonly #page: PageSource;
  #height = 0;
  #count = 0;
  #free = 0;

  constructor(page: PageSource) {
    this.#page = page;
    this.#todo.push(() => {
      const meta = page(META_PAGE);
      this.#count = pageCount(meta);
      this.#seen.add(META_PAGE);
      const root = rootPage(meta);
      if (root === META_PAGE) {
        this.#fault(META_PAGE, NO_ROOT);
        return;
      }
      const rootData = page(root);
      this.#height = pageLevel(rootData);
      const expected = entryCount(meta);
      this.#todo.push(
        () => this.#finish(expected),
        () => this.#visit(root, this.#height, { lower: null, upper: null }, true, true),
      );
    });
  }

  /** Pages of the file, once the first step is done. */
  get pages(): number {
    return this.#count;
  }

  /** Pages walked so far. */
  get done(): number {
    return this.#seen.size;
  }

  /** Does a step; false when there is none left. */
  step(): boolean {
    const next = this.#todo.at(-1);
    if (next === undefined) return false;
    const { length } = this.#todo;
    next();
    this.#todo.splice(length - 1, 1);
    return true;
  }

  /** Says that the page of the current step cannot be read, and goes on with the next. */
  passOver(number: number, message: string): void {
    this.#fault(number, message);
    // Something does lead to it: that is all that is known of it.
    this.#seen.add(number);
    this.#todo.pop();
  }

  census(): TreeCensus {
    return {
      entries: this.#entries,
      height: this.#height,
      leaves: this.#leaves,
      branches: this.#branches,
      overflows: this.#overflows,
      free: this.#free,
      leafBytes: this.#leafBytes,
      faults: this.#faults,
    };
  }

  #visit(number: number, level: number, bounds: Bounds, root: boolean, rightMost: boolean): void {
    const page = this.#page(number);
    if (!this.#take(number)) return;
    const kind = level === 0 ? PAGE_KIND.leaf : PAGE_KIND.branch;
    if (pageKind(page) !== kind || pageLevel(page) !== level) {
      const found = `kind ${pageKind(page)}, level ${pageLevel(page)}`;
      this.#fault(number, `a page of kind ${kind}, level ${level} was expected, found ${found}`);
      return;
    }
    const least = (page.length - PAGE_HEADER_BYTES) / 3;
    const filled = usedBytes(page) + (level > 0 ? keptAbove(bounds.lower) : 0);
    if (!root && !rightMost && filled < least) {
      this.#fault(number, `less than a third full: ${usedBytes(page)} bytes`);
    }
    this.#checkOrder(number, page, level, bounds);
    if (level === 0) this.#leaf(page);
    else this.#branch(page, level, bounds, rightMost);
  }

  #checkOrder(number: number, page: Uint8Array, level: number, bounds: Bounds): void {
    const cursor = new CellCursor();
    let before: { start: number; end: number } | null = null;
    for (let index = 0; index < cellCount(page); index++) {
      cursor.at(page, index);
      const { keyStart: start, keyEnd: end } = cursor;
      if (level > 0 && index === 0) {
        if (start !== end) this.#fault(number, 'the first key of a branch page is not empty');
        continue;
      }
      if (before !== null) {
        const order = compareRanges(page, before.start, before.end, page, start, end);
        if (order >= 0) this.#fault(number, `key ${index} is not above the one before it`);
      }
      before = { start, end };
      const { lower, upper } = bounds;
      if (lower !== null && compareRanges(page, start, end, lower, 0, lower.length) < 0) {
        this.#fault(number, `key ${index} is below what the parent says`);
      }
      if (upper !== null && compareRanges(page, start, end, upper, 0, upper.length) >= 0) {
        this.#fault(number, `key ${index} is not below what the parent says`);
      }
    }
  }

  #leaf(page: Uint8Array): void {
    this.#leaves++;
    this.#leafBytes += usedBytes(page);
    const cursor = new CellCursor();
    for (let index = 0; index < cellCount(page); index++) {
      cursor.at(page, index);
      this.#entries++;
      if (!cursor.overflows) continue;
      const { child, valueLength } = cursor;
      this.#todo.push(() => this.#overflow(child, valueLength));
    }
  }

  #branch(page: Uint8Array, level: number, bounds: Bounds, rightMost: boolean): void {
    this.#branches++;
    const count = cellCount(page);
    if (count === 0) return;
    const cursor = new CellCursor();
    const keys: Uint8Array[] = [];
    const children: number[] = [];
    for (let index = 0; index < count; index++) {
      cursor.at(page, index);
      keys.push(new Uint8Array(page.subarray(cursor.keyStart, cursor.keyEnd)));
      children.push(cursor.child);
    }
    for (let index = count - 1; index >= 0; index--) {
      const lower = index === 0 ? bounds.lower : keys[index]!;
      const upper = keys[index + 1] ?? bounds.upper;
      const last = rightMost && index === count - 1;
      const child = children[index]!;
      this.#todo.push(() => this.#visit(child, level - 1, { lower, upper }, false, last));
    }
  }

  #overflow(number: number, left: number): void {
    const page = this.#page(number);
    if (!this.#take(number)) return;
    this.#overflows++;
    if (pageKind(page) !== PAGE_KIND.overflow) {
      this.#fault(number, `an overflow page was expected, found kind ${pageKind(page)}`);
      return;
    }
    const rest = left - overflowBytes(page.length);
    const next = nextPage(page);
    if (rest > 0 !== next > 0) this.#fault(number, `${rest} bytes are left, next page ${next}`);
    else if (rest > 0) this.#todo.push(() => this.#overflow(next, rest));
  }

  #finish(expected: number): void {
    // A step of its own: one that misses a page is done again.
    this.#todo.push(() => this.#comparePages());
    if (expected === this.#entries) return;
    this.#fault(META_PAGE, `${expected} entries are counted, ${this.#entries} are there`);
  }

  /** Every page must have been walked once, or be free. */
  #comparePages(): void {
    let free = 0;
    const faults: TreeFault[] = [];
    for (let number = 0; number < this.#count; number++) {
      const list = this.#page(freeListPageOf(number, this.#pageBytes()));
      const used = isUsed(list, number);
      const reached = this.#seen.has(number) || isFreeListPage(number, list.length);
      if (!used) free++;
      if (used && !reached) faults.push({ number, message: 'in use, but nothing leads to it' });
      if (!used && reached) faults.push({ number, message: 'free, but something leads to it' });
    }
    this.#free = free;
    this.#faults.push(...faults);
  }

  #pageBytes(): number {
    return this.#page(META_PAGE).length;
  }

  #take(number: number): boolean {
    if (this.#seen.has(number)) {
      this.#fault(number, 'more than one thing leads to it');
      return false;
    }
    this.#seen.add(number);
    return true;
  }

  #fault(number: number, message: string): void {
    this.#faults.push({ number, message });
  }
}

/** Bytes that a branch page lacks because the key of its first child stands above it. */
function keptAbove(lower: Uint8Array | null): number {
  return lower === null ? 0 : lower.length + varintLength(lower.length) - 1;
}
