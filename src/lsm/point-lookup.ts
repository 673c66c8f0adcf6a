/**
 * The search for one key, from the newest place to the oldest: memtables, the tables of level 0,
 * one table of each other level. It stops at the first entry that the reader may see.
 */

import { KIND_DELETE, KIND_SEEK, kindAt, putTrailer, TRAILER_BYTES } from './internal-key.ts';
import type { TableMeta } from './manifest/version-edit.ts';
import { compareUser } from './manifest/version.ts';
import type { Memtable } from './memtable.ts';
import type { ReadContext } from './read-context.ts';
import type { ReadState } from './read-state.ts';
import { bloomHash } from './table/bloom-filter.ts';
import { copyRange } from './table/block-builder.ts';
import { BlockCursor } from './table/block-cursor.ts';
import { BlockLookup, LOOKUP } from './table/block-lookup.ts';
import type { Block } from './table/block.ts';

/** What a search ended with. */
export const FOUND = { nothing: 0, value: 1, blocked: 2 } as const;
export type Found = (typeof FOUND)[keyof typeof FOUND];

/**
 * A search that can be used again and again, one at a time. After `FOUND.value` the fields hold
 * where the value is.
 */
export class PointLookup {
  valueBytes: Uint8Array = new Uint8Array(0);
  valueStart = 0;
  valueEnd = 0;
  #target = new Uint8Array(256);
  #targetLength = 0;
  #sequence = 0;
  #hash = 0;
  #data: BlockCursor | null = null;
  readonly #lookup = new BlockLookup();

  /** Searches a state. At `FOUND.blocked`, load what the context wants and search again. */
  find(state: ReadState, key: Uint8Array, context: ReadContext): Found {
    this.#aim(key, state.sequence);
    for (const memtable of state.memtables) {
      const found = this.#inMemtable(memtable);
      if (found !== null) return found;
    }
    const { length } = key;
    const { version } = state;
    for (const table of version.levels[0]!) {
      if (compareUser(table.smallest, key, 0, length) > 0) continue;
      if (compareUser(table.largest, key, 0, length) < 0) continue;
      const found = this.#inTable(table, context, false);
      if (found !== null) return found;
    }
    for (let level = 1; level <= version.deepest; level++) {
      if (version.levels[level]!.length === 0) continue;
      const table = version.tableOf(level, this.#target, this.#targetLength);
      if (table === null) continue;
      const found = this.#inTable(table, context, level === version.largest);
      if (found !== null) return found;
    }
    return FOUND.nothing;
  }

  #aim(key: Uint8Array, sequence: number): void {
    const length = key.length;
    if (length + TRAILER_BYTES > this.#target.length) this.#target = new Uint8Array(2 * length + 8);
    copyRange(this.#target, 0, key, 0, length);
    this.#sequence = sequence;
    this.#targetLength = putTrailer(this.#target, length, sequence, KIND_SEEK);
    this.#hash = bloomHash(this.#target, 0, length);
  }

  #inMemtable(memtable: Memtable): Found | null {
    if (memtable.count === 0 || !memtable.mayHold(this.#hash)) return null;
    const node = memtable.seek(this.#target, this.#targetLength);
    if (node === 0) return null;
    const { arena } = memtable;
    const start = memtable.keyStart(node);
    const end = memtable.keyEnd(node);
    if (!this.#isTarget(arena, start, end)) return null;
    return this.#take(kindAt(arena, end), arena, end, memtable.valueEnd(node));
  }

  /**
   * In the largest level most of what is looked for is found: a block that is in memory tells that
   * as fast as its filter would.
   */
  #inTable(meta: TableMeta, context: ReadContext, isLargest: boolean): Found | null {
    const table = context.table(meta);
    if (table === null) return FOUND.blocked;
    const { layout } = table;
    const place = layout.fences.firstNotBefore(this.#target, this.#targetLength);
    if (place === layout.count) return null;
    const isFilterFirst = !isLargest || layout.blocks[place] === null;
    if (isFilterFirst && !layout.mayHold(place, this.#hash)) return null;
    const block = context.block(table, place);
    if (block === null) return FOUND.blocked;
    const lookup = this.#lookup;
    const result = lookup.find(block, this.#target, this.#targetLength, this.#sequence);
    if (result === LOOKUP.none) return null;
    if (result === LOOKUP.unsure) return this.#byCursor(block);
    const { keyEnd, valueEnd } = lookup;
    return this.#take(kindAt(block.bytes, keyEnd), block.bytes, keyEnd, valueEnd);
  }

  #byCursor(block: Block): Found | null {
    this.#data = standIn(this.#data, block);
    const data = this.#data;
    data.seek(this.#target, this.#targetLength);
    if (!data.valid || !this.#isTarget(data.key, 0, data.keyLength)) return null;
    const kind = kindAt(data.key, data.keyLength);
    return this.#take(kind, block.bytes, data.valueStart, data.valueEnd);
  }

  #take(kind: number, value: Uint8Array, start: number, end: number): Found {
    if (kind === KIND_DELETE) return FOUND.nothing;
    this.valueBytes = value;
    this.valueStart = start;
    this.valueEnd = end;
    return FOUND.value;
  }

  /** Whether an internal key has the user key that is sought. */
  #isTarget(bytes: Uint8Array, start: number, end: number): boolean {
    const length = end - start;
    if (length !== this.#targetLength) return false;
    const target = this.#target;
    for (let index = length - TRAILER_BYTES - 1; index >= 0; index--) {
      if (bytes[start + index] !== target[index]) return false;
    }
    return true;
  }
}

function standIn(cursor: BlockCursor | null, block: Block): BlockCursor {
  if (cursor === null) return new BlockCursor(block);
  cursor.reset(block);
  return cursor;
}
