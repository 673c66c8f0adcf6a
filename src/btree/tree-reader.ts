/**
 * Looks one key up, in the state of now or in one that a snapshot holds. Reads pages as readers see
 * them; throws `PageMissing` where one is not in memory and the caller must not wait.
 */

import { META_PAGE, rootPage } from './meta-page.ts';
import { OverflowReader } from './overflow.ts';
import { PAGE_KIND, pageKind, pageLevel } from './page-format.ts';
import type { Pager } from './pager.ts';
import { CellCursor, childAt, copyBytes, searchCells, searchChild } from './slotted-page.ts';
import { damagedTree } from './tree-damage.ts';

/** The state of now, in the place of a sequence number. */
export const NOW = -1;

/** A page as a state has it. */
export function pageOf(pager: Pager, number: number, state: number): Buffer {
  return state === NOW ? pager.view(number) : pager.viewAt(number, state);
}

/** The leaf page that a key belongs to. @throws PageMissing, HOLDFAST_CORRUPTION */
export function findLeaf(
  pager: Pager,
  key: Uint8Array,
  keyStart: number,
  keyEnd: number,
  state: number,
): Buffer {
  let number = rootPage(pageOf(pager, META_PAGE, state));
  let page = pageOf(pager, number, state);
  for (let level = pageLevel(page); level > 0; level--) {
    if (pageKind(page) !== PAGE_KIND.branch || pageLevel(page) !== level) {
      throw damagedTree(pager, number, `a branch page of level ${level}`, page);
    }
    number = childAt(page, searchChild(page, key, keyStart, keyEnd));
    page = pageOf(pager, number, state);
  }
  if (pageKind(page) !== PAGE_KIND.leaf) throw damagedTree(pager, number, 'a leaf page', page);
  return page;
}

export class TreeReader {
  readonly #pager: Pager;
  readonly #cursor = new CellCursor();
  /** Keys that were looked up. */
  reads = 0;
  /** Pages that this looked at. One that missed a page is begun again, and counts once. */
  looks = 0;

  constructor(pager: Pager) {
    this.#pager = pager;
  }

  has(key: Uint8Array, state: number): boolean {
    const leaf = this.#leafOf(key, state);
    return searchCells(leaf, key, 0, key.length) >= 0;
  }

  /**
   * The value of a key, copied; a reader to go on with where it is in overflow pages; undefined
   * where there is none.
   */
  get(key: Uint8Array, state: number): Buffer | OverflowReader | undefined {
    const leaf = this.#leafOf(key, state);
    const index = searchCells(leaf, key, 0, key.length);
    if (index < 0) return undefined;
    const cursor = this.#cursor;
    cursor.at(leaf, index);
    const { valueStart, valueLength } = cursor;
    if (cursor.overflows) return new OverflowReader(this.#pager, cursor.child, valueLength);
    return copied(leaf, valueStart, valueLength);
  }

  /** A value in overflow pages. @throws PageMissing: call again, it goes on where it was */
  readLong(long: OverflowReader, state: number): Buffer {
    const before = this.#pager.looks;
    try {
      return long.read((number) => pageOf(this.#pager, number, state));
    } finally {
      this.looks += this.#pager.looks - before;
    }
  }

  #leafOf(key: Uint8Array, state: number): Buffer {
    const before = this.#pager.looks;
    const leaf = findLeaf(this.#pager, key, 0, key.length, state);
    this.looks += this.#pager.looks - before;
    this.reads++;
    return leaf;
  }
}

/**
 * Reads one value after the other. Where a page is missing, the next call for the same key goes on
 * where it was: a long value need not be in memory as pages, all at one time.
 */
export class ValueReading {
  readonly #reader: TreeReader;
  #long: OverflowReader | null = null;

  constructor(reader: TreeReader) {
    this.#reader = reader;
  }

  /** @throws PageMissing: call again for the same key and state */
  read(key: Uint8Array, state: number): Buffer | undefined {
    if (this.#long === null) {
      const found = this.#reader.get(key, state);
      if (!(found instanceof OverflowReader)) return found;
      this.#long = found;
    }
    const value = this.#reader.readLong(this.#long, state);
    this.#long = null;
    return value;
  }
}

/** A buffer of its own for bytes of a page. */
export function copied(page: Uint8Array, start: number, length: number): Buffer {
  const value = Buffer.allocUnsafe(length);
  copyBytes(page, start, start + length, value, 0);
  return value;
}
