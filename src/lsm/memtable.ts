/**
 * The newest entries, in order and in memory: a skip list in two arrays outside the JavaScript
 * heap. Entries are only ever added. Not here: the log that makes them durable, and who may see
 * them.
 */

import { assert } from '../base/assert.ts';
import { Prng } from '../base/prng.ts';
import { KIND_PUT, putTrailer, sequenceAt, TRAILER_BYTES } from './internal-key.ts';
import { copyRange } from './table/block-builder.ts';
import { bloomHash } from './table/bloom-filter.ts';

/** One node in four reaches the next higher level. */
const HEIGHT_MAX = 12;
/** Fields of a node in `nodes`; the links to the next nodes, level by level, follow. */
const KEY_OFFSET = 0;
const KEY_LENGTH = 1;
const VALUE_LENGTH = 2;
/** The first four bytes of the user's key, so that most comparisons stay in `nodes`. */
const PREFIX = 3;
const LINKS = 4;

/** The node before all others. */
const HEAD = 0;
const HEAD_INTS = LINKS + HEIGHT_MAX;

/** Bytes of a filter for a table of so many bytes: about ten bits for each small entry. */
export function memtableFilterBytes(bytesExpected: number): number {
  return 2 ** Math.min(24, Math.max(6, Math.ceil(Math.log2(bytesExpected)) - 7));
}

/** A larger arena could not be addressed by 32-bit integers. */
export const MEMTABLE_BYTES_MAX: number = 2 ** 31 - 1 - (1 << 20);

/** The arrays of a memtable, as a thread sends them to another. */
export interface MemtableParts {
  readonly arena: Uint8Array;
  readonly nodes: Int32Array;
  readonly count: number;
}

/** An ordered table of internal keys. A place in it is a number; 0 is none. */
export class Memtable {
  /** Per entry: internal key, value. */
  #arena: Uint8Array;
  #arenaLength = 0;
  #nodes: Int32Array;
  #nodesLength = HEAD_INTS;
  #height = 1;
  #count = 0;
  readonly #random = new Prng(0x5eed);
  /** The node before the place sought, at each level. */
  readonly #before = new Int32Array(HEIGHT_MAX);
  #readers = 0;
  /** A bit for each hash of a user key, so that most searches in vain end here; may be none. */
  readonly #filter: Int32Array;

  /** `filterBytes`, a power of two: memory that makes searches in vain cheap. 0: none. */
  constructor(bytesExpected: number = 4096, filterBytes: number = 0) {
    this.#filter = new Int32Array(filterBytes >> 2);
    // No shared memory, which would save a copy: the collector does not see how much of that is
    // garbage, and lets it grow.
    this.#arena = new Uint8Array(bytesExpected);
    this.#nodes = new Int32Array(Math.max(64, bytesExpected >> 4));
  }

  /** The table that another thread sent; it must not be changed any more by either. */
  static from(parts: MemtableParts): Memtable {
    const table = new Memtable(16);
    table.#arena = parts.arena;
    table.#arenaLength = parts.arena.length;
    table.#nodes = parts.nodes;
    table.#nodesLength = parts.nodes.length;
    table.#count = parts.count;
    table.#height = HEIGHT_MAX;
    return table;
  }

  /** What `from` takes. REQUIRES: nothing is added any more; the memory is the same. */
  parts(): MemtableParts {
    return {
      arena: this.#arena.subarray(0, this.#arenaLength),
      nodes: this.#nodes.subarray(0, this.#nodesLength),
      count: this.#count,
    };
  }

  /** Somebody goes on reading it while others run; as often, `letGo`. */
  hold(): void {
    this.#readers++;
  }

