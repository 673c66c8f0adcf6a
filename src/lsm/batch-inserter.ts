/** Puts the operations of a write batch into a memtable, numbered one after the other. */

import type { BatchVisitor } from '../engine/write-batch.ts';
import { KIND_DELETE, KIND_PUT } from './internal-key.ts';
import type { Memtable } from './memtable.ts';

/** One for all batches: `begin`, then `WriteBatch.visit`. */
export class BatchInserter implements BatchVisitor {
  #memtable: Memtable | null = null;
  #sequence = 0;

  begin(memtable: Memtable, first: number): void {
    this.#memtable = memtable;
    this.#sequence = first;
  }

  put(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const memtable = this.#memtable!;
    memtable.add(this.#sequence++, KIND_PUT, bytes, keyStart, keyEnd, valueStart, valueEnd);
  }

  delete(bytes: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#memtable!.add(this.#sequence++, KIND_DELETE, bytes, keyStart, keyEnd, keyEnd, keyEnd);
  }
}
