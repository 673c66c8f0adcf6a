/**
 * The keydir together with the counts of what is alive in each file: every change to one is a
 * change to the other. Takes entries in commit order, from a log, from recovery or from a hint.
 */

import type { Clock } from '../base/clock.ts';
import { extendCrc32c } from '../base/crc32c.ts';
import type { DataFile, FileTable } from './data-file.ts';
import {
  DELETE,
  ENTRY_HEADER_BYTES,
  EntryView,
  MARK,
  PUT,
  entryLength,
  get64,
} from './entry-format.ts';
import type { HintBuilder, HintMark, HintReader } from './hint-file.ts';
import { sortedRecords } from './hint-order.ts';
import type { SortedRecords } from './hint-order.ts';
import { KeyLocation, lengthCodeOf, lengthOfCode } from './key-location.ts';
import { Keydir } from './keydir.ts';

/** So many entries are noted, at most, before they are put in order and taken into the index. */
const LATE_MAX = 16_384;
/** That happens in parts, so many entries for each new one: all at once would block for long. */
const TAKEN_FOR_EACH = 4;
/** So many in each turn of the event loop, where there is time. */
const TAKEN_A_TURN = 2048;

/** Entries of a log that are noted in its hint, and that the keydir does not have yet. */
interface Late {
  readonly file: DataFile;
  readonly hint: HintBuilder;
  /** What the hint had before them. */
  readonly mark: HintMark;
}

/** Records that the keydir is being given, in the order of their keys. */
interface Taking {
  readonly hinted: readonly HintedFile[];
  readonly sorted: SortedRecords;
}

/** A data file and the records of its entries. */
export interface HintedFile {
  readonly file: DataFile;
  readonly hint: HintReader;
}

export class KeyIndex {
  readonly #keydir: Keydir;
  /** Entries that were noted before those of `#late`. */
  #taking: Taking | null = null;
  #late: Late | null = null;
  readonly #files: FileTable;
  readonly #location = new KeyLocation();
  readonly #before = new KeyLocation();
  readonly #view = new EntryView();
  /** Bytes of keys and values that are alive, as the files have them. */
  #liveBytes: number;

  /** `keydir`: what it begins with, and its bytes, which the files have in their counts. */
  constructor(files: FileTable, keydir: Keydir = new Keydir(), liveBytes: number = 0) {
    this.#files = files;
    this.#keydir = keydir;
    this.#liveBytes = liveBytes;
  }

  /** With all entries that were taken. */
  get keydir(): Keydir {
    if (this.#late !== null || this.#taking !== null) this.catchUp();
    return this.#keydir;
  }

  get liveBytes(): number {
    this.catchUp();
    return this.#liveBytes;
  }

  /**
   * Takes all entries in `bytes`, which lie from byte position `offset` on in `file`. Gives the
   * highest clock of the marks among them, 0 for none. The entries are known to be right.
   *
   * They are noted now, and go into the keydir when somebody asks for it, or when they are many: in
   * the order of their keys, which takes much less time than in the order of a random load.
   */
  applyEntries(file: DataFile, bytes: Uint8Array, offset: number, length: number): number {
    const { hint } = file;
    if (hint !== null && this.#late?.hint !== hint) {
      this.endNotes();
      this.#late = { file, hint, mark: hint.mark };
    }
    const { entries } = file;
    let clock = 0;
    const view = this.#view;
    for (let at = 0; at < length; at += view.length) {
      view.peek(bytes, at, length - at);
      const found =
        hint === null
          ? this.applyEntry(file, bytes, at, offset + at, view)
          : noteEntry(file, bytes, at, offset + at, view);
      clock = Math.max(clock, found);
    }
    if (hint === null) return clock;
    if (this.#taking !== null) this.#take(TAKEN_FOR_EACH * (file.entries - entries));
    if (hint.mark.count - this.#late!.mark.count >= LATE_MAX) this.endNotes();
    return clock;
  }

  /** Gives the keydir, and the counts of the files, what they do not have yet. */
  catchUp(): void {
    this.endNotes();
    this.#take(Infinity);
  }

  /** As `catchUp`, for whoever can wait: what comes meanwhile may be missing. */
  async catchUpInTurns(clock: Clock): Promise<void> {
    await this.#takeInTurns(clock);
    this.endNotes();
    await this.#takeInTurns(clock);
  }

  /** Not what takes the place of these records meanwhile: large batches may follow without an end. */
  async #takeInTurns(clock: Clock): Promise<void> {
    const taking = this.#taking;
    if (taking === null) return;
    while (this.#taking === taking) {
      this.#take(TAKEN_A_TURN);
      await clock.sleep(0);
    }
  }

  /** What is noted has been copied when it returns: the hint that has it may be finished. */
  endNotes(): void {
    const late = this.#late;
    if (late === null) return;
    this.#late = null;
    this.#take(Infinity);
    this.#giveRecords([{ file: late.file, hint: late.hint.records(late.mark) }]);
  }

  /** Takes one entry, which begins at `at` in `bytes`. Gives a mark's clock, else 0. */
  applyEntry(
    file: DataFile,
    bytes: Uint8Array,
    at: number,
    offset: number,
    view: EntryView,
  ): number {
    const { kind, keyStart, keyEnd, valueEnd } = view;
    const clock = noteEntry(file, bytes, at, offset, view);
    if (kind === DELETE) {
      this.delete(bytes, keyStart, keyEnd);
      if (file.merged) keepDelete(file, keyEnd - keyStart);
    } else if (kind === PUT) {
      const expiry = expiryOf(bytes, at, view);
      this.put(file, bytes, keyStart, keyEnd, offset, lengthCodeOf(valueEnd - at), expiry);
    }
    return clock;
  }

  /** Takes all entries of a file that have been noted and not taken. */
  applyNoted(file: DataFile): void {
    if (file.hint !== null) this.applyHint(file, file.hint.records());
  }

  /** Takes all records of a hint. */
  applyHint(file: DataFile, hint: HintReader): void {
    this.applyHints([{ file, hint }]);
  }

  /** Takes all records of the hints of several files, oldest first. */
  applyHints(hinted: readonly HintedFile[]): void {
    this.catchUp();
    this.#giveRecords(hinted);
    this.#take(Infinity);
    for (const { file, hint } of hinted) file.entries = hint.count;
  }

  /** The records are to be taken; those that cannot be put in order are taken. */
  #giveRecords(hinted: readonly HintedFile[]): void {
    const sorted = sortedRecords(hinted.map(({ hint }) => hint));
    if (sorted !== null) {
      this.#taking = { hinted, sorted };
      return;
    }
    for (const { file, hint } of hinted) while (hint.next()) this.#applyRecord(file, hint);
  }

  /** Takes `count` records of those that are being taken, or all that there are. */
  #take(count: number): void {
    if (this.#taking === null) return;
    const { hinted, sorted } = this.#taking;
    const { reader } = sorted;
    for (let left = count; left > 0; left--) {
      if (!sorted.next()) {
        this.#taking = null;
        return;
      }
      this.#applyRecord(hinted[sorted.owner]!.file, reader);
    }
  }

  #applyRecord(file: DataFile, hint: HintReader): void {
    const { bytes, keyStart, keyEnd } = hint;
    if (hint.isDelete) {
      this.#delete(bytes, keyStart, keyEnd);
      if (file.merged) keepDelete(file, keyEnd - keyStart);
    } else {
      file.noteExpiry(hint.expiry);
      this.#location.place(file.slot, hint.offset, hint.lengthCode, hint.expiry);
      const { bytes: keys } = hint;
      const replaced = this.#keydir.setNear(keys, keyStart, keyEnd, this.#location, this.#before);
      this.#count(file, hint.lengthCode, replaced);
    }
  }

