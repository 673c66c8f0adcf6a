/**
 * The index of a table as searches want it: separators, places of blocks and of their filters in
 * typed arrays, decoded once; and which blocks are in memory. Not here: reading blocks (`table`)
 * and deciding which stay (`block-cache`).
 */

import { BlockCursor } from './block-cursor.ts';
import type { KeptBlocks } from './block-cache.ts';
import type { Block } from './block.ts';
import { bloomMayHold } from './bloom-filter.ts';
import type { FilterBlock } from './filter-block.ts';
import { KeyFences } from './key-fences.ts';
import type { BlockHandle } from './table-format.ts';

export class TableLayout {
  /** The separators: a key is in the block at the first one that is not before it. */
  readonly fences: KeyFences;
  /** By the number of the block; null: not in memory. The block cache's. */
  readonly blocks: KeptBlocks;
  readonly #offsets: Float64Array;
  readonly #lengths: Uint32Array;
  readonly #filter: FilterBlock | null;
  /** Where the filter of a block begins and ends; an end of 0: nothing is excluded. */
  readonly #filterStarts: Uint32Array;
  readonly #filterEnds: Uint32Array;

  /** `handleAt` decodes the handle under a cursor of the index. @throws HOLDFAST_CORRUPTION */
  constructor(
    index: Block,
    filter: FilterBlock | null,
    handleAt: (cursor: BlockCursor) => BlockHandle,
  ) {
    const keys: Uint8Array[] = [];
    const handles: BlockHandle[] = [];
    const cursor = new BlockCursor(index);
    for (cursor.seekToFirst(); cursor.valid; cursor.next()) {
      keys.push(cursor.key.slice(0, cursor.keyLength));
      handles.push(handleAt(cursor));
    }
    this.fences = new KeyFences(keys);
    this.blocks = handles.map(() => null);
    this.#offsets = Float64Array.from(handles, ({ offset }) => offset);
    this.#lengths = Uint32Array.from(handles, ({ length }) => length);
    this.#filter = filter;
    this.#filterStarts = new Uint32Array(filter === null ? 0 : handles.length);
    this.#filterEnds = new Uint32Array(filter === null ? 0 : handles.length);
    for (const [place, { offset }] of handles.entries()) {
      const range = filter?.rangeOf(offset);
      if (range == null) continue;
      this.#filterStarts[place] = range.start;
      this.#filterEnds[place] = range.end;
    }
  }

  /** Blocks of the table. */
  get count(): number {
    return this.fences.count;
  }

  /** Where the block of a number is. */
  handle(place: number): BlockHandle {
    return { offset: this.#offsets[place]!, length: this.#lengths[place]! };
  }

  /** False only when the block of a number holds no key of this hash. */
  mayHold(place: number, keyHash: number): boolean {
    if (this.#filter === null) return true;
    const end = this.#filterEnds[place]!;
    if (end === 0) return true;
    return bloomMayHold(this.#filter.bytes, this.#filterStarts[place]!, end, keyHash);
  }
}
