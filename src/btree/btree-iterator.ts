/**
 * Reads a range of a state in order, in either direction. The state does not change, so that the
 * way to the current entry (page numbers and indexes) stays right however the tree is changed
 * meanwhile.
 */

import { assert } from '../base/assert.ts';
import { closedError } from '../engine/engine-errors.ts';
import type { EntryIterator, EntrySink, IteratorOptions } from '../engine/entry-iterator.ts';
import {
  aboveLower,
  belowUpper,
  boundsAreEmpty,
  entryLimit,
  keyBounds,
} from '../engine/key-range.ts';
import type { KeyBounds } from '../engine/key-range.ts';
import type { Eventual } from '../engine/read-options.ts';
import { META_PAGE, rootPage } from './meta-page.ts';
import { OverflowReader } from './overflow.ts';
import { PAGE_KIND, cellCount, pageKind, pageLevel } from './page-format.ts';
import { PAGES_AT_ONCE, PageMissing } from './pager.ts';
import type { Pager } from './pager.ts';
import { CellCursor, childAt, searchCells, searchChild } from './slotted-page.ts';
import { damagedTree } from './tree-damage.ts';

/** A page on the way, and the index of the cell taken in it. */
interface Step {
  number: number;
  index: number;
}

/** Where the next read begins. */
type Start =
  | { readonly kind: 'here' | 'end' | 'first' | 'neighbour' }
  | { readonly kind: 'seek'; readonly key: Uint8Array };

/** Leaves that are brought at most, beside the one that is next. */
const AHEAD_MAX = 16;
const NOTHING: Buffer = Buffer.alloc(0);
const HERE: Start = { kind: 'here' };
const END: Start = { kind: 'end' };
/** The way leads behind the entries of its leaf: the next one is in the leaf beside it. */
const NEIGHBOUR: Start = { kind: 'neighbour' };

export class BtreeIterator implements EntryIterator {
  readonly #pager: Pager;
  readonly #state: number;
  readonly #bounds: KeyBounds;
  readonly #reverse: boolean;
  readonly #keys: boolean;
  readonly #values: boolean;
  readonly #onClose: (iterator: BtreeIterator) => void;
  readonly #cursor = new CellCursor();
  /** From the root to the leaf of the next entry. */
  #way: Step[] = [];
  /** The page at its end, where that is known: during one attempt no page changes. */
  #leaf: Buffer | null = null;
  #start: Start;
  /** A long value of the next entry, as far as it has been read. */
  #long: OverflowReader | null = null;
  #left: number;
  /** How many leaves are brought beside one that is missing. */
  #ahead = 1;
  #reading = false;
  #closed = false;

