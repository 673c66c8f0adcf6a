/**
 * Blocks that were read, bounded in bytes. One that was asked for again gets a second chance when
 * room is made. Each table keeps an array of its own, so that a block is found without a search.
 * Not here: reading.
 */

import type { Block } from './block.ts';

/** What a block costs beside its bytes, about. */
const ENTRY_BYTES = 512;

/** The blocks of one table, by number; null: not in memory. */
export type KeptBlocks = (Block | null)[];

/** How a block is kept. */
interface KeptBlock {
  readonly block: Block;
  readonly blocks: KeptBlocks;
  readonly place: number;
  readonly cost: number;
}

/** A cache of data blocks. */
export class BlockCache {
  readonly #bytesMax: number;
  /** Oldest first, from `#oldest`; compacted now and then. */
  #order: (KeptBlock | null)[] = [];
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

  get(blocks: KeptBlocks, place: number): Block | null {
    const block = blocks[place]!;
    if (block !== null) block.isUsed = true;
    return block;
  }

  /** Keeps a block. Where others would have to go for it, only with `makeRoom`. */
  put(blocks: KeptBlocks, place: number, block: Block, makeRoom: boolean): void {
    const cost = block.bytes.length + ENTRY_BYTES;
    if (blocks[place] !== null) return;
    if ((makeRoom ? cost : this.#bytes + cost) > this.#bytesMax) return;
    blocks[place] = block;
    this.#order.push({ block, blocks, place, cost });
    this.#bytes += cost;
    while (this.#bytes > this.#bytesMax) this.#evictOne();
  }

  /** Drops the blocks of a table that is gone. */
  drop(blocks: KeptBlocks): void {
    blocks.fill(null);
    const order: (KeptBlock | null)[] = [];
    for (const entry of this.#order) {
      if (entry === null) continue;
      if (entry.blocks === blocks) this.#bytes -= entry.cost;
      else order.push(entry);
    }
    this.#order = order;
    this.#oldest = 0;
  }

  clear(): void {
    for (const entry of this.#order) if (entry !== null) entry.blocks[entry.place] = null;
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
    if (entry.block.isUsed) {
      entry.block.isUsed = false;
      this.#order.push(entry);
      return;
    }
    entry.blocks[entry.place] = null;
    this.#bytes -= entry.cost;
  }
}
