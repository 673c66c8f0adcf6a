/**
 * The entries that an iterator gives next, read together. They lie in the files in the order of
 * their writing: the places of many keys are sorted by that order, and what lies close together is
 * one read. Entries are not checked here; one that could not be read is left to its reader.
 */

import type { FileTable } from './data-file.ts';
import { lengthOfCode } from './key-location.ts';
import type { KeyLocation } from './key-location.ts';
import type { FetchedBytes, ValueReader } from './value-reader.ts';

/** Entries of one window. They are numbered by 16 bits. */
const ENTRIES_MAX = 32_768;
/** Bytes of a window, apart from its last entry. */
const BYTES_MAX = 8 << 20;
/** One read passes over so many bytes that nobody asked for, rather than ending. */
const GAP_BYTES_MAX = 32 << 10;
/** One read takes so many bytes, unless a single entry is longer. */
const READ_BYTES_MAX = 512 << 10;
/** Reads that are under way together. */
const READS_AT_ONCE = 4;
/** Reads on the calling thread before one goes to the thread pool, and the event loop goes on. */
const READS_NOW_MAX = 64;
/** A window with more entries reads what the cache has as well: it needs most of the files. */
const CACHED_ENTRIES_MAX = 4096;
/** Up to this length a loop is faster than a call out of JavaScript with a view made for it. */
const LOOP_BYTES_MAX = 48;

/** One read: entries `first` to before `last` in the order of places, bytes `from` to before `to`. */
interface Run {
  first: number;
  last: number;
  slot: number;
  from: number;
  to: number;
  buffer: Buffer;
}

export class ValueWindow {
  readonly #files: FileTable;
  readonly #reader: ValueReader;
  readonly #found: { bytes: Buffer; at: number; available: number };
  /** By entry, in the order in which they are given: its place here, and its bytes, 0 for none. */
  #starts = new Uint32Array(0);
  #lengths = new Uint32Array(0);
  #bytes: Buffer = NOTHING;
  #filled = 0;
  #count = 0;
  #next = 0;
  /** Of entries to be read: file 16 | offset 32 | number 16, also as pairs of 32 bits. */
  #places = new BigUint64Array(0);
  #halves = new Uint32Array(0);
  #toRead = 0;
  #taken = 0;
  #readsNow = 0;
  #entriesMax = 0;
  #bytesMax = 0;
  #runs: Run[] = [];
  /** Counts windows, so that reads for one that is given up change nothing. */
  #generation = 0;

  constructor(files: FileTable, reader: ValueReader) {
    this.#files = files;
    this.#reader = reader;
    this.#found = { bytes: NOTHING, at: 0, available: 0 };
  }

  /** Whether the next entry is one of this window. */
  get hasNext(): boolean {
    return this.#next < this.#count;
  }

  /** The bytes of the next entry, until the next `begin`; null when they could not be read. */
  get next(): FetchedBytes | null {
    const length = this.#lengths[this.#next]!;
    if (length === 0) return null;
    this.#found.bytes = this.#bytes;
    this.#found.at = this.#starts[this.#next]!;
    this.#found.available = length;
    return this.#found;
  }

  /** Goes to the entry behind the next one. */
  step(): void {
    this.#next++;
  }

  /** Gives up what it has, and the next window is as small as the first one. */
  clear(): void {
    this.#generation++;
    this.#count = 0;
    this.#next = 0;
    this.#filled = 0;
  }

  /** Gives up its memory as well. */
  close(): void {
    this.clear();
    this.#bytes = NOTHING;
    this.#runs = [];
  }

