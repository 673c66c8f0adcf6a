/**
 * Reads a range of one state in order. Keys come from the index; values from the block cache or the
 * data files, where many are read together (`value-window.ts`).
 */

import { assert } from '../base/assert.ts';
import { compareRanges } from '../base/bytes.ts';
import { closedError } from '../engine/engine-errors.ts';
import type { EntryIterator, EntrySink, IteratorOptions } from '../engine/entry-iterator.ts';
import {
  aboveLower,
  belowUpper,
  boundsAreEmpty,
  entryLimit,
  keyBounds,
} from '../engine/key-range.ts';
import type { KeyBounds } from '../engine/key-range.ts';
import type { Eventual } from '../engine/read-options.ts';
import type { DataFile, FileTable } from './data-file.ts';
import { KeyLocation, lengthOfCode } from './key-location.ts';
import { KeydirCursor } from './keydir-cursor.ts';
import type { KeydirPages } from './keydir-pages.ts';
import type { StateHold } from './state-holds.ts';
import type { FetchedBytes, ValueReader } from './value-reader.ts';
import { ValueWindow } from './value-window.ts';

const NOTHING = Buffer.alloc(0);

/** What an iterator needs of its engine. */
export interface IteratorSurroundings {
  readonly pages: KeydirPages;
  readonly files: FileTable;
  readonly reader: ValueReader;
  /** Whether an entry with this expiry is not shown, and whether the time must be stored first. */
  readonly isOver: (expiry: number) => boolean;
  readonly mustStore: (expiry: number) => boolean;
  readonly storeClock: () => Promise<void>;
  readonly storeClockSync: () => void;
  readonly onClose: (iterator: BitcaskIterator) => void;
}

export class BitcaskIterator implements EntryIterator {
  readonly hold: StateHold;
  readonly #around: IteratorSurroundings;
  readonly #cursor: KeydirCursor;
  /** Runs ahead of the cursor, to see what will be read. */
  readonly #ahead: KeydirCursor;
  readonly #window: ValueWindow;
  readonly #location = new KeyLocation();
  readonly #bounds: KeyBounds;
  readonly #reverse: boolean;
  readonly #keys: boolean;
  readonly #values: boolean;
  readonly #fill: boolean;
  #left: number;
  /** Beside the range, whatever the cursor is on. */
  #ended = false;
  #closed = false;
  #reading = false;
  #error: unknown = undefined;
  #failed = false;

  constructor(around: IteratorSurroundings, hold: StateHold, options: IteratorOptions) {
    this.#around = around;
    this.hold = hold;
    this.#bounds = keyBounds(options);
    this.#reverse = options.reverse ?? false;
    this.#keys = options.keys ?? true;
    this.#values = options.values ?? true;
    this.#fill = options.fillCache ?? true;
    this.#left = entryLimit(options.limit);
    this.#cursor = new KeydirCursor(around.pages, hold.state);
    this.#ahead = new KeydirCursor(around.pages, hold.state);
    this.#window = new ValueWindow(around.files, around.reader);
    this.#begin();
  }

