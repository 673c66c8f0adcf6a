/**
 * The data files that are open, by the number that the keydir has for each, and what is known of
 * them: how long, how much of it is alive. Not here: writing them, and when one may go.
 */

import { HoldfastError } from '../base/errors.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import { HintBuilder } from './hint-file.ts';

/** The keydir has two bytes for a file. */
const SLOTS_MAX = 0x1_0000;

/** One data file, open for reading. */
export class DataFile {
  readonly number: number;
  /** What the keydir calls it. */
  readonly slot: number;
  readonly path: string;
  /** How many files the table had been given by then, this one included. */
  readonly added: number;
  readonly merged: boolean;
  /** For reading only. */
  readonly file: VfsFile;
  /** Bytes that belong to the store and can be read. Grows while it is a log in use. */
  length: number;
  /** Nothing will be appended any more. */
  sealed: boolean;
  /** CRC-32C over the checksums of the entries, in order. */
  fingerprint = 0;
  /** Puts and deletes in it. */
  entries = 0;
  /** Deletes that a merge kept, because an older file may hold their key, and their bytes. */
  keptDeletes = 0;
  keptBytes = 0;
  /** Entries that the keydir leads to, and their bytes. */
  liveEntries = 0;
  liveBytes = 0;
  /** When the first put of it is over, and the last; `Infinity`: never. */
  firstExpiry: number = Infinity;
  lastExpiry = 0;
  /** Which file has told what is in it. */
  toldBy: string;
  /** Collects the hint file; null when there is one already, or when it was not wanted. */
  hint: HintBuilder | null = new HintBuilder();
  /** Whether the hint file is on the disk. */
  hasHint = false;

  constructor(
    place: Pick<DataFile, 'number' | 'slot' | 'path' | 'added'>,
    file: VfsFile,
    merged: boolean,
    length: number,
    sealed: boolean,
  ) {
    this.number = place.number;
    this.slot = place.slot;
    this.path = place.path;
    this.toldBy = place.path;
    this.added = place.added;
    this.file = file;
    this.merged = merged;
    this.length = length;
    this.sealed = sealed;
  }

  /** A put of it is over at `expiry`; 0: never. */
  noteExpiry(expiry: number): void {
    const time = expiry === 0 ? Infinity : expiry;
    if (time < this.firstExpiry) this.firstExpiry = time;
    if (time > this.lastExpiry) this.lastExpiry = time;
  }

  /** Part of the entries that are of no use any more, from 0 to 1. */
  get fragmentation(): number {
    if (this.entries === 0) return 0;
    return 1 - (this.liveEntries + this.keptDeletes) / this.entries;
  }

  /** Bytes that a merge would give back, as far as can be told. */
  get deadBytes(): number {
    return Math.max(0, this.length - this.liveBytes - this.keptBytes);
  }
}

export class FileTable {
  readonly #slots: (DataFile | undefined)[] = [];
  readonly #free: number[] = [];
  #added = 0;

  /** How many files it has been given so far. */
  get added(): number {
    return this.#added;
  }

  /** The file that the keydir means. */
  at(slot: number): DataFile {
    return this.#slots[slot]!;
  }

  /** All of them, in no order. */
  *[Symbol.iterator](): Iterator<DataFile> {
    for (const file of this.#slots) if (file !== undefined) yield file;
  }

  /** @throws HOLDFAST_TOO_LARGE when there are too many */
  add(
    number: number,
    path: string,
    file: VfsFile,
    merged: boolean,
    length: number,
    sealed: boolean,
  ): DataFile {
    const slot = this.#free.pop() ?? this.#slots.length;
    if (slot >= SLOTS_MAX) {
      this.#free.push(slot);
      throw new HoldfastError('HOLDFAST_TOO_LARGE', `a store has at most ${SLOTS_MAX} files`);
    }
    const place = { number, slot, path, added: ++this.#added };
    const dataFile = new DataFile(place, file, merged, length, sealed);
    this.#slots[slot] = dataFile;
    return dataFile;
  }

  /** Forgets a file that nobody reads any more; its number may be given to another. */
  remove(file: DataFile): void {
    this.#slots[file.slot] = undefined;
    this.#free.push(file.slot);
  }
}
