/**
 * The keydir together with the counts of what is alive in each file: every change to one is a
 * change to the other. Takes entries in commit order, from a log, from recovery or from a hint.
 */

import { extendCrc32c } from '../base/crc32c.ts';
import type { DataFile, FileTable } from './data-file.ts';
import { DELETE, EntryView, MARK, PUT, entryLength, get64 } from './entry-format.ts';
import type { HintReader } from './hint-file.ts';
import { positionsByKey } from './hint-order.ts';
import { KeyLocation, lengthCodeOf, lengthOfCode } from './key-location.ts';
import { Keydir } from './keydir.ts';

export class KeyIndex {
  readonly keydir: Keydir = new Keydir();
  readonly #files: FileTable;
  readonly #location = new KeyLocation();
  readonly #before = new KeyLocation();
  readonly #view = new EntryView();
  /** Bytes of keys and values that are alive, as the files have them. */
  #liveBytes = 0;

  constructor(files: FileTable) {
    this.#files = files;
  }

  get liveBytes(): number {
    return this.#liveBytes;
  }

  /**
   * Takes all entries in `bytes`, which lie from byte position `offset` on in `file`. Gives the
   * highest clock of the marks among them, 0 for none. The entries are known to be right.
   */
  applyEntries(file: DataFile, bytes: Uint8Array, offset: number, length: number): number {
    let clock = 0;
    for (let at = 0; at < length;) {
      this.#view.peek(bytes, at, length - at);
      clock = Math.max(clock, this.applyEntry(file, bytes, at, offset + at, this.#view));
      at += this.#view.length;
    }
    return clock;
  }

  /** Takes one entry, which begins at `at` in `bytes`. Gives a mark's clock, else 0. */
  applyEntry(
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
    const expiry = kind === PUT && keyStart > at + 24 ? get64(bytes, at + 24) : 0;
    const lengthCode = kind === DELETE ? 0 : lengthCodeOf(valueEnd - at);
    if (kind === DELETE) {
      this.delete(bytes, keyStart, keyEnd);
      if (file.merged) keepDelete(file, keyEnd - keyStart);
    }
    if (kind === PUT) this.put(file, bytes, keyStart, keyEnd, offset, lengthCode, expiry);
    file.entries++;
    file.hint?.add(bytes, keyStart, keyEnd, offset, lengthCode, expiry);
    return 0;
  }

  /** Takes all records of a hint. */
  applyHint(file: DataFile, hint: HintReader): void {
    const positions = positionsByKey(hint);
    if (positions === null) while (hint.next()) this.#applyRecord(file, hint);
    else {
      for (const position of positions) {
        hint.read(position);
        this.#applyRecord(file, hint);
      }
    }
    file.entries = hint.count;
  }

  #applyRecord(file: DataFile, hint: HintReader): void {
    const { bytes, keyStart, keyEnd } = hint;
    if (hint.isDelete) {
      this.delete(bytes, keyStart, keyEnd);
      if (file.merged) keepDelete(file, keyEnd - keyStart);
    } else {
      this.put(file, bytes, keyStart, keyEnd, hint.offset, hint.lengthCode, hint.expiry);
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
    const location = this.#location;
    location.file = file.slot;
    location.offset = offset;
    location.lengthCode = lengthCode;
    location.expiry = expiry;
    if (this.keydir.set(keys, keyStart, keyEnd, location, this.#before)) this.#forget();
    file.liveEntries++;
    const length = lengthOfCode(lengthCode);
    file.liveBytes += length;
    this.#liveBytes += length;
  }

  delete(keys: Uint8Array, keyStart: number, keyEnd: number): void {
    if (this.keydir.delete(keys, keyStart, keyEnd, this.#before)) this.#forget();
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

/** A merged file has a delete only because an older file may hold the key: it is of use. */
function keepDelete(file: DataFile, keyLength: number): void {
  file.keptDeletes++;
  file.keptBytes += entryLength(keyLength, 0, false);
}
