/**
 * Where the keydir's pages come from: chunks of bytes outside the JavaScript heap, a free list,
 * copies on write for snapshots, and the keys that are too long for a page. Knows nothing of the
 * tree.
 *
 * A page is born at a version. A snapshot of version v sees pages born at v or before. A page that
 * no live snapshot sees is changed in place; one that is seen is copied, and the old one waits in
 * the list of the newest snapshot that sees it. When that snapshot goes, the page goes too, or
 * moves on to the next older snapshot that was there when the page was born.
 */

import { assert } from '../base/assert.ts';
import {
  PAGE_BYTES,
  LONG_KEY,
  birthOf,
  cellAt,
  countOf,
  get16,
  get32,
  initPage,
  longCount,
  payloadBytes,
  setBirth,
} from './keydir-page.ts';

const CHUNK_PAGES_LOG2 = 8;
const CHUNK_PAGES = 1 << CHUNK_PAGES_LOG2;
/** The first chunks are smaller, so that a small store costs little; their other numbers go unused. */
const FIRST_CHUNK_PAGES = 8;

/** A version that somebody reads. */
export interface PagesSnapshot {
  readonly version: number;
  readonly root: number;
  /** Readers of it. */
  holders: number;
  /** Pages that were replaced and that this snapshot, the newest of all, still sees. */
  pages: number[];
}

export class KeydirPages {
  /** The page that the tree begins with. */
  root: number;
  readonly #chunks: Buffer[] = [];
  readonly #free: number[] = [];
  #pageCount = 0;
  /** Oldest first. */
  readonly #snapshots: PagesSnapshot[] = [];
  /** Long keys by number, and how many cells hold each number. */
  readonly longKeys: (Buffer | undefined)[] = [];
  readonly #longHolders: number[] = [];
  readonly #longFree: number[] = [];
  #longBytes = 0;
  #version = 1;
  /** Version of the newest live snapshot; 0 when there is none. */
  #newest = 0;
  #changed = true;

  constructor(rootKind: number) {
    this.root = this.allocate(rootKind);
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#pageCount * PAGE_BYTES + this.#longBytes;
  }

  /** Pages of the tree and of its snapshots. */
  get pagesInUse(): number {
    return this.#pageCount - this.#free.length;
  }

  /** Long keys that some cell holds. */
  get longKeysInUse(): number {
    return this.longKeys.length - this.#longFree.length;
  }

  get snapshotCount(): number {
    let count = 0;
    for (const snapshot of this.#snapshots) count += snapshot.holders;
    return count;
  }

  /** The array that holds the page. */
  array(page: number): Buffer {
    return this.#chunks[page >>> CHUNK_PAGES_LOG2]!;
  }

  /** Where the page begins in its array. */
  base(page: number): number {
    return (page & (CHUNK_PAGES - 1)) * PAGE_BYTES;
  }

  /** A new, empty page. */
  allocate(kind: number): number {
    const page = this.#take();
    initPage(this.array(page), this.base(page), kind, this.#version);
    return page;
  }

  /** The page itself, or a copy where a snapshot sees it: then the caller names the copy instead. */
  writable(page: number): number {
    this.#changed = true;
    const source = this.array(page);
    const base = this.base(page);
    if (birthOf(source, base) > this.#newest) return page;
    const copy = this.#take();
    const target = this.array(copy);
    const targetBase = this.base(copy);
    target.set(source.subarray(base, base + PAGE_BYTES), targetBase);
    setBirth(target, targetBase, this.#version);
    this.#holdLong(target, targetBase, 1);
    this.release(page);
    return copy;
  }

  /** The tree of now has no use for the page any more. */
  release(page: number): void {
    const snapshot = this.#snapshots.at(-1);
    if (snapshot !== undefined && birthOf(this.array(page), this.base(page)) <= snapshot.version) {
      snapshot.pages.push(page);
    } else {
      this.#giveBack(page);
    }
  }

  /** Holds the state of now. */
  takeSnapshot(): PagesSnapshot {
    const last = this.#snapshots.at(-1);
    if (last !== undefined && !this.#changed) {
      last.holders++;
      return last;
    }
    const snapshot = { version: this.#version, root: this.root, holders: 1, pages: [] };
    this.#snapshots.push(snapshot);
    this.#newest = this.#version++;
    this.#changed = false;
    return snapshot;
  }

  /** Gives one hold back. */
  dropSnapshot(snapshot: PagesSnapshot): void {
    assert(snapshot.holders > 0, 'a snapshot is dropped once for each time it was taken');
    if (--snapshot.holders > 0) return;
    const index = this.#snapshots.indexOf(snapshot);
    this.#snapshots.splice(index, 1);
    this.#newest = this.#snapshots.at(-1)?.version ?? 0;
    // The state of now is that of no older one.
    if (index === this.#snapshots.length) this.#changed = true;
    const older = this.#snapshots[index - 1];
    for (const page of snapshot.pages) {
      const seen = older !== undefined && this.#birth(page) <= older.version;
      if (seen) older.pages.push(page);
      else this.#giveBack(page);
    }
    snapshot.pages = [];
  }

  /** Keeps a long key; its number is held by one cell. */
  keepLong(key: Uint8Array): number {
    const number = this.#longFree.pop() ?? this.longKeys.length;
    this.longKeys[number] = Buffer.from(key);
    this.#longHolders[number] = 1;
    this.#longBytes += key.length;
    return number;
  }

  /** A cell with this number is gone. */
  dropLong(number: number): void {
    const holders = (this.#longHolders[number] ?? 0) - 1;
    this.#longHolders[number] = holders;
    assert(holders >= 0, 'a long key is given up once for each cell');
    if (holders > 0) return;
    this.#longBytes -= this.longKeys[number]?.length ?? 0;
    this.longKeys[number] = undefined;
    this.#longFree.push(number);
  }

  /** Cells `from` to before `to` of a page were copied to another one. */
  holdCopies(u8: Uint8Array, base: number, from: number, to: number): void {
    if (longCount(u8, base) > 0) this.#holdCells(u8, base, from, to, 1);
  }

  #birth(page: number): number {
    return birthOf(this.array(page), this.base(page));
  }

  #take(): number {
    if (this.#free.length === 0) this.#addChunk();
    return this.#free.pop()!;
  }

  #addChunk(): void {
    const number = this.#chunks.length;
    const pages = Math.min(CHUNK_PAGES, FIRST_CHUNK_PAGES * 4 ** number);
    const first = number << CHUNK_PAGES_LOG2;
    this.#chunks.push(Buffer.from(new ArrayBuffer(pages * PAGE_BYTES)));
    this.#pageCount += pages;
    for (let index = pages - 1; index >= 0; index--) this.#free.push(first + index);
  }

  #giveBack(page: number): void {
    this.#holdLong(this.array(page), this.base(page), -1);
    this.#free.push(page);
  }

  /** A page with long keys was copied, or is gone. */
  #holdLong(u8: Uint8Array, base: number, change: 1 | -1): void {
    if (longCount(u8, base) > 0) this.#holdCells(u8, base, 0, countOf(u8, base), change);
  }

  #holdCells(u8: Uint8Array, base: number, from: number, to: number, change: 1 | -1): void {
    const keyOffset = 2 + payloadBytes(u8, base);
    for (let index = from; index < to; index++) {
      const at = cellAt(u8, base, index);
      if ((get16(u8, at) & LONG_KEY) === 0) continue;
      const number = get32(u8, at + keyOffset);
      if (change < 0) this.dropLong(number);
      else this.#longHolders[number] = (this.#longHolders[number] ?? 0) + 1;
    }
  }
}
