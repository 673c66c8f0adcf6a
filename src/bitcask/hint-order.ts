/**
 * The records of hints in about the order of their keys: an index that is filled in order touches
 * few pages at a time. Records of one key keep their order, which is all that must be right.
 *
 * First they are copied into heaps, one for each first byte that a key may have, and then each heap
 * is sorted: to take a million records in their order from where they lie takes as long as all the
 * rest, because hardly any of them is in the processor's cache.
 */

import { assert } from '../base/assert.ts';
import { HINT_HEADER_BYTES, HintReader, recordKeyLength, recordKeyStart } from './hint-file.ts';

/** Bits of an element that number the record in its heap; the rest are bits of its key. */
const NUMBER_BITS = 24;
const RECORDS_MAX: number = 2 ** NUMBER_BITS;
/** Fewer are taken as they come. */
const RECORDS_MIN = 1000;
/** Where a record has a byte of no use, which says here whose it is. */
const OWNER_OFFSET = 7;
/** Hints that are sorted together, at most. */
export const SORTED_HINTS_MAX = 256;
const HEAPS = 256;

/** All records of hints, which come oldest first, by key; null when sorting cannot help. */
export function sortedRecords(hints: readonly HintReader[]): SortedRecords | null {
  const count = hints.reduce((sum, hint) => sum + hint.count, 0);
  if (count < RECORDS_MIN || count > RECORDS_MAX || hints.length > SORTED_HINTS_MAX) return null;
  return isLittleEndian ? new SortedRecords(hints) : null;
}

/** Goes through sorted records. */
export class SortedRecords {
  /** Holds the record. */
  readonly reader: HintReader;
  /** Which of the hints it is of. */
  owner = 0;

  /** So many first bytes are those of all keys. */
  readonly #common: number;
  /** Where each heap begins in the reader's bytes, and the end of the last one. */
  readonly #starts = new Int32Array(HEAPS + 1);
  /** Of the heap at hand: where its records are, and their elements. */
  readonly #positions: Uint32Array;
  readonly #elements: BigUint64Array<ArrayBuffer>;
  /** The same, as pairs of 32 bits, lower half first: an element is never made into a bigint. */
  readonly #halves: Uint32Array;
  #heap = -1;
  #place = 0;
  #count = 0;

  constructor(hints: readonly HintReader[]) {
    const starts = hints.map((hint) => hint.position);
    const bytes = hints.reduce((sum, hint, index) => sum + hint.end - starts[index]!, 0);
    this.#common = commonLength(hints);
    rewind(hints, starts);
    const most = this.#measure(hints);
    this.#positions = new Uint32Array(most);
    this.#elements = new BigUint64Array(most);
    this.#halves = new Uint32Array(this.#elements.buffer);
    this.reader = HintReader.copied(bytes);
    this.#copy(hints);
  }

  /** Goes to the next record; false at the end. */
  next(): boolean {
    while (this.#place === this.#count) {
      if (++this.#heap === HEAPS) return false;
      this.#sortHeap();
    }
    const number = this.#halves[2 * this.#place++]! & (RECORDS_MAX - 1);
    const position = this.#positions[number]!;
    this.owner = this.reader.bytes[position + OWNER_OFFSET]!;
    this.reader.read(position);
    return true;
  }

  /** Counts what goes into each heap, in bytes; answers the most records of any. */
  #measure(hints: readonly HintReader[]): number {
    const records = new Int32Array(HEAPS);
    const starts = this.#starts;
    const common = this.#common;
    for (const { bytes, position, end } of hints) {
      let next = position;
      for (let at = position; at < end; at = next) {
        const keyStart = recordKeyStart(bytes, at);
        next = keyStart + recordKeyLength(bytes, at);
        const heap = keyStart + common < next ? bytes[keyStart + common]! : 0;
        records[heap]!++;
        starts[heap + 1]! += next - at;
      }
      assert(next === end, 'a hint whose checksum is right was written here');
    }
    starts[0] = HINT_HEADER_BYTES;
    for (let heap = 0; heap < HEAPS; heap++) starts[heap + 1]! += starts[heap]!;
    return Math.max(...records);
  }

  #copy(hints: readonly HintReader[]): void {
    const ends = this.#starts.slice();
    const common = this.#common;
    const target = this.reader.bytes;
    const targetView = viewOf(target);
    for (const [owner, { bytes, position, end }] of hints.entries()) {
      const view = viewOf(bytes);
      let next = position;
      for (let at = position; at < end; at = next) {
        const keyStart = recordKeyStart(bytes, at);
        next = keyStart + recordKeyLength(bytes, at);
        const heap = keyStart + common < next ? bytes[keyStart + common]! : 0;
        const start = ends[heap]!;
        ends[heap] = start + next - at;
        copyBytes(view, at, next, targetView, start);
        target[start + OWNER_OFFSET] = owner;
      }
    }
  }

  #sortHeap(): void {
    const { reader } = this;
    const end = this.#starts[this.#heap + 1]!;
    const { bytes } = reader;
    let number = 0;
    let next = this.#starts[this.#heap]!;
    for (let at = next; at < end; at = next) {
      const keyStart = recordKeyStart(bytes, at);
      next = keyStart + recordKeyLength(bytes, at);
      this.#positions[number] = at;
      this.#note(number, bytes, Math.min(keyStart + this.#common, next), next);
      number++;
    }
    this.#elements.subarray(0, number).sort();
    this.#place = 0;
    this.#count = number;
  }

  /** The element of a record: its key's bytes from `from` on, and its number in the heap. */
  #note(number: number, bytes: Uint8Array, from: number, to: number): void {
    const b0 = from < to ? bytes[from]! : 0;
    const b1 = from + 1 < to ? bytes[from + 1]! : 0;
    const b2 = from + 2 < to ? bytes[from + 2]! : 0;
    const b3 = from + 3 < to ? bytes[from + 3]! : 0;
    const b4 = from + 4 < to ? bytes[from + 4]! : 0;
    this.#halves[2 * number] = (b4 << NUMBER_BITS) | number;
    this.#halves[2 * number + 1] = (b0 << 24) | (b1 << 16) | (b2 << 8) | b3;
  }
}

/** A function of its own, so that it is compiled after a few records. Four bytes a step. */
function copyBytes(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  to: number,
): void {
  const shift = to - start;
  let from = start;
  for (; from + 4 <= end; from += 4) {
    target.setInt32(from + shift, source.getInt32(from, true), true);
  }
  for (; from < end; from++) target.setUint8(from + shift, source.getUint8(from));
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

function rewind(hints: readonly HintReader[], starts: readonly number[]): void {
  for (const [index, hint] of hints.entries()) hint.rewind(starts[index]!);
}

/** How many first bytes the keys of all records share; goes on only as long as there are any. */
function commonLength(hints: readonly HintReader[]): number {
  let common = Infinity;
  let sample: Uint8Array | null = null;
  for (const hint of hints) {
    const { bytes } = hint;
    while (hint.next()) {
      const { keyStart, keyEnd } = hint;
      sample ??= bytes.subarray(keyStart, keyEnd);
      common = Math.min(common, keyEnd - keyStart);
      for (let index = 0; index < common; index++) {
        if (bytes[keyStart + index] !== sample[index]) common = index;
      }
      if (common === 0) return 0;
    }
  }
  return common === Infinity ? 0 : common;
}

const isLittleEndian: boolean = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
