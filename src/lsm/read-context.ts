/**
 * How a search or a cursor gets at tables and blocks. What is in memory comes at once; what is not
 * is noted, and the reader stops as *blocked* until its driver has loaded it, on the calling thread
 * or on the thread pool. So every reader is written once.
 */

import { assert } from '../base/assert.ts';
import type { TwoFormCall } from '../durable/two-forms.ts';
import type { Block } from './table/block.ts';
import type { TableCache, TableRef } from './table/table-cache.ts';
import type { Table } from './table/table.ts';

/** Access for one reader. */
export class ReadContext {
  readonly #cache: TableCache;
  readonly #keep: boolean;
  /** Whether the reader may wait on the calling thread: then it is never blocked. */
  mayWait: boolean;
  /** What the reader is blocked for. */
  readonly #wanted: TwoFormCall[] = [];
  /** What was loaded for the reader and that the cache may have let go again. */
  readonly #held = new Map<Table, Map<number, Block>>();
  #heldCount = 0;

  constructor(cache: TableCache, keep: boolean, mayWait: boolean) {
    this.#cache = cache;
    this.#keep = keep;
    this.mayWait = mayWait;
  }

  /** Whether reads on the calling thread can be expected not to wait for a device. */
  get isReadyForCalling(): boolean {
    return this.#cache.isReadyForCalling;
  }

  /** The open table; null when it is wanted now. */
  table(ref: TableRef): Table | null {
    const table = this.#cache.peek(ref);
    if (table !== null) return table;
    if (this.mayWait) return this.#cache.openSync(ref);
    this.#wanted.push({
      now: () => this.#cache.openSync(ref),
      later: () => this.#cache.open(ref),
    });
    return null;
  }

  /** A block of a table, by its number; null when it is wanted now. */
  block(table: Table, place: number): Block | null {
    const known = this.#cache.peekBlock(table, place);
    if (known !== null) return known;
    if (this.mayWait) return this.#cache.readBlockSync(table, place, this.#keep);
    const held = this.#held.get(table)?.get(place);
    if (held !== undefined) return held;
    this.#wanted.push({
      now: () => this.#hold(table, place, this.#cache.readBlockSync(table, place, this.#keep)),
      later: async () =>
        this.#hold(table, place, await this.#cache.readBlock(table, place, this.#keep)),
    });
    return null;
  }

  /** Whether the reader is blocked. */
  get isBlocked(): boolean {
    return this.#wanted.length > 0;
  }

  /** Loads what is wanted. Afterwards the reader goes on. */
  async load(): Promise<void> {
    const wanted = this.#wanted.splice(0);
    assert(wanted.length > 0, 'a blocked reader wants something');
    await Promise.all(wanted.map(({ later }) => later()));
  }

  /** As `load`, on the calling thread. */
  loadSync(): void {
    const wanted = this.#wanted.splice(0);
    assert(wanted.length > 0, 'a blocked reader wants something');
    for (const { now } of wanted) now();
  }

  /** Nothing is wanted any more: the reader goes elsewhere. */
  forget(): void {
    this.#wanted.length = 0;
    this.release();
  }

  /** Forgets what was held: the reader has moved on. */
  release(): void {
    if (this.#heldCount === 0) return;
    this.#held.clear();
    this.#heldCount = 0;
  }

  #hold(table: Table, place: number, block: Block): void {
    let blocks = this.#held.get(table);
    if (blocks === undefined) {
      blocks = new Map();
      this.#held.set(table, blocks);
    }
    blocks.set(place, block);
    this.#heldCount++;
  }
}
