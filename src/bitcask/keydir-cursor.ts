/**
 * Walks over the keys of one state of the keydir, both ways. The state must not change meanwhile:
 * it is a snapshot. Allocates nothing for a step.
 */

import { LONG_KEY, LEAF_PAYLOAD, cellAt, childIndex, childOf, countOf } from './keydir-page.ts';
import { findCell, get16, get32, isLeaf, storedKeyLength } from './keydir-page.ts';
import type { KeyLocation } from './key-location.ts';
import type { KeydirPages, PagesSnapshot } from './keydir-pages.ts';

/** A place between keys, or on one. */
export class KeydirCursor {
  /** The key at the cursor is `keys` from `keyStart` to before `keyEnd`, until the next step. */
  keys: Buffer = Buffer.alloc(0);
  keyStart = 0;
  keyEnd = 0;

  readonly #pages: KeydirPages;
  readonly #root: number;
  /** The way to the leaf: inner pages and the children taken. */
  readonly #path: number[] = [];
  readonly #taken: number[] = [];
  #u8: Buffer;
  #base = 0;
  /** Cell in the leaf; -1 or the count: beside its keys. */
  #index = -1;
  #count = 0;

  /** REQUIRES: nobody drops the snapshot while the cursor is used. */
  constructor(pages: KeydirPages, snapshot: PagesSnapshot) {
    this.#pages = pages;
    this.#root = snapshot.root;
    this.#u8 = pages.array(snapshot.root);
    this.first();
  }

  /** Whether it is on a key. */
  get valid(): boolean {
    return this.#index >= 0 && this.#index < this.#count;
  }

  /** Goes to where another cursor of the same state is. */
  goTo(other: KeydirCursor): void {
    this.#path.length = 0;
    this.#taken.length = 0;
    this.#path.push(...other.#path);
    this.#taken.push(...other.#taken);
    this.#u8 = other.#u8;
    this.#base = other.#base;
    this.#index = other.#index;
    this.#count = other.#count;
    this.#loadKey();
  }

  /** Goes to the first key. */
  first(): void {
    this.#descendTo(this.#root, -1);
    this.#index = 0;
    if (this.#count === 0) this.#nextLeaf();
    this.#loadKey();
  }

  /** Goes to the last key. */
  last(): void {
    this.#descendTo(this.#root, 1);
    this.#index = this.#count - 1;
    if (this.#count === 0) this.#previousLeaf();
    this.#loadKey();
  }

  /** Goes to the first key that is not below `key`. */
  seek(key: Uint8Array): void {
    const pages = this.#pages;
    this.#path.length = 0;
    this.#taken.length = 0;
    let page = this.#root;
    for (;;) {
      const u8 = pages.array(page);
      const base = pages.base(page);
      if (isLeaf(u8, base)) break;
      const index = childIndex(u8, base, pages.longKeys, key, 0, key.length);
      this.#path.push(page);
      this.#taken.push(index);
      page = childOf(u8, base, index);
    }
    this.#enter(page);
    const found = findCell(this.#u8, this.#base, pages.longKeys, key, 0, key.length);
    this.#index = found >= 0 ? found : ~found;
    if (this.#index >= this.#count) this.#nextLeaf();
    this.#loadKey();
  }

  /** Goes to the next key. REQUIRES: `valid`. */
  next(): void {
    if (++this.#index >= this.#count) this.#nextLeaf();
    this.#loadKey();
  }

  /** Goes to the key before. REQUIRES: `valid`. */
  previous(): void {
    if (--this.#index < 0) this.#previousLeaf();
    this.#loadKey();
  }

  /** Says where the key's entry is. REQUIRES: `valid`. */
  location(location: KeyLocation): void {
    location.load(this.#u8, cellAt(this.#u8, this.#base, this.#index));
  }

  #loadKey(): void {
    if (!this.valid) return;
    const at = cellAt(this.#u8, this.#base, this.#index);
    const head = get16(this.#u8, at);
    const from = at + 2 + LEAF_PAYLOAD;
    if ((head & LONG_KEY) !== 0) {
      this.keys = this.#pages.longKeys[get32(this.#u8, from)]!;
      this.keyStart = 0;
      this.keyEnd = this.keys.length;
    } else {
      this.keys = this.#u8;
      this.keyStart = from;
      this.keyEnd = from + storedKeyLength(head);
    }
  }

  #enter(leaf: number): void {
    this.#u8 = this.#pages.array(leaf);
    this.#base = this.#pages.base(leaf);
    this.#count = countOf(this.#u8, this.#base);
  }

  /** Down the left (-1) or the right (1) side of a page. */
  #descendTo(top: number, side: -1 | 1): void {
    const pages = this.#pages;
    if (top === this.#root) {
      this.#path.length = 0;
      this.#taken.length = 0;
    }
    let page = top;
    for (;;) {
      const u8 = pages.array(page);
      const base = pages.base(page);
      if (isLeaf(u8, base)) break;
      const index = side < 0 ? -1 : countOf(u8, base) - 1;
      this.#path.push(page);
      this.#taken.push(index);
      page = childOf(u8, base, index);
    }
    this.#enter(page);
  }

  #nextLeaf(): void {
    for (;;) {
      const page = this.#path.at(-1);
      if (page === undefined) {
        this.#index = this.#count;
        return;
      }
      const index = this.#taken.at(-1)! + 1;
      const u8 = this.#pages.array(page);
      const base = this.#pages.base(page);
      if (index >= countOf(u8, base)) {
        this.#path.pop();
        this.#taken.pop();
        continue;
      }
      this.#taken[this.#taken.length - 1] = index;
      this.#descendTo(childOf(u8, base, index), -1);
      this.#index = 0;
      if (this.#count > 0) return;
    }
  }

  #previousLeaf(): void {
    for (;;) {
      const page = this.#path.at(-1);
      if (page === undefined) {
        this.#index = -1;
        return;
      }
      const index = this.#taken.at(-1)! - 1;
      if (index < -1) {
        this.#path.pop();
        this.#taken.pop();
        continue;
      }
      const u8 = this.#pages.array(page);
      const base = this.#pages.base(page);
      this.#taken[this.#taken.length - 1] = index;
      this.#descendTo(childOf(u8, base, index), 1);
      this.#index = this.#count - 1;
      if (this.#count > 0) return;
    }
  }
}