  letGo(): void {
    assert(this.#readers > 0, 'who lets a memtable go has held it');
    this.#readers--;
  }

  get isHeld(): boolean {
    return this.#readers > 0;
  }

  /** Makes it empty, for other entries. REQUIRES: nobody holds it, or will read it. */
  reset(): void {
    assert(!this.isHeld, 'nobody reads a memtable that is used again');
    this.#nodes.fill(0, HEAD, HEAD_INTS);
    this.#filter.fill(0);
    this.#arenaLength = 0;
    this.#nodesLength = HEAD_INTS;
    this.#height = 1;
    this.#count = 0;
  }

  get count(): number {
    return this.#count;
  }

  /** Bytes of keys, values and nodes. */
  get bytes(): number {
    return this.#arenaLength + 4 * this.#nodesLength;
  }

  /** Bytes of memory taken. */
  get memoryBytes(): number {
    return this.#arena.byteLength + this.#nodes.byteLength + this.#filter.byteLength;
  }

  /** False only when there is no entry of a user key with this `bloomHash`. */
  mayHold(keyHash: number): boolean {
    const filter = this.#filter;
    if (filter.length === 0) return true;
    return ((filter[(keyHash >>> 5) & (filter.length - 1)]! >>> (keyHash & 31)) & 1) === 1;
  }

  /** Where the keys are; replaced when the table grows. */
  get arena(): Uint8Array {
    return this.#arena;
  }

  /**
   * Adds an entry. REQUIRES: its sequence number is above all there are. `value` may be empty for a
   * delete.
   */
  add(
    sequence: number,
    kind: number,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    const prefix = prefixAt(bytes, keyStart, keyEnd);
    this.#findBefore(bytes, keyStart, keyLength, prefix);
    const keyOffset = this.#arenaLength;
    this.#reserve(keyLength + TRAILER_BYTES + valueLength);
    let at = copyRange(this.#arena, keyOffset, bytes, keyStart, keyEnd);
    at = putTrailer(this.#arena, at, sequence, kind);
    this.#arenaLength = copyRange(this.#arena, at, bytes, valueStart, valueEnd);
    const height = this.#randomHeight();
    const node = this.#newNode(height);
    const nodes = this.#nodes;
    nodes[node + KEY_OFFSET] = keyOffset;
    nodes[node + KEY_LENGTH] = keyLength + TRAILER_BYTES;
    nodes[node + VALUE_LENGTH] = valueLength;
    nodes[node + PREFIX] = prefix;
    for (let level = 0; level < height; level++) {
      const link = this.#before[level]! + LINKS + level;
      nodes[node + LINKS + level] = nodes[link]!;
      nodes[link] = node;
    }
    this.#count++;
    const filter = this.#filter;
    if (filter.length === 0) return;
    const keyHash = bloomHash(bytes, keyStart, keyEnd);
    const word = (keyHash >>> 5) & (filter.length - 1);
    filter[word] = filter[word]! | (1 << (keyHash & 31));
  }

  /** The first entry; 0 when there is none. */
  first(): number {
    return this.#nodes[HEAD + LINKS]!;
  }

  /** The entry after `node`; 0 at the end. */
  next(node: number): number {
    return this.#nodes[node + LINKS]!;
  }

  /** The last entry; 0 when there is none. */
  last(): number {
    const nodes = this.#nodes;
    let node = HEAD;
    for (let level = this.#height - 1; level >= 0; level--) {
      for (let next = nodes[node + LINKS + level]!; next !== 0;) {
        node = next;
        next = nodes[node + LINKS + level]!;
      }
    }
    return node;
  }

  /** The first entry whose internal key is not before `key[0, length)`; 0 when there is none. */
  seek(key: Uint8Array, length: number): number {
    this.#findBefore(key, 0, length - TRAILER_BYTES, prefixAt(key, 0, length - TRAILER_BYTES));
    let node = this.#nodes[this.#before[0]! + LINKS]!;
    while (node !== 0 && this.#isNewer(node, key, length)) node = this.next(node);
    return node;
  }

  /** The last entry whose internal key is before `key[0, length)`; 0 when there is none. */
  seekBefore(key: Uint8Array, length: number): number {
    this.#findBefore(key, 0, length - TRAILER_BYTES, prefixAt(key, 0, length - TRAILER_BYTES));
    let before = this.#before[0]!;
    let node = this.#nodes[before + LINKS]!;
    while (node !== 0 && this.#isNewer(node, key, length)) {
      before = node;
      node = this.next(node);
    }
    return before;
  }

  /** The entry before `node`; 0 at the beginning. */
  previous(node: number): number {
    const start = this.keyStart(node);
    const length = this.keyEnd(node) - start;
    return this.seekBefore(this.#arena.subarray(start, start + length), length);
  }

  keyStart(node: number): number {
    return this.#nodes[node + KEY_OFFSET]!;
  }

  keyEnd(node: number): number {
    return this.#nodes[node + KEY_OFFSET]! + this.#nodes[node + KEY_LENGTH]!;
  }

  /** The value begins where the key ends. */
  valueEnd(node: number): number {
    return this.keyEnd(node) + this.#nodes[node + VALUE_LENGTH]!;
  }

  /**
   * Whether `node` has the same user key as the internal key sought and stands before it: it is an
   * entry that the seeker must not see yet.
   */
  #isNewer(node: number, key: Uint8Array, length: number): boolean {
    const userLength = length - TRAILER_BYTES;
    const end = this.keyEnd(node);
    if (end - this.keyStart(node) !== length) return false;
    if (this.#compare(node, key, 0, userLength) !== 0) return false;
    const ours = sequenceAt(this.#arena, end);
    const wanted = sequenceAt(key, length);
    // At one sequence number the larger kind is first.
    return (
      ours > wanted || (ours === wanted && this.#arena[end - TRAILER_BYTES]! > key[userLength]!)
    );
  }

  /** Finds, at each level, the last node whose user key is before the one sought. */
  #findBefore(bytes: Uint8Array, start: number, length: number, prefix: number): void {
    const nodes = this.#nodes;
    let node = HEAD;
    let known = 0;
    for (let level = this.#height - 1; level >= 0; level--) {
      for (;;) {
        const next = nodes[node + LINKS + level]!;
        // What was found not to be before at the level above is not asked again.
        if (next === 0 || next === known) break;
        const order = nodes[next + PREFIX]! - prefix;
        if (order > 0 || (order === 0 && this.#compare(next, bytes, start, length) >= 0)) {
          known = next;
          break;
        }
        node = next;
      }
      this.#before[level] = node;
    }
  }

  /** The order of a node's user key and another. */
  #compare(node: number, bytes: Uint8Array, start: number, length: number): number {
    const arena = this.#arena;
    const offset = this.#nodes[node + KEY_OFFSET]!;
    const ours = this.#nodes[node + KEY_LENGTH]! - TRAILER_BYTES;
    const common = ours < length ? ours : length;
    for (let index = 0; index < common; index++) {
      const difference = arena[offset + index]! - bytes[start + index]!;
      if (difference !== 0) return difference;
    }
    return ours - length;
  }

  #randomHeight(): number {
    let height = 1;
    let bits = this.#random.uint32();
    while (height < HEIGHT_MAX && (bits & 3) === 0) {
      height++;
      bits >>>= 2;
    }
    while (this.#height < height) this.#before[this.#height++] = HEAD;
    return height;
  }

  #newNode(height: number): number {
    const node = this.#nodesLength;
    const length = node + LINKS + height;
    if (length > this.#nodes.length) {
      const larger = new Int32Array(2 * this.#nodes.length);
      larger.set(this.#nodes);
      this.#nodes = larger;
    }
    this.#nodesLength = length;
    return node;
  }

  #reserve(length: number): void {
    const wanted = this.#arenaLength + length;
    if (wanted <= this.#arena.length) return;
    assert(wanted <= MEMTABLE_BYTES_MAX, 'a memtable stays within its bounds');
    const room = Math.min(MEMTABLE_BYTES_MAX, Math.max(2 * this.#arena.length, wanted));
    const larger = new Uint8Array(room);
    larger.set(this.#arena.subarray(0, this.#arenaLength));
    this.#arena = larger;
  }
}

/** Whether the entry whose internal key ends at `end` has a value. */
export function isPut(bytes: Uint8Array, end: number): boolean {
  return bytes[end - TRAILER_BYTES] === KIND_PUT;
}

/**
 * The first four bytes of a key as a signed number of the same order; missing bytes count as zero,
 * so that equal prefixes decide nothing.
 */
function prefixAt(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  let prefix = 0;
  if (length >= 4) {
    prefix =
      (bytes[start]! << 24) |
      (bytes[start + 1]! << 16) |
      (bytes[start + 2]! << 8) |
      bytes[start + 3]!;
  } else {
    for (let index = 0; index < 4; index++) {
      prefix = (prefix << 8) | (index < length ? bytes[start + index]! : 0);
    }
  }
  return prefix ^ 0x8000_0000;
}