  put(
    file: DataFile,
    keys: Uint8Array,
    keyStart: number,
    keyEnd: number,
    offset: number,
    lengthCode: number,
    expiry: number,
  ): void {
    file.noteExpiry(expiry);
    this.#location.place(file.slot, offset, lengthCode, expiry);
    const replaced = this.keydir.set(keys, keyStart, keyEnd, this.#location, this.#before);
    this.#count(file, lengthCode, replaced);
  }

  /** An entry of the file is alive; with `replaced`, the one at `#before` is dead. */
  #count(file: DataFile, lengthCode: number, replaced: boolean): void {
    if (replaced) this.#forget();
    file.liveEntries++;
    const length = lengthOfCode(lengthCode);
    file.liveBytes += length;
    this.#liveBytes += length;
  }

  delete(keys: Uint8Array, keyStart: number, keyEnd: number): void {
    this.catchUp();
    this.#delete(keys, keyStart, keyEnd);
  }

  #delete(keys: Uint8Array, keyStart: number, keyEnd: number): void {
    if (this.#keydir.delete(keys, keyStart, keyEnd, this.#before)) this.#forget();
  }

  /** The entry at `#before` is dead. */
  #forget(): void {
    const file = this.#files.at(this.#before.file);
    const length = lengthOfCode(this.#before.lengthCode);
    file.liveEntries--;
    file.liveBytes -= length;
    this.#liveBytes -= length;
  }
}

/**
 * Notes in its file that an entry is there, for the hint and the fingerprint; the index does not
 * hear of it. Gives a mark's clock, else 0.
 */
export function noteEntry(
  file: DataFile,
  bytes: Uint8Array,
  at: number,
  offset: number,
  view: EntryView,
): number {
  file.fingerprint = extendCrc32c(file.fingerprint, bytes, at, at + 4);
  file.length = Math.max(file.length, offset + view.length);
  const { kind, keyStart, keyEnd, valueEnd } = view;
  if (kind === MARK) return get64(bytes, keyEnd);
  const lengthCode = kind === DELETE ? 0 : lengthCodeOf(valueEnd - at);
  file.entries++;
  file.hint?.add(bytes, keyStart, keyEnd, offset, lengthCode, expiryOf(bytes, at, view));
  return 0;
}

/** When a put expires; 0: never. */
function expiryOf(bytes: Uint8Array, at: number, { kind, keyStart }: EntryView): number {
  const extended = keyStart > at + ENTRY_HEADER_BYTES;
  return kind === PUT && extended ? get64(bytes, at + ENTRY_HEADER_BYTES) : 0;
}

/** A merged file has a delete only because an older file may hold the key: it is of use. */
function keepDelete(file: DataFile, keyLength: number): void {
  file.keptDeletes++;
  file.keptBytes += entryLength(keyLength, 0, false);
}
