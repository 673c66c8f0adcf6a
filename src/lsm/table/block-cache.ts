/**
 * Blocks that were read, bounded in bytes. One that was asked for again gets a second chance when
 * room is made. Not here: reading.
 */

import type { Block } from './block.ts';
import type { Table } from './table.ts';

/** What a block costs beside its bytes, about. */
const ENTRY_BYTES = 256;

interface Entry {
  readonly block: Block;
  readonly table: Table;
  readonly offset: number;
  isUsed: boolean;
}

/** A cache of data blocks. */
export class BlockCache {
  readonly #bytesMax: number;
  readonly #tables = new Map<Table, Map<number, Entry>>();
  /** Oldest first, from `#oldest`; compacted now and then. */
  #order: (Entry | null)[] = [];
  #oldest = 0;
  #bytes = 0;

  /** `bytesMax` 0: nothing is kept. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Bytes of memory, about. */
  get bytes(): number {
    return this.#bytes;
  }

  get(table: Table, offset: number): Block | null {
    const entry = this.#tables.get(table)?.get(offset);
    if (entry === undefined) return null;
    entry.isUsed = true;
    return entry.block;
  }

  put(table: Table, offset: number, block: Block): void {
    const cost = block.bytes.length + ENTRY_BYTES;
    if (cost > this.#bytesMax) return;
    let blocks = this.#tables.get(table);
    if (blocks === undefined) {
      blocks = new Map();
      this.#tables.set(table, blocks);
    }
    if (blocks.has(offset)) return;
    const entry = { block, table, offset, isUsed: false };
    blocks.set(offset, entry);
    this.#order.push(entry);
    this.#bytes += cost;
    while (this.#bytes > this.#bytesMax) this.#evictOne();
  }

  /** Drops the blocks of a table that is gone. */
  drop(table: Table): void {
    for (const { block } of this.#tables.get(table)?.values() ?? []) {
      this.#bytes -= block.bytes.length + ENTRY_BYTES;
    }
    this.#tables.delete(table);
  }

  clear(): void {
    this.#tables.clear();
    this.#order = [];
    this.#oldest = 0;
    this.#bytes = 0;
  }

  #evictOne(): void {
    const entry = this.#order[this.#oldest];
    this.#order[this.#oldest++] = null;
    if (this.#oldest > 1024 && this.#oldest * 2 > this.#order.length) {
      this.#order = this.#order.slice(this.#oldest);
      this.#oldest = 0;
    }
    if (entry === null || entry === undefined) return;
    const blocks = this.#tables.get(entry.table);
    // Its table was dropped, and its bytes with it.
    if (blocks?.get(entry.offset) !== entry) return;
    if (entry.isUsed) {
      entry.isUsed = false;
      this.#order.push(entry);
      return;
    }
    blocks.delete(entry.offset);
    if (blocks.size === 0) this.#tables.delete(entry.table);
    this.#bytes -= entry.block.bytes.length + ENTRY_BYTES;
  }
}