  constructor(
    pager: Pager,
    state: number,
    options: IteratorOptions,
    onClose: (iterator: BtreeIterator) => void,
  ) {
    this.#pager = pager;
    this.#state = state;
    this.#bounds = keyBounds(options);
    this.#reverse = options.reverse ?? false;
    this.#keys = options.keys ?? true;
    this.#values = options.values ?? true;
    this.#left = entryLimit(options.limit);
    this.#onClose = onClose;
    const { lower, upper } = this.#bounds;
    const bound = this.#reverse ? upper : lower;
    if (boundsAreEmpty(this.#bounds)) this.#start = END;
    else if (bound === undefined) this.#start = { kind: 'first' };
    else this.#start = { kind: 'seek', key: bound };
  }

  read(sink: EntrySink, entriesMax: number, bytesMax: number): Eventual<number> {
    assert(!this.#reading, 'one read of an iterator at a time');
    for (let left = PAGES_AT_ONCE; ; left--) {
      const pushed = this.#attempt(sink, entriesMax, bytesMax);
      if (!(pushed instanceof PageMissing)) return pushed;
      if (left === 0 || !this.#pager.bringNow(pushed)) {
        return this.#readLater(pushed, sink, entriesMax, bytesMax);
      }
    }
  }

  readSync(sink: EntrySink, entriesMax: number, bytesMax: number): number {
    assert(!this.#reading, 'one read of an iterator at a time');
    for (;;) {
      const pushed = this.#attempt(sink, entriesMax, bytesMax);
      if (!(pushed instanceof PageMissing)) return pushed;
      this.#pager.bringSync(pushed);
    }
  }

  seek(target: Uint8Array): void {
    if (this.#closed) throw closedError('iterator');
    assert(!this.#reading, 'no seek while a read is under way');
    this.#long = null;
    const inside = aboveLower(this.#bounds, target) && belowUpper(this.#bounds, target);
    this.#start = inside ? { kind: 'seek', key: new Uint8Array(target) } : END;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#long = null;
    this.#onClose(this);
  }

  async #readLater(
    first: PageMissing,
    sink: EntrySink,
    entriesMax: number,
    bytesMax: number,
  ): Promise<number> {
    this.#reading = true;
    try {
      let missing = first;
      for (;;) {
        const { number } = missing;
        const bringing = this.#pager.bringSoon(missing);
        if (!this.#pager.readsQuickly) this.#bringAhead(number);
        await bringing;
        const pushed = this.#attempt(sink, entriesMax, bytesMax);
        if (!(pushed instanceof PageMissing)) return pushed;
        missing = pushed;
      }
    } finally {
      this.#reading = false;
    }
  }

  /** Begins to bring the leaves behind one that is missing: more of them each time. */
  #bringAhead(missing: number): void {
    const above = this.#way[this.#way.length - 2];
    if (this.#start !== NEIGHBOUR || above === undefined) return;
    const frame = this.#pager.cache.peek(above.number);
    // It is to be brought itself, or of another state.
    if (frame === undefined || this.#isOld(above.number)) return;
    const page = frame.visible ?? frame.data;
    const step = this.#reverse ? -1 : 1;
    let index = above.index + step;
    if (index < 0 || index >= cellCount(page) || childAt(page, index) !== missing) return;
    for (let left = this.#ahead; left > 0; left--) {
      index += step;
      if (index < 0 || index >= cellCount(page)) break;
      const number = childAt(page, index);
      if (this.#pager.cache.peek(number) !== undefined || this.#isOld(number)) continue;
      // What fails is told when the way comes to the page.
      this.#pager.bring({ number, version: undefined }).catch(() => 'told later');
    }
    this.#ahead = Math.min(AHEAD_MAX, this.#ahead * 2);
  }

  /** Whether the state has another page than that of now. */
  #isOld(number: number): boolean {
    return this.#pager.versions.find(number, this.#state) !== undefined;
  }

  /** Pushes what is at hand. What is missing counts only when nothing could be pushed. */
  #attempt(sink: EntrySink, entriesMax: number, bytesMax: number): number | PageMissing {
    assert(entriesMax > 0, 'a read asks for at least one entry');
    if (this.#closed) throw closedError('iterator');
    let pushed = 0;
    this.#leaf = null;
    try {
      this.#begin();
      let bytes = 0;
      while (pushed < entriesMax && bytes < bytesMax && this.#left > 0) {
        if (this.#start === END) break;
        const length = this.#push(sink);
        if (length < 0) {
          this.#start = END;
          break;
        }
        pushed++;
        this.#left--;
        bytes += length;
        this.#advance();
      }
    } catch (error) {
      // The one signal of this folder; everything else is an error. What was pushed is right, and
      // an error comes again with the next call, which begins at the same place.
      if (pushed > 0) return pushed;
      if (error instanceof PageMissing) return error;
      throw error;
    }
    return pushed;
  }

  #page(number: number): Buffer {
    return this.#pager.viewAt(number, this.#state);
  }

  /** The step to the entry that comes next. */
  get #last(): Step {
    const last = this.#way[this.#way.length - 1];
    assert(last !== undefined, 'an iterator that is not at its end has a place');
    return last;
  }

  /** Pushes the entry of the way's end. Returns its bytes, -1 when it is outside the range. */
  #push(sink: EntrySink): number {
    const last = this.#last;
    const page = (this.#leaf ??= this.#page(last.number));
    const cursor = this.#cursor;
    cursor.at(page, last.index);
    const { keyStart, keyEnd } = cursor;
    const inside = this.#reverse
      ? aboveLower(this.#bounds, page, keyStart, keyEnd)
      : belowUpper(this.#bounds, page, keyStart, keyEnd);
    if (!inside) return -1;
    let values = NOTHING;
    let valueStart = 0;
    let valueEnd = 0;
    if (this.#values) {
      if (cursor.overflows) {
        this.#long ??= new OverflowReader(this.#pager, cursor.child, cursor.valueLength);
        values = this.#long.read((number) => this.#page(number));
        valueEnd = values.length;
        this.#long = null;
      } else {
        values = page;
        ({ valueStart } = cursor);
        valueEnd = valueStart + cursor.valueLength;
      }
    }
    if (this.#keys) sink.entry(page, keyStart, keyEnd, values, valueStart, valueEnd);
    else sink.entry(NOTHING, 0, 0, values, valueStart, valueEnd);
    return (this.#keys ? keyEnd - keyStart : 0) + valueEnd - valueStart;
  }

  /** Goes where the last `seek` or the beginning of the range says. */
  #begin(): void {
    const start = this.#start;
    if (start.kind === 'here' || start.kind === 'end') return;
    if (start.kind === 'neighbour') {
      this.#toNeighbour();
      return;
    }
    const way: Step[] = [];
    const key = start.kind === 'seek' ? start.key : null;
    let number = rootPage(this.#page(META_PAGE));
    let page = this.#page(number);
    for (let level = pageLevel(page); level > 0; level--) {
      const index = key === null ? this.#edge(page) : searchChild(page, key, 0, key.length);
      way.push({ number, index });
      number = childAt(page, index);
      page = this.#page(number);
      if (pageLevel(page) !== level - 1) {
        throw damagedTree(this.#pager, number, `a page of level ${level - 1}`, page);
      }
    }
    if (pageKind(page) !== PAGE_KIND.leaf) {
      throw damagedTree(this.#pager, number, 'a leaf page', page);
    }
    const last: Step = { number, index: 0 };
    way.push(last);
    last.index = key === null ? this.#edge(page) : this.#indexAt(page, key);
    this.#way = way;
    this.#start = HERE;
    if (last.index < 0 || last.index >= cellCount(page)) this.#leave();
  }

  /** The index in a leaf of the first entry from a key on, in the direction; an open bound is not. */
  #indexAt(page: Uint8Array, key: Uint8Array): number {
    const found = searchCells(page, key, 0, key.length);
    const { lower, lowerOpen, upper, upperOpen } = this.#bounds;
    if (found >= 0) {
      const onBound = this.#reverse ? upperOpen && key === upper : lowerOpen && key === lower;
      if (!onBound) return found;
      return this.#reverse ? found - 1 : found + 1;
    }
    return this.#reverse ? -2 - found : -1 - found;
  }

  #edge(page: Uint8Array): number {
    return this.#reverse ? cellCount(page) - 1 : 0;
  }

  #advance(): void {
    const last = this.#last;
    last.index += this.#reverse ? -1 : 1;
    const leaf = this.#leaf;
    assert(leaf !== null, 'the page of the entry just pushed is known');
    if (last.index < 0 || last.index >= cellCount(leaf)) this.#leave();
  }

  #leave(): void {
    this.#start = NEIGHBOUR;
    this.#leaf = null;
    this.#toNeighbour();
  }

  /** To the leaf beside, or beyond. Where a page is missing, the next attempt calls it again. */
  #toNeighbour(): void {
    const step = this.#reverse ? -1 : 1;
    for (;;) {
      const way = this.#way;
      let depth = way.length - 2;
      for (; depth >= 0; depth--) {
        const above = way[depth]!;
        const index = above.index + step;
        if (index >= 0 && index < cellCount(this.#page(above.number))) break;
      }
      if (depth < 0) {
        this.#start = END;
        return;
      }
      const next = way.slice(0, depth + 1).map(({ number, index }) => ({ number, index }));
      next[depth]!.index += step;
      for (let at = depth; at < way.length - 1; at++) {
        const above = next[at]!;
        const number = childAt(this.#page(above.number), above.index);
        next.push({ number, index: this.#edge(this.#page(number)) });
      }
      this.#way = next;
      // The last leaf may be empty.
      if (cellCount(this.#page(next.at(-1)!.number)) > 0) break;
    }
    this.#start = HERE;
  }
}
