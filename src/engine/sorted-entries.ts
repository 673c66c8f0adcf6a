/**
 * Entries in the order of their keys, in memory, whose states can be kept: a list of short sorted
 * arrays ("leaves"). To keep a state costs nothing; the first change to a leaf after that copies
 * the leaf and the list. Not here: ranges and iterators (`memory-iterator.ts`).
 */

import { assert } from '../base/assert.ts';
import { compareRanges } from '../base/bytes.ts';

/** Entries of a leaf before it is split in two. */
const LEAF_ENTRIES_MAX = 128;

/** Some neighbours, in order. Never empty. */
interface Leaf {
  /** The state in which it was made; it may be changed only while that state is the current one. */
  readonly epoch: number;
  readonly keys: Buffer[];
  readonly values: Buffer[];
}

/** A state that is kept: nobody changes it. */
export type EntryLeaves = readonly Pick<Leaf, 'keys' | 'values'>[];

/** Where an entry is, or would be: leaf and place in it. */
export interface EntryPlace {
  leaf: number;
  index: number;
}

/** A map from bytes to bytes, in order. */
export class SortedEntries {
  #leaves: Leaf[] = [];
  #leavesEpoch = 0;
  #epoch = 0;
  #count = 0;
  #bytes = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The state of now, which no later change touches. */
  keep(): EntryLeaves {
    this.#epoch++;
    return this.#leaves;
  }

  /** The value of a key, not copied. */
  get(key: Uint8Array): Buffer | undefined {
    return valueIn(this.#leaves, key);
  }

  /** Sets a key. Keeps the buffers. */
  set(key: Buffer, value: Buffer): void {
    const at = findPlace(this.#leaves, key);
    if (at.leaf === this.#leaves.length) {
      this.#append(key, value);
      return;
    }
    const leaf = this.#leafForChange(at.leaf);
    const old = keyIs(leaf.keys[at.index], key) ? leaf.values[at.index] : undefined;
    if (old !== undefined) {
      leaf.values[at.index] = value;
      this.#bytes += value.length - old.length;
      return;
    }
    leaf.keys.splice(at.index, 0, key);
    leaf.values.splice(at.index, 0, value);
    this.#added(at.leaf, leaf, key.length + value.length);
  }

  /** Removes a key; nothing happens when it is not there. */
  delete(key: Uint8Array): void {
    const at = findPlace(this.#leaves, key);
    if (!keyIs(this.#leaves[at.leaf]?.keys[at.index], key)) return;
    const leaf = this.#leafForChange(at.leaf);
    const value = leaf.values[at.index];
    assert(value !== undefined, 'a key has its value');
    this.#bytes -= key.length + value.length;
    this.#count--;
    leaf.keys.splice(at.index, 1);
    leaf.values.splice(at.index, 1);
    if (leaf.keys.length === 0) this.#leaves.splice(at.leaf, 1);
  }

  /** A key above all others goes to the end of the last leaf. */
  #append(key: Buffer, value: Buffer): void {
    const last = this.#leaves.length - 1;
    if (last < 0) {
      this.#ownLeaves();
      this.#leaves.push({ epoch: this.#epoch, keys: [], values: [] });
    }
    const place = Math.max(last, 0);
    const leaf = this.#leafForChange(place);
    leaf.keys.push(key);
    leaf.values.push(value);
    this.#added(place, leaf, key.length + value.length);
  }

  #added(place: number, leaf: Leaf, bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
    if (leaf.keys.length <= LEAF_ENTRIES_MAX) return;
    // Keys that come in order leave full leaves behind them.
    const atEnd = place === this.#leaves.length - 1;
    const half = atEnd ? LEAF_ENTRIES_MAX - 1 : LEAF_ENTRIES_MAX / 2;
    const right = {
      epoch: this.#epoch,
      keys: leaf.keys.splice(half),
      values: leaf.values.splice(half),
    };
    this.#leaves.splice(place + 1, 0, right);
  }

  #leafForChange(place: number): Leaf {
    this.#ownLeaves();
    const leaf = this.#leaves[place];
    assert(leaf !== undefined, 'the place is inside the list');
    if (leaf.epoch === this.#epoch) return leaf;
    const own = { epoch: this.#epoch, keys: leaf.keys.slice(), values: leaf.values.slice() };
    this.#leaves[place] = own;
    return own;
  }

  #ownLeaves(): void {
    if (this.#leavesEpoch === this.#epoch) return;
    this.#leaves = this.#leaves.slice();
    this.#leavesEpoch = this.#epoch;
  }
}

/** The value of a key in a state, not copied. */
export function valueIn(leaves: EntryLeaves, key: Uint8Array): Buffer | undefined {
  const { leaf, index } = findPlace(leaves, key);
  const entries = leaves[leaf];
  return keyIs(entries?.keys[index], key) ? entries?.values[index] : undefined;
}

/** The first entry at or after a key; the leaf after the last one when there is none. */
export function findPlace(leaves: EntryLeaves, key: Uint8Array): EntryPlace {
  // The first leaf whose last key is not below the key.
  let low = 0;
  let high = leaves.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { keys } = leaves[middle]!;
    if (order(keys[keys.length - 1]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  if (low === leaves.length) return { leaf: low, index: 0 };
  const { keys } = leaves[low]!;
  let first = 0;
  let after = keys.length;
  while (first < after) {
    const middle = (first + after) >>> 1;
    if (order(keys[middle]!, key) < 0) first = middle + 1;
    else after = middle;
  }
  return { leaf: low, index: first };
}

function order(a: Uint8Array, b: Uint8Array): number {
  return compareRanges(a, 0, a.length, b, 0, b.length);
}

function keyIs(found: Uint8Array | undefined, key: Uint8Array): boolean {
  return found !== undefined && order(found, key) === 0;
}
