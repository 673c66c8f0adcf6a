/**
 * Reads a range of an engine with changes laid over it: a changed key hides that of the engine, and
 * one that was deleted hides it for good. The engine's entries are read in pieces, which are kept.
 */

import { assert } from '../base/assert.ts';
import { closedError } from './engine-errors.ts';
import type { EntryIterator, EntrySink, IteratorOptions } from './entry-iterator.ts';
import { entryLimit } from './key-range.ts';
import { MemoryIterator } from './memory-iterator.ts';
import type { Eventual } from './read-options.ts';
import type { EntryLeaves } from './sorted-entries.ts';

/** Entries and bytes of a piece. */
const PIECE_ENTRIES = 100;
const PIECE_BYTES = 1 << 20;

const NOTHING = Buffer.alloc(0);

interface Entry {
  readonly key: Buffer;
  readonly value: Buffer;
}

export class MergedIterator implements EntryIterator {
  readonly #base: EntryIterator;
  readonly #changes: MemoryIterator;
  readonly #deleted: Buffer;
  readonly #reverse: boolean;
  readonly #keys: boolean;
  readonly #values: boolean;
  readonly #onClose: (iterator: MergedIterator) => void;
  #piece: Entry[] = [];
  #at = 0;
  #baseEnded = false;
  /** The next change; null: none is left; undefined: it has to be fetched. */
  #change: Entry | null | undefined;
  #left: number;
  #reading = false;
  #closed = false;

  /** `base` gives keys, in the range and direction of `options`, without a limit. */
  constructor(
    base: EntryIterator,
    changes: EntryLeaves,
    deleted: Buffer,
    options: IteratorOptions,
    onClose: (iterator: MergedIterator) => void,
  ) {
    const { limit, ...range } = options;
    this.#base = base;
    this.#changes = new MemoryIterator(changes, { ...range, keys: true, values: true }, () => {});
    this.#deleted = deleted;
    this.#reverse = options.reverse ?? false;
    this.#keys = options.keys ?? true;
    this.#values = options.values ?? true;
    this.#left = entryLimit(limit);
    this.#onClose = onClose;
  }

  read(sink: EntrySink, entriesMax: number, bytesMax: number): Eventual<number> {
    this.#assertReady(entriesMax);
    while (this.#needsPiece()) {
      const read = this.#base.read(this.#collect(), PIECE_ENTRIES, PIECE_BYTES);
      if (typeof read !== 'number') return this.#readLater(read, sink, entriesMax, bytesMax);
      this.#baseEnded = read === 0;
    }
    return this.#push(sink, entriesMax, bytesMax);
  }

  readSync(sink: EntrySink, entriesMax: number, bytesMax: number): number {
    this.#assertReady(entriesMax);
    while (this.#needsPiece()) {
      this.#baseEnded = this.#base.readSync(this.#collect(), PIECE_ENTRIES, PIECE_BYTES) === 0;
    }
    return this.#push(sink, entriesMax, bytesMax);
  }

  seek(target: Uint8Array): void {
    if (this.#closed) throw closedError('iterator');
    assert(!this.#reading, 'no seek while a read is under way');
    this.#base.seek(target);
    this.#changes.seek(target);
    this.#piece = [];
    this.#at = 0;
    this.#baseEnded = false;
    this.#change = undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#piece = [];
    this.#base.close();
    this.#changes.close();
    this.#onClose(this);
  }

  async #readLater(
    first: Promise<number>,
    sink: EntrySink,
    entriesMax: number,
    bytesMax: number,
  ): Promise<number> {
    this.#reading = true;
    try {
      this.#baseEnded = (await first) === 0;
      while (this.#needsPiece()) {
        const read = await this.#base.read(this.#collect(), PIECE_ENTRIES, PIECE_BYTES);
        this.#baseEnded = read === 0;
      }
    } finally {
      this.#reading = false;
    }
    if (this.#closed) throw closedError('iterator');
    return this.#push(sink, entriesMax, bytesMax);
  }

  /** Passes over what is hidden. True when an entry of the engine is needed to go on. */
  #needsPiece(): boolean {
    for (;;) {
      if (this.#at === this.#piece.length) return !this.#baseEnded;
      const change = this.#nextChange();
      if (change?.value !== this.#deleted) return false;
      const order = this.#order(change);
      if (order > 0) return false;
      if (order === 0) this.#at++;
      this.#change = undefined;
    }
  }

  #push(sink: EntrySink, entriesMax: number, bytesMax: number): number {
    let pushed = 0;
    let bytes = 0;
    while (pushed < entriesMax && bytes < bytesMax && this.#left > 0) {
      if (this.#at === this.#piece.length && !this.#baseEnded) break;
      const entry = this.#take();
      if (entry === null) break;
      if (entry.value === this.#deleted) continue;
      const key = this.#keys ? entry.key : NOTHING;
      const value = this.#values ? entry.value : NOTHING;
      sink.entry(key, 0, key.length, value, 0, value.length);
      pushed++;
      this.#left--;
      bytes += key.length + value.length;
    }
    return pushed;
  }

  /** The next entry of the two, deletions included; null at the end. */
  #take(): Entry | null {
    const change = this.#nextChange();
    const entry = this.#piece[this.#at] ?? null;
    if (change === null) {
      if (entry !== null) this.#at++;
      return entry;
    }
    const order = entry === null ? -1 : this.#order(change);
    if (order <= 0) this.#change = undefined;
    if (order >= 0 && entry !== null) this.#at++;
    return order <= 0 ? change : entry;
  }

  /** Of a change and the next entry of the engine: below 0 when the change comes first. */
  #order(change: Entry): number {
    const entry = this.#piece[this.#at];
    assert(entry !== undefined, 'there is an entry to compare with');
    const order = Buffer.compare(change.key, entry.key);
    return this.#reverse ? -order : order;
  }

  #nextChange(): Entry | null {
    if (this.#change !== undefined) return this.#change;
    let next: Entry | null = null;
    const take: EntrySink = {
      entry: (keys, _keyStart, _keyEnd, values) => {
        // These are whole buffers that nobody changes, and one of them may be the deletion's.
        next = { key: keys, value: values };
      },
    };
    this.#changes.readSync(take, 1, Infinity);
    this.#change = next;
    return next;
  }

  #collect(): EntrySink {
    const piece: Entry[] = [];
    this.#piece = piece;
    this.#at = 0;
    return {
      entry: (keys, keyStart, keyEnd, values, valueStart, valueEnd) => {
        const key = Buffer.from(keys.subarray(keyStart, keyEnd));
        piece.push({ key, value: Buffer.from(values.subarray(valueStart, valueEnd)) });
      },
    };
  }

  #assertReady(entriesMax: number): void {
    assert(!this.#reading, 'one read of an iterator at a time');
    assert(entriesMax > 0, 'a read asks for at least one entry');
    if (this.#closed) throw closedError('iterator');
  }
}