  read(sink: EntrySink, entriesMax: number, bytesMax: number): Eventual<number> {
    this.#checkRead(entriesMax);
    const pushed = this.#push(sink, entriesMax, bytesMax, false);
    if (pushed > 0 || !this.#hasNext()) return pushed;
    this.#reading = true;
    return this.#pushLater(sink, entriesMax, bytesMax).finally(() => {
      this.#reading = false;
    });
  }

  readSync(sink: EntrySink, entriesMax: number, bytesMax: number): number {
    this.#checkRead(entriesMax);
    return this.#push(sink, entriesMax, bytesMax, true);
  }

  seek(target: Uint8Array): void {
    if (this.#closed) throw closedError('iterator');
    assert(!this.#reading, 'an iterator does one thing at a time');
    this.#window.clear();
    this.#ended = !(aboveLower(this.#bounds, target) && belowUpper(this.#bounds, target));
    if (!this.#ended) this.#seek(target);
  }

  /** Bytes on the disk of all entries that are left, which are not read again. */
  entryBytes(): number {
    let bytes = 0;
    for (; this.#hasNext(); this.#step()) {
      this.#cursor.location(this.#location);
      bytes += lengthOfCode(this.#location.lengthCode);
    }
    return bytes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#window.close();
    this.#around.onClose(this);
  }

  #checkRead(entriesMax: number): void {
    if (this.#closed) throw closedError('iterator');
    assert(!this.#reading, 'an iterator does one thing at a time');
    assert(entriesMax > 0, 'a read asks for at least one entry');
    if (this.#failed) throw this.#error;
  }

  #begin(): void {
    const { lower, upper, lowerOpen, upperOpen } = this.#bounds;
    this.#ended = boundsAreEmpty(this.#bounds);
    const first = this.#reverse ? upper : lower;
    if (first !== undefined) this.#seek(first);
    else if (this.#reverse) this.#cursor.last();
    const open = this.#reverse ? upperOpen : lowerOpen;
    if (open && first !== undefined && this.#cursor.valid && this.#isAt(first)) this.#step();
  }

  /** To the first key from `target` on in the direction. */
  #seek(target: Uint8Array): void {
    const cursor = this.#cursor;
    cursor.seek(target);
    if (!this.#reverse) return;
    if (!cursor.valid) cursor.last();
    else if (!this.#isAt(target)) cursor.previous();
  }

  #isAt(key: Uint8Array): boolean {
    const { keys, keyStart, keyEnd } = this.#cursor;
    return compareRanges(keys, keyStart, keyEnd, key, 0, key.length) === 0;
  }

  #step(): void {
    if (this.#window.hasNext) this.#window.step();
    if (this.#reverse) this.#cursor.previous();
    else this.#cursor.next();
  }

  /** Whether the cursor is on a key that is in the range and in the limit. */
  #hasNext(): boolean {
    return this.#isInRange(this.#cursor, this.#left);
  }

  #isInRange(cursor: KeydirCursor, left: number): boolean {
    if (this.#ended || left <= 0 || !cursor.valid) return false;
    const { keys, keyStart, keyEnd } = cursor;
    return this.#reverse
      ? aboveLower(this.#bounds, keys, keyStart, keyEnd)
      : belowUpper(this.#bounds, keys, keyStart, keyEnd);
  }

  /**
   * Pushes what is at hand; with `wait`, also what must be read from the device. `given` are the
   * bytes of the first entry, where they were read alone. Gives the number of entries.
   */
  #push(
    sink: EntrySink,
    entriesMax: number,
    bytesMax: number,
    wait: boolean,
    given: FetchedBytes | null = null,
  ): number {
    const { reader, files } = this.#around;
    const location = this.#location;
    const cursor = this.#cursor;
    let alone = given;
    let pushed = 0;
    let bytes = 0;
    for (; pushed < entriesMax && bytes < bytesMax && this.#hasNext(); alone = null) {
      cursor.location(location);
      if (location.expiry !== 0 && this.#around.isOver(location.expiry)) {
        if (this.#around.mustStore(location.expiry)) {
          if (!wait) break;
          this.#around.storeClockSync();
        }
        this.#step();
        continue;
      }
      const { keys, keyStart, keyEnd } = cursor;
      const showKeys = this.#keys ? keys : NOTHING;
      const start = this.#keys ? keyStart : 0;
      const end = this.#keys ? keyEnd : 0;
      let valueBytes = 0;
      if (this.#values) {
        const fetched =
          this.#atHand(location, alone) ?? (wait ? reader.fetchSync(location, this.#fill) : null);
        if (fetched === null) break;
        this.#check(files.at(location.file), location.offset, fetched, keys, keyStart, keyEnd);
        const { keyEnd: valueStart, valueEnd } = reader.entry;
        sink.entry(showKeys, start, end, fetched.bytes, valueStart, valueEnd);
        valueBytes = valueEnd - valueStart;
      } else {
        sink.entry(showKeys, start, end, NOTHING, 0, 0);
      }
      bytes += end - start + valueBytes;
      pushed++;
      this.#left--;
      this.#step();
    }
    return pushed;
  }

  #atHand(location: KeyLocation, given: FetchedBytes | null): FetchedBytes | null {
    if (given !== null) return given;
    return this.#window.hasNext ? this.#window.next : this.#around.reader.cached(location);
  }

  async #pushLater(sink: EntrySink, entriesMax: number, bytesMax: number): Promise<number> {
    let failed: FetchedBytes | null = null;
    while (this.#hasNext()) {
      this.#cursor.location(this.#location);
      if (this.#mustStore()) await this.#around.storeClock();
      if (this.#closed) throw closedError('iterator');
      const pushed = this.#push(sink, entriesMax, bytesMax, false, failed);
      if (pushed > 0) return pushed;
      if (this.#mustStore() || !this.#hasNext()) continue;
      // What could not be read with others is read alone: then it is known what to say.
      if (this.#window.hasNext) failed = await this.#fetch();
      else await this.#readAhead(entriesMax, bytesMax);
      if (this.#closed) throw closedError('iterator');
    }
    return 0;
  }

  async #fetch(): Promise<FetchedBytes> {
    this.#cursor.location(this.#location);
    const fetching = this.#around.reader.fetch(this.#location, this.#fill);
    return fetching.catch((error: unknown) => this.#fail(error));
  }

  /** Whether the entry at the location has expired, and nobody may hear of it yet. */
  #mustStore(): boolean {
    const { expiry } = this.#location;
    return expiry !== 0 && this.#around.isOver(expiry) && this.#around.mustStore(expiry);
  }

  /** Reads the next entries, those that have expired as well. */
  async #readAhead(entriesMax: number, bytesMax: number): Promise<void> {
    const ahead = this.#ahead;
    const location = this.#location;
    ahead.goTo(this.#cursor);
    this.#window.begin(entriesMax, bytesMax);
    for (let left = this.#left; this.#isInRange(ahead, left); left--) {
      ahead.location(location);
      if (!this.#window.add(location)) break;
      if (this.#reverse) ahead.previous();
      else ahead.next();
    }
    await this.#window.load();
  }

  #check(
    file: DataFile,
    offset: number,
    fetched: FetchedBytes,
    keys: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): void {
    try {
      this.#around.reader.check(file, offset, fetched, keys, keyStart, keyEnd);
    } catch (error) {
      // The same error is given again by the next read.
      this.#fail(error);
    }
  }

  #fail(error: unknown): never {
    this.#failed = true;
    this.#error = error;
    throw error;
  }
}