  /**
   * Begins a window of at least one entry: of the size that is asked for, or several times that of
   * the window before.
   */
  begin(entriesMax: number, bytesMax: number): void {
    const entries = Math.max(entriesMax, 4 * this.#count);
    const bytes = Math.max(bytesMax, 4 * this.#filled);
    this.clear();
    this.#entriesMax = Math.min(ENTRIES_MAX, entries);
    this.#bytesMax = Math.min(BYTES_MAX, bytes);
    this.#toRead = 0;
    this.#taken = 0;
    this.#readsNow = 0;
    this.#makeArrays(Math.min(this.#entriesMax, FIRST_ENTRIES));
  }

  /** Takes the next entry into the window; false when it has no room for more. */
  add(location: KeyLocation): boolean {
    const number = this.#count;
    const start = this.#filled;
    if (number === this.#entriesMax || (number > 0 && start >= this.#bytesMax)) return false;
    if (number === this.#starts.length) this.#makeArrays(Math.min(2 * number, ENTRIES_MAX));
    const file = this.#files.at(location.file);
    const { offset } = location;
    const length = Math.min(lengthOfCode(location.lengthCode), file.length - offset);
    this.#starts[number] = start;
    this.#lengths[number] = length;
    this.#filled = start + length;
    this.#count = number + 1;
    if (this.#filled > this.#bytes.length) this.#grow(start);
    if (this.#entriesMax > CACHED_ENTRIES_MAX || !this.#takeCached(location, start, length)) {
      const at = 2 * this.#toRead++;
      this.#halves[at + LOW] = ((offset & 0xffff) << 16) | number;
      this.#halves[at + HIGH] = (location.file << 16) | (offset >>> 16);
    }
    return true;
  }

  /** Reads the entries that were added. Never rejects. */
  async load(): Promise<void> {
    this.#places.subarray(0, this.#toRead).sort();
    const generation = this.#generation;
    const readers: Promise<void>[] = [];
    for (let number = 0; number < READS_AT_ONCE && this.#taken < this.#toRead; number++) {
      this.#runs[number] ??= { first: 0, last: 0, slot: 0, from: 0, to: 0, buffer: NOTHING };
      readers.push(this.#readRuns(this.#runs[number]!, generation));
    }
    await Promise.all(readers);
  }

  #takeCached(location: KeyLocation, start: number, length: number): boolean {
    const cached = this.#reader.cached(location);
    if (cached === null || cached.available < length) return false;
    copyBytes(cached.bytes, cached.at, this.#bytes, start, length);
    return true;
  }

  async #readRuns(run: Run, generation: number): Promise<void> {
    while (generation === this.#generation && this.#takeRun(run)) {
      const length = run.to - run.from;
      const alone = run.last - run.first === 1;
      if (!alone && run.buffer.length < length) run.buffer = Buffer.allocUnsafeSlow(length);
      const start = alone ? this.#starts[this.#numberAt(run.first)]! : 0;
      const target = alone ? this.#bytes : run.buffer;
      const file = this.#files.at(run.slot);
      let count = -1;
      if (this.#readsNow < READS_NOW_MAX) {
        count = this.#reader.readNow(file, target, run.from, start, length);
        this.#readsNow++;
      }
      if (count < 0) {
        count = await this.#reader.readLater(file, target, run.from, start, length).catch(() => 0);
        this.#readsNow = 0;
        if (generation !== this.#generation) return;
      }
      this.#keep(run, alone, count);
    }
  }

  /** Takes the next places that are close together; false when none are left. */
  #takeRun(run: Run): boolean {
    let at = this.#taken;
    if (at === this.#toRead) return false;
    run.first = at;
    run.slot = this.#slotAt(at);
    run.from = this.#offsetAt(at);
    run.to = run.from + this.#lengths[this.#numberAt(at)]!;
    for (at++; at < this.#toRead && this.#slotAt(at) === run.slot; at++) {
      const offset = this.#offsetAt(at);
      const to = offset + this.#lengths[this.#numberAt(at)]!;
      if (offset - run.to > GAP_BYTES_MAX || to - run.from > READ_BYTES_MAX) break;
      run.to = Math.max(run.to, to);
    }
    run.last = at;
    this.#taken = at;
    return true;
  }

  /** Puts the entries of a run at their places; `count` bytes of it were read. */
  #keep(run: Run, alone: boolean, count: number): void {
    for (let at = run.first; at < run.last; at++) {
      const number = this.#numberAt(at);
      const from = this.#offsetAt(at) - run.from;
      const length = Math.max(0, Math.min(this.#lengths[number]!, count - from));
      if (!alone) copyBytes(run.buffer, from, this.#bytes, this.#starts[number]!, length);
      this.#lengths[number] = length;
    }
  }

  #slotAt(at: number): number {
    return this.#halves[2 * at + HIGH]! >>> 16;
  }

  #offsetAt(at: number): number {
    const high = this.#halves[2 * at + HIGH]! & 0xffff;
    return high * 0x1_0000 + (this.#halves[2 * at + LOW]! >>> 16);
  }

  #numberAt(at: number): number {
    return this.#halves[2 * at + LOW]! & 0xffff;
  }

  /** Arrays for so many entries, with what they hold. */
  #makeArrays(entries: number): void {
    if (entries <= this.#starts.length) return;
    const [starts, lengths, halves] = [this.#starts, this.#lengths, this.#halves];
    this.#starts = new Uint32Array(entries);
    this.#lengths = new Uint32Array(entries);
    this.#places = new BigUint64Array(entries);
    this.#halves = new Uint32Array(this.#places.buffer);
    this.#starts.set(starts);
    this.#lengths.set(lengths);
    this.#halves.set(halves);
  }

  /** Room for what is filled; `used` bytes of it hold something. */
  #grow(used: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#filled, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, used));
    this.#bytes = larger;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);
const FIRST_ENTRIES = 64;

/** Which of a pair of 32 bits is the lower half of 64. */
const LOW = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;
const HIGH = 1 - LOW;

function copyBytes(source: Buffer, from: number, target: Buffer, to: number, length: number): void {
  if (length > LOOP_BYTES_MAX) {
    target.set(source.subarray(from, from + length), to);
    return;
  }
  for (let index = 0; index < length; index++) target[to + index] = source[from + index]!;
}
