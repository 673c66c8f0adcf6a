/**
 * The filter block of a table: one bloom filter for all data blocks that begin in the same 2 KiB of
 * the file, then where each filter begins. Not here: the bits of a filter (`bloom-filter`).
 *
 * @see docs/formats/table.md
 */

import { ByteReader } from '../../base/byte-reader.ts';
import { putFixed32 } from '../../base/coding.ts';
import { bloomHash, bloomLength, bloomMayHold, putBloomFilter } from './bloom-filter.ts';

/** Logarithm of the bytes of file that share a filter. */
const BASE_LOG = 11;
const BASE_LOG_MAX = 31;

/** Collects the keys of the blocks of one table, in the order of the file. */
export class FilterBlockBuilder {
  #filters = new Uint8Array(4096);
  #length = 0;
  readonly #offsets: number[] = [];
  #hashes = new Uint32Array(256);
  #count = 0;

  /** The next keys are of the data block that begins at `offset` of the file. */
  startBlock(offset: number): void {
    const wanted = Math.floor(offset / 2 ** BASE_LOG);
    while (this.#offsets.length < wanted) this.#closeFilter();
  }

  /** A user's key that lies in `bytes`. */
  add(bytes: Uint8Array, start: number, end: number): void {
    if (this.#count === this.#hashes.length) {
      const larger = new Uint32Array(2 * this.#count);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[this.#count++] = bloomHash(bytes, start, end);
  }

  /** The bytes of the block. */
  finish(): Uint8Array {
    if (this.#count > 0) this.#closeFilter();
    const end = this.#length;
    this.#reserve(4 * this.#offsets.length + 5);
    let at = end;
    for (const offset of this.#offsets) at = putFixed32(this.#filters, at, offset);
    at = putFixed32(this.#filters, at, end);
    this.#filters[at] = BASE_LOG;
    return this.#filters.subarray(0, at + 1);
  }

  #closeFilter(): void {
    this.#offsets.push(this.#length);
    if (this.#count === 0) return;
    this.#reserve(bloomLength(this.#count));
    this.#length = putBloomFilter(this.#filters, this.#length, this.#hashes, this.#count);
    this.#count = 0;
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#filters.length) return;
    const larger = new Uint8Array(2 * (this.#length + length));
    larger.set(this.#filters.subarray(0, this.#length));
    this.#filters = larger;
  }
}

/** Asks the filter block of a table. A block that cannot be understood excludes nothing. */
export class FilterBlock {
  readonly #bytes: Uint8Array;
  readonly #baseLog: number;
  /** Where the offsets of the filters begin. */
  readonly #offsetsStart: number;
  readonly #count: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const end = bytes.length;
    const start = end < 5 ? 0 : new ByteReader(bytes, end - 5).fixed32();
    const isBad = end < 5 || start > end - 5 || bytes[end - 1]! > BASE_LOG_MAX;
    this.#baseLog = isBad ? 0 : bytes[end - 1]!;
    this.#offsetsStart = isBad ? 0 : start;
    this.#count = isBad ? 0 : (end - 5 - start) >>> 2;
  }

  /** Bytes of memory. */
  get length(): number {
    return this.#bytes.length;
  }

  /** The block, of which `rangeOf` gives parts. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /**
   * Where the filter lies for the data block that begins at `offset`; null when there is none. An
   * empty one is of no keys.
   */
  rangeOf(offset: number): { readonly start: number; readonly end: number } | null {
    const index = Math.floor(offset / 2 ** this.#baseLog);
    if (index >= this.#count) return null;
    const at = this.#offsetsStart + 4 * index;
    const start = this.#fixed32(at);
    const end = this.#fixed32(at + 4);
    return start > end || end > this.#offsetsStart ? null : { start, end };
  }

  /** False only when the data block that begins at `offset` holds no key of this hash. */
  mayHold(offset: number, keyHash: number): boolean {
    const range = this.rangeOf(offset);
    return range === null || bloomMayHold(this.#bytes, range.start, range.end, keyHash);
  }

  #fixed32(at: number): number {
    const b = this.#bytes;
    return (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;
  }
}
