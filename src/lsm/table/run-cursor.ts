/**
 * A cursor over a run: tables whose key ranges follow each other, as in a level below the first; a
 * single table is a run too. Not here: what is loaded, when it is blocked (`read-context`).
 */

import { CURSOR } from '../entry-cursor.ts';
import type { CursorState, EntryCursor } from '../entry-cursor.ts';
import { compareInternal } from '../internal-key.ts';
import type { ReadContext } from '../read-context.ts';
import { BlockCursor } from './block-cursor.ts';
import type { TableRef } from './table-cache.ts';
import type { TableLayout } from './table-layout.ts';
import type { Table } from './table.ts';

/** A table of a run, with its last internal key. */
export interface RunTable extends TableRef {
  readonly largest: Uint8Array;
}

/** Where to stand in a table or block once it is there. */
type Goal = 'first' | 'last' | 'seek' | 'before';

export class RunCursor implements EntryCursor {
  readonly #context: ReadContext;
  readonly #tables: readonly RunTable[];
  /** Which table of the run, and the same opened. */
  #place = 0;
  #table: Table | null = null;
  #layout: TableLayout | null = null;
  /** Which block of the table. */
  #blockPlace = 0;
  #data: BlockCursor | null = null;
  #target: Uint8Array = new Uint8Array(0);
  #targetLength = 0;
  /** What was under way when it was blocked. */
  #goal: Goal = 'first';
  #blockedAt: 'table' | 'block' = 'table';
  state: CursorState = CURSOR.end;
  valueStart = 0;
  valueEnd = 0;
  keyBytes: Uint8Array = this.#target;
  keyEnd = 0;
  valueBytes: Uint8Array = this.#target;
  readonly keyStart = 0;

  constructor(context: ReadContext, tables: readonly RunTable[]) {
    this.#context = context;
    this.#tables = tables;
  }

  seekToFirst(): void {
    this.#enterTable(0, 'first');
  }

  seekToLast(): void {
    this.#enterTable(this.#tables.length - 1, 'last');
  }

  seek(target: Uint8Array, length: number): void {
    this.#aim(target, length);
    this.#enterTable(this.#firstNotBefore(), 'seek');
  }

  seekBefore(target: Uint8Array, length: number): void {
    this.#aim(target, length);
    const place = this.#firstNotBefore();
    if (place === this.#tables.length) this.#enterTable(place - 1, 'last');
    else this.#enterTable(place, 'before');
  }

  next(): void {
    const data = this.#data!;
    data.next();
    if (data.valid) this.#show(data);
    else this.#nextBlock();
  }

  previous(): void {
    const data = this.#data!;
    data.previous();
    if (data.valid) this.#show(data);
    else this.#previousBlock();
  }

  resume(): void {
    if (this.state !== CURSOR.blocked) return;
    if (this.#blockedAt === 'table') this.#enterTable(this.#place, this.#goal);
    else this.#enterBlock(this.#goal);
  }

  /** Keeps what is sought: the caller's bytes may change before the load is over. */
  #aim(target: Uint8Array, length: number): void {
    this.#target = target.slice(0, length);
    this.#targetLength = length;
  }

  /** The first table whose last key is not before the target. */
  #firstNotBefore(): number {
    let left = 0;
    let right = this.#tables.length;
    while (left < right) {
      const middle = (left + right) >>> 1;
      const { largest } = this.#tables[middle]!;
      const target = this.#target;
      const order = compareInternal(largest, 0, largest.length, target, 0, this.#targetLength);
      if (order < 0) left = middle + 1;
      else right = middle;
    }
    return left;
  }

  #enterTable(place: number, goal: Goal): void {
    this.#place = place;
    const ref = this.#tables[place];
    if (ref === undefined) {
      this.state = CURSOR.end;
      return;
    }
    const table = this.#context.table(ref);
    if (table === null) {
      this.#block('table', goal);
      return;
    }
    this.#table = table;
    const { layout } = table;
    this.#layout = layout;
    if (goal === 'first') this.#blockPlace = 0;
    else if (goal === 'last') this.#blockPlace = layout.count - 1;
    else this.#blockPlace = layout.fences.firstNotBefore(this.#target, this.#targetLength);
    if (this.#isInTable) this.#enterBlock(goal);
    else if (goal === 'before') this.#enterTable(place, 'last');
    else if (goal === 'last') this.#enterTable(place - 1, 'last');
    else this.#enterTable(place + 1, 'first');
  }

  get #isInTable(): boolean {
    return this.#blockPlace >= 0 && this.#blockPlace < this.#layout!.count;
  }

  #enterBlock(goal: Goal): void {
    const block = this.#context.block(this.#table!, this.#blockPlace);
    if (block === null) {
      this.#block('block', goal);
      return;
    }
    this.#data ??= new BlockCursor(block);
    const data = this.#data;
    data.reset(block);
    if (goal === 'first') data.seekToFirst();
    else if (goal === 'last') data.seekToLast();
    else if (goal === 'seek') data.seek(this.#target, this.#targetLength);
    else data.seekBefore(this.#target, this.#targetLength);
    if (data.valid) this.#show(data);
    else if (goal === 'last' || goal === 'before') this.#previousBlock();
    else this.#nextBlock();
  }

  #nextBlock(): void {
    this.#blockPlace++;
    if (this.#isInTable) this.#enterBlock('first');
    else this.#enterTable(this.#place + 1, 'first');
  }

  #previousBlock(): void {
    this.#blockPlace--;
    if (this.#isInTable) this.#enterBlock('last');
    else this.#enterTable(this.#place - 1, 'last');
  }

  #block(at: 'table' | 'block', goal: Goal): void {
    this.state = CURSOR.blocked;
    this.#blockedAt = at;
    this.#goal = goal;
  }

  #show(data: BlockCursor): void {
    this.state = CURSOR.entry;
    this.keyBytes = data.key;
    this.keyEnd = data.keyLength;
    this.valueBytes = data.block.bytes;
    this.valueStart = data.valueStart;
    this.valueEnd = data.valueEnd;
  }
}
