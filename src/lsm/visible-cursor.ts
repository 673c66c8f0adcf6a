/**
 * What a reader with a sequence number sees of internal keys: of each user key the newest entry not
 * above it, and no deletes. One direction at a time. Not here: the bounds of a range.
 */

import { CURSOR } from './entry-cursor.ts';
import type { CursorState, EntryCursor } from './entry-cursor.ts';
import {
  KIND_DELETE,
  kindAt,
  putLastTrailer,
  putTrailer,
  sequenceAt,
  TRAILER_BYTES,
} from './internal-key.ts';
import { copyRange } from './table/block-builder.ts';

/** A cursor over user keys. At `CURSOR.entry` the fields hold one, until the next move. */
export class VisibleCursor {
  readonly #cursor: EntryCursor;
  readonly #sequence: number;
  /** Forward: the user key whose older entries are passed over. Backward: the entry shown. */
  #key = new Uint8Array(256);
  #keyLength = 0;
  #value = new Uint8Array(0);
  #valueLength = 0;
  #isPassing = false;
  #forward = true;
  /** Backward: whether `#key` and `#value` hold an entry that a later one may replace. */
  #hasSaved = false;
  state: CursorState = CURSOR.end;
  keyBytes: Uint8Array = this.#key;
  keyStart = 0;
  keyEnd = 0;
  valueBytes: Uint8Array = this.#key;
  valueStart = 0;
  valueEnd = 0;

  constructor(cursor: EntryCursor, sequence: number) {
    this.#cursor = cursor;
    this.#sequence = sequence;
  }

  /** To the first user key not before `key` (after it with `isOpen`); null: the first of all. */
  seekForward(key: Uint8Array | null, isOpen: boolean): void {
    this.#forward = true;
    this.#isPassing = false;
    if (key === null) {
      this.#cursor.seekToFirst();
    } else {
      const target = new Uint8Array(key.length + TRAILER_BYTES);
      target.set(key);
      // Behind all entries of a key comes sequence 0 and the smallest kind.
      if (isOpen) putTrailer(target, key.length, 0, KIND_DELETE);
      else putTrailer(target, key.length, this.#sequence, 1);
      this.#cursor.seek(target, target.length);
    }
    this.#findForward();
  }

  /** To the last user key not after `key` (before it with `isOpen`); null: the last of all. */
  seekBackward(key: Uint8Array | null, isOpen: boolean): void {
    this.#forward = false;
    this.#hasSaved = false;
    if (key === null) {
      this.#cursor.seekToLast();
    } else {
      const target = new Uint8Array(key.length + 1 + TRAILER_BYTES);
      target.set(key);
      // The next possible user key after `key` is `key` and a zero.
      const length = isOpen ? key.length : key.length + 1;
      putLastTrailer(target, length);
      this.#cursor.seekBefore(target, length + TRAILER_BYTES);
    }
    this.#findBackward();
  }

  next(): void {
    this.#keep();
    this.#isPassing = true;
    this.#cursor.next();
    this.#findForward();
  }

  previous(): void {
    this.#hasSaved = false;
    this.#findBackward();
  }

  /** Goes on after the loads that it was blocked for. */
  resume(): void {
    if (this.state !== CURSOR.blocked) return;
    this.#cursor.resume();
    if (this.#forward) this.#findForward();
    else this.#findBackward();
  }

  #findForward(): void {
    const cursor = this.#cursor;
    for (; cursor.state === CURSOR.entry; cursor.next()) {
      const { keyBytes, keyStart, keyEnd } = cursor;
      if (sequenceAt(keyBytes, keyEnd) > this.#sequence) continue;
      if (this.#isPassing && this.#isSameKey(keyBytes, keyStart, keyEnd)) continue;
      if (kindAt(keyBytes, keyEnd) === KIND_DELETE) {
        this.#save(keyBytes, keyStart, keyEnd);
        this.#isPassing = true;
        continue;
      }
      this.#isPassing = false;
      this.keyBytes = keyBytes;
      this.keyStart = keyStart;
      this.keyEnd = keyEnd - TRAILER_BYTES;
      this.valueBytes = cursor.valueBytes;
      this.valueStart = cursor.valueStart;
      this.valueEnd = cursor.valueEnd;
      this.state = CURSOR.entry;
      return;
    }
    this.state = cursor.state;
  }

  /** The entries of a key come oldest first: the last one that is not too new counts. */
  #findBackward(): void {
    const cursor = this.#cursor;
    for (; cursor.state === CURSOR.entry; cursor.previous()) {
      const { keyBytes, keyStart, keyEnd } = cursor;
      if (sequenceAt(keyBytes, keyEnd) > this.#sequence) continue;
      if (this.#hasSaved && !this.#isSameKey(keyBytes, keyStart, keyEnd)) break;
      if (kindAt(keyBytes, keyEnd) === KIND_DELETE) {
        this.#hasSaved = false;
        continue;
      }
      this.#save(keyBytes, keyStart, keyEnd);
      this.#saveValue(cursor);
      this.#hasSaved = true;
    }
    if (cursor.state === CURSOR.blocked) {
      this.state = CURSOR.blocked;
      return;
    }
    this.state = this.#hasSaved ? CURSOR.entry : CURSOR.end;
    this.keyBytes = this.#key;
    this.keyStart = 0;
    this.keyEnd = this.#keyLength;
    this.valueBytes = this.#value;
    this.valueStart = 0;
    this.valueEnd = this.#valueLength;
  }

  /** Keeps the key of the entry shown, to pass over its older entries. */
  #keep(): void {
    this.#save(this.keyBytes, this.keyStart, this.keyEnd + TRAILER_BYTES);
  }

  #save(bytes: Uint8Array, start: number, internalEnd: number): void {
    const end = internalEnd - TRAILER_BYTES;
    if (end - start > this.#key.length) this.#key = new Uint8Array(2 * (end - start));
    this.#keyLength = copyRange(this.#key, 0, bytes, start, end);
  }

  #saveValue(cursor: EntryCursor): void {
    const { valueBytes, valueStart, valueEnd } = cursor;
    const length = valueEnd - valueStart;
    if (length > this.#value.length) this.#value = new Uint8Array(2 * length);
    this.#valueLength = copyRange(this.#value, 0, valueBytes, valueStart, valueEnd);
  }

  #isSameKey(bytes: Uint8Array, start: number, internalEnd: number): boolean {
    const length = internalEnd - TRAILER_BYTES - start;
    if (length !== this.#keyLength) return false;
    const key = this.#key;
    // From the end: neighbours differ there first.
    for (let index = length - 1; index >= 0; index--) {
      if (key[index] !== bytes[start + index]) return false;
    }
    return true;
  }
}
