/** Reads a range of a state that is kept in memory, in either direction. */

import { assert } from '../base/assert.ts';
import { closedError } from './engine-errors.ts';
import type { EntryIterator, EntrySink, IteratorOptions } from './entry-iterator.ts';
import { aboveLower, belowUpper, boundsAreEmpty, entryLimit, keyBounds } from './key-range.ts';
import type { KeyBounds } from './key-range.ts';
import { findPlace } from './sorted-entries.ts';
import type { EntryLeaves, EntryPlace } from './sorted-entries.ts';

const NOTHING = Buffer.alloc(0);

/** An iterator of the memory engine. All its answers are at hand. */
export class MemoryIterator implements EntryIterator {
  readonly #bounds: KeyBounds;
  readonly #reverse: boolean;
  readonly #keys: boolean;
  readonly #values: boolean;
  readonly #onClose: (iterator: MemoryIterator) => void;
  /** Undefined when closed. */
  #leaves: EntryLeaves | undefined;
  /** The next entry; undefined at the end. */
  #place: EntryPlace | undefined;
  #left: number;

  constructor(
    leaves: EntryLeaves,
    options: IteratorOptions,
    onClose: (iterator: MemoryIterator) => void,
  ) {
    this.#leaves = leaves;
    this.#bounds = keyBounds(options);
    this.#reverse = options.reverse ?? false;
    this.#keys = options.keys ?? true;
    this.#values = options.values ?? true;
    this.#left = entryLimit(options.limit);
    this.#onClose = onClose;
    const { lower, upper } = this.#bounds;
    const first = this.#reverse ? upper : lower;
    if (first !== undefined) this.#placeAt(leaves, first);
    else if (this.#reverse) this.#place = lastPlace(leaves);
    else this.#place = { leaf: 0, index: 0 };
    this.#skipOpenBound(leaves);
  }

  read(sink: EntrySink, entriesMax: number, bytesMax: number): number {
    return this.readSync(sink, entriesMax, bytesMax);
  }

  readSync(sink: EntrySink, entriesMax: number, bytesMax: number): number {
    assert(entriesMax > 0, 'a read asks for at least one entry');
    const leaves = this.#leaves;
    if (leaves === undefined) throw closedError('iterator');
    let pushed = 0;
    let bytes = 0;
    while (pushed < entriesMax && bytes < bytesMax && this.#left > 0) {
      const place = this.#place;
      const leaf = place && leaves[place.leaf];
      const key = leaf?.keys[place?.index ?? 0];
      if (place === undefined || leaf === undefined || key === undefined) break;
      if (!this.#inside(key)) break;
      const shownKey = this.#keys ? key : NOTHING;
      const value = this.#values ? (leaf.values[place.index] ?? NOTHING) : NOTHING;
      sink.entry(shownKey, 0, shownKey.length, value, 0, value.length);
      pushed++;
      this.#left--;
      bytes += shownKey.length + value.length;
      this.#move(leaves, place);
    }
    return pushed;
  }

  seek(target: Uint8Array): void {
    const leaves = this.#leaves;
    if (leaves === undefined) throw closedError('iterator');
    if (!this.#inside(target)) this.#place = undefined;
    else this.#placeAt(leaves, target);
  }

  close(): void {
    if (this.#leaves === undefined) return;
    this.#leaves = undefined;
    this.#place = undefined;
    this.#onClose(this);
  }

  #inside(key: Uint8Array): boolean {
    return aboveLower(this.#bounds, key) && belowUpper(this.#bounds, key);
  }

  /** The first entry from `target` on in the direction, bounds not looked at. */
  #placeAt(leaves: EntryLeaves, target: Uint8Array): void {
    const place = findPlace(leaves, target);
    const found = leaves[place.leaf]?.keys[place.index];
    this.#place = place;
    if (this.#reverse && !(found !== undefined && Buffer.compare(found, target) === 0)) {
      this.#move(leaves, place);
    }
  }

  #skipOpenBound(leaves: EntryLeaves): void {
    if (boundsAreEmpty(this.#bounds)) this.#place = undefined;
    const place = this.#place;
    const key = place && leaves[place.leaf]?.keys[place.index];
    if (place === undefined || key === undefined) return;
    const open = this.#reverse ? !belowUpper(this.#bounds, key) : !aboveLower(this.#bounds, key);
    if (open) this.#move(leaves, place);
  }

  #move(leaves: EntryLeaves, place: EntryPlace): void {
    if (this.#reverse) {
      if (place.index > 0) place.index--;
      else if (place.leaf === 0) this.#place = undefined;
      else {
        place.leaf--;
        place.index = (leaves[place.leaf]?.keys.length ?? 0) - 1;
      }
      return;
    }
    place.index++;
    if (place.index === leaves[place.leaf]?.keys.length) {
      place.leaf++;
      place.index = 0;
    }
  }
}

function lastPlace(leaves: EntryLeaves): EntryPlace | undefined {
  const last = leaves[leaves.length - 1];
  return last && { leaf: leaves.length - 1, index: last.keys.length - 1 };
}
