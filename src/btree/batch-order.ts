/**
 * The operations of a batch in an order that is good for the tree: that of the first bytes of their
 * keys, so that neighbours share the way down and what the processor has of it. Those of one key
 * stay in the order of the calls, so that the result is the same. Not here: carrying them out
 * (`tree-writer`).
 */

import type { BatchVisitor, WriteBatch } from '../engine/write-batch.ts';

/** Operations that are put in order together; a longer batch is taken in so many at a time. */
const OPERATIONS_MAX = 1 << 16;
/** Fewer share too little of their ways to be worth it. */
const OPERATIONS_MIN = 128;
/** Of an operation: where its key begins and ends, and its value; a deletion has none. */
const FIELDS = 4;
const NO_VALUE = -1;

export class BatchOrder implements BatchVisitor {
  /** Operations of the batch that come before those that are held. */
  #first = 0;
  #count = 0;
  #batch: WriteBatch | null = null;
  #bytes: Uint8Array = NO_BYTES;
  #fields = new Int32Array(FIELDS);
  /** The order: first bytes of the key times `OPERATIONS_MAX`, plus the place in `#fields`. */
  #ranks = new Float64Array(1);
  /** While a batch is visited: the operation that comes next. */
  #next = 0;

  /** Shows the operation of an index in the order. The bytes are those of the batch. */
  show(batch: WriteBatch, index: number, visitor: Pick<BatchVisitor, 'put' | 'delete'>): void {
    if (batch !== this.#batch || index < this.#first || index >= this.#first + this.#count) {
      this.#take(batch, index - (index % OPERATIONS_MAX));
    }
    const place = this.#ranks[index - this.#first]! % OPERATIONS_MAX;
    const at = place * FIELDS;
    const fields = this.#fields;
    const keyStart = fields[at]!;
    const keyEnd = fields[at + 1]!;
    const valueStart = fields[at + 2]!;
    if (valueStart === NO_VALUE) visitor.delete(this.#bytes, keyStart, keyEnd);
    else visitor.put(this.#bytes, keyStart, keyEnd, valueStart, fields[at + 3]!, 0);
  }

  /** Lets go of the batch. */
  clear(): void {
    this.#batch = null;
    this.#bytes = NO_BYTES;
  }

  put(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.#add(bytes, keyStart, keyEnd, valueStart, valueEnd);
  }

  delete(bytes: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#add(bytes, keyStart, keyEnd, NO_VALUE, NO_VALUE);
  }

  #add(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const place = this.#next++ - this.#first;
    if (place < 0 || place >= this.#count) return;
    const at = place * FIELDS;
    const fields = this.#fields;
    this.#bytes = bytes;
    this.#ranks[place] = place;
    fields[at] = keyStart;
    fields[at + 1] = keyEnd;
    fields[at + 2] = valueStart;
    fields[at + 3] = valueEnd;
  }

  #take(batch: WriteBatch, first: number): void {
    const count = Math.min(batch.count - first, OPERATIONS_MAX);
    if (count > this.#ranks.length) {
      this.#ranks = new Float64Array(count);
      this.#fields = new Int32Array(count * FIELDS);
    }
    this.#batch = batch;
    this.#first = first;
    this.#count = count;
    this.#next = 0;
    batch.visit(this);
    if (count >= OPERATIONS_MIN) this.#sort();
  }

  #sort(): void {
    const prefix = this.#commonPrefix();
    const fields = this.#fields;
    for (let place = 0; place < this.#count; place++) {
      const start = fields[place * FIELDS]! + prefix;
      const end = fields[place * FIELDS + 1]!;
      let head = 0;
      for (let at = start; at < start + HEAD_BYTES; at++) {
        head = head * 0x1_00 + (at < end ? this.#bytes[at]! : 0);
      }
      this.#ranks[place] = head * OPERATIONS_MAX + place;
    }
    this.#ranks.subarray(0, this.#count).sort();
  }

  /** Bytes that all keys begin with. */
  #commonPrefix(): number {
    const bytes = this.#bytes;
    const fields = this.#fields;
    const start = fields[0]!;
    let prefix = fields[1]! - start;
    for (let place = 1; place < this.#count; place++) {
      const other = fields[place * FIELDS]!;
      prefix = Math.min(prefix, fields[place * FIELDS + 1]! - other);
      for (let at = 0; at < prefix; at++) {
        if (bytes[start + at] !== bytes[other + at]) prefix = at;
      }
    }
    return prefix;
  }
}

/** First bytes of a key, behind what all have in common, that decide: as a number with a place exact. */
const HEAD_BYTES = 4;
const NO_BYTES = new Uint8Array(0);
