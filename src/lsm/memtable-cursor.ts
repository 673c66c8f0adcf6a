/** A cursor over a memtable, which may be added to meanwhile. Never blocked. */

import { CURSOR } from './entry-cursor.ts';
import type { CursorState, EntryCursor } from './entry-cursor.ts';
import type { Memtable } from './memtable.ts';

export class MemtableCursor implements EntryCursor {
  readonly #table: Memtable;
  #node = 0;
  keyStart = 0;
  keyEnd = 0;
  valueEnd = 0;

  constructor(table: Memtable) {
    this.#table = table;
  }

  get state(): CursorState {
    return this.#node === 0 ? CURSOR.end : CURSOR.entry;
  }

  get keyBytes(): Uint8Array {
    return this.#table.arena;
  }

  get valueBytes(): Uint8Array {
    return this.#table.arena;
  }

  get valueStart(): number {
    return this.keyEnd;
  }

  seekToFirst(): void {
    this.#stand(this.#table.first());
  }

  seekToLast(): void {
    this.#stand(this.#table.last());
  }

  seek(target: Uint8Array, length: number): void {
    this.#stand(this.#table.seek(target, length));
  }

  seekBefore(target: Uint8Array, length: number): void {
    this.#stand(this.#table.seekBefore(target, length));
  }

  next(): void {
    this.#stand(this.#table.next(this.#node));
  }

  previous(): void {
    this.#stand(this.#table.previous(this.#node));
  }

  resume(): void {
    // Everything is in memory.
  }

  #stand(node: number): void {
    this.#node = node;
    if (node === 0) return;
    this.keyStart = this.#table.keyStart(node);
    this.keyEnd = this.#table.keyEnd(node);
    this.valueEnd = this.#table.valueEnd(node);
  }
}
