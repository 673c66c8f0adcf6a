/**
 * Reads what can be read of a damaged tree: every leaf page that the tree leads to or, where it
 * leads nowhere, that the free list calls used. A leaf that was given up keeps its bytes in the
 * file, so that without the free list some entries may come back that had been deleted: the report
 * says so. Not here: what becomes of the entries (`repair-tree`).
 */

import { CorruptionError } from '../base/errors.ts';
import type { Damage } from '../engine/engine-reports.ts';
import { freeListPageOf, isFreeListPage, isUsed } from './free-list.ts';
import { META_PAGE, rootPage } from './meta-page.ts';
import { overflowBytes } from './overflow.ts';
import {
  PAGE_HEADER_BYTES,
  PAGE_KIND,
  cellCount,
  nextPage,
  pageKind,
  pageLevel,
  pagePosition,
} from './page-format.ts';
import { CellCursor, childAt } from './slotted-page.ts';
import type { StillTree } from './still-tree.ts';
import { NO_ROOT } from './tree-check.ts';

/** Takes an entry that was saved. */
export type SavedEntry = (key: Uint8Array, value: Uint8Array, position: number) => void;

export class TreeSalvage {
  readonly damage: Damage[] = [];
  readonly #tree: StillTree;
  /** Leaves that the tree leads to, in the order of their keys. */
  readonly #leaves: number[] = [];
  readonly #seen = new Set<number>();
  #whole = true;
  readonly #pages: number;

  /** `pages`: how many the file has room for. */
  constructor(tree: StillTree, pages: number) {
    this.#tree = tree;
    this.#pages = Math.max(pages, ...[...tree.overlay.keys()].map((number) => number + 1));
  }

  /** Finds the leaves, the better ones last: of two entries with one key, the later one counts. */
  async leaves(signal: AbortSignal | undefined): Promise<number[]> {
    const meta = await this.#read(META_PAGE);
    if (meta === null || pageKind(meta) !== PAGE_KIND.meta) this.#whole = false;
    else if (rootPage(meta) === META_PAGE) this.#lost(META_PAGE, NO_ROOT);
    else await this.#walk(rootPage(meta), null);
    if (this.#whole) return this.#leaves;
    const others: { readonly number: number; readonly position: number }[] = [];
    for (let number = 0; number < this.#pages; number++) {
      if (number % 256 === 0) signal?.throwIfAborted();
      if (this.#seen.has(number) || isFreeListPage(number, this.#tree.file.pageBytes)) continue;
      const page = await this.#readQuietly(number);
      if (page === null || pageKind(page) !== PAGE_KIND.leaf) continue;
      if (await this.#isGivenUp(number)) continue;
      others.push({ number, position: pagePosition(page) });
    }
    others.sort((a, b) => a.position - b.position);
    return [...others.map(({ number }) => number), ...this.#leaves];
  }

  /** Shows the entries of a leaf that can be read whole. */
  async entriesOf(leaf: number, show: SavedEntry): Promise<void> {
    const page = await this.#readQuietly(leaf);
    if (page === null) return;
    const cursor = new CellCursor();
    for (let index = 0; index < cellCount(page); index++) {
      cursor.at(page, index);
      const key = page.subarray(cursor.keyStart, cursor.keyEnd);
      const { overflows, child, valueStart, valueLength } = cursor;
      const value = overflows
        ? await this.#longValue(key, child, valueLength)
        : page.subarray(valueStart, valueStart + valueLength);
      if (value !== null) show(key, value, pagePosition(page));
    }
  }

  async #walk(number: number, level: number | null): Promise<void> {
    if (this.#seen.has(number)) return this.#lost(number, 'more than one thing leads to it');
    const page = await this.#read(number);
    if (page === null) return;
    const kind = pageKind(page);
    const isLeaf = kind === PAGE_KIND.leaf;
    if (!(isLeaf || kind === PAGE_KIND.branch) || (level !== null && pageLevel(page) !== level)) {
      return this.#lost(number, `it is a page of kind ${kind}, level ${pageLevel(page)}`);
    }
    this.#seen.add(number);
    if (isLeaf) {
      this.#leaves.push(number);
      return;
    }
    for (let index = 0; index < cellCount(page); index++) {
      await this.#walk(childAt(page, index), pageLevel(page) - 1);
    }
  }

  /** Whether the free list says that nothing leads to a page. */
  async #isGivenUp(number: number): Promise<boolean> {
    const list = freeListPageOf(number, this.#tree.file.pageBytes);
    const page = await this.#readQuietly(list);
    if (page !== null && pageKind(page) === PAGE_KIND.freeList) return !isUsed(page, number);
    if (!this.#seen.has(list)) {
      this.#seen.add(list);
      this.#note(list, 'the free list is lost: some entries may be back that had been deleted');
    }
    return false;
  }

  async #longValue(key: Uint8Array, first: number, length: number): Promise<Uint8Array | null> {
    const { pageBytes } = this.#tree.file;
    const room = this.#pages * pageBytes;
    const value = length <= room ? Buffer.allocUnsafeSlow(length) : Buffer.alloc(0);
    let number = first;
    for (let done = 0; done < length;) {
      const page = length <= room ? await this.#readQuietly(number) : null;
      const more = Math.min(overflowBytes(pageBytes), length - done);
      const last = done + more === length;
      if (
        page === null ||
        pageKind(page) !== PAGE_KIND.overflow ||
        (nextPage(page) === 0) !== last
      ) {
        const name = JSON.stringify(Buffer.from(key).toString('latin1', 0, 100));
        this.#note(
          number,
          `the value of the key ${name} of ${length} bytes is lost at byte ${done}`,
        );
        return null;
      }
      value.set(page.subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + more), done);
      done += more;
      number = nextPage(page);
    }
    return value;
  }

  async #read(number: number): Promise<Uint8Array | null> {
    try {
      return await this.#tree.page(number);
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      this.#lost(number, error.message);
      return null;
    }
  }

  async #readQuietly(number: number): Promise<Uint8Array | null> {
    try {
      return await this.#tree.page(number);
    } catch (error) {
      // A page that nothing leads to may be anything; what is missed is told by who looked for it.
      if (error instanceof CorruptionError) return null;
      throw error;
    }
  }

  #lost(number: number, message: string): void {
    this.#whole = false;
    this.#note(number, message);
  }

  #note(number: number, message: string): void {
    const { path, pageBytes } = this.#tree.file;
    this.damage.push({ path, offset: number * pageBytes, message });
  }
}
