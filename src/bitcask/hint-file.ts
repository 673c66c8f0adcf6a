/**
 * Hint files: what opening needs to know of a data file, without the values. Optional, rebuilt from
 * the data file when missing, and never trusted over it: a hint counts only with its checksum whole
 * and with the fingerprint that the manifest has for the data file, and every entry is checked
 * again when it is read. Written without syncs. Described in `docs/formats/bitcask.md`.
 *
 *   header   "HOLDHNT\n" 8 | version 4 | file number 8 | length of the data file 8 |
 *            its fingerprint 4 | count of records 4 | highest clock 8
 *   record   offset 4 | length code 2 | flags 1 | 1 unused | key length 2 | expiry 8 (with its
 *            flag) | key
 *   trailer  checksum 4 over everything before
 */

import { assert } from '../base/assert.ts';
import { crc32c } from '../base/crc32c.ts';
import { FILE_HEADER_BYTES, FORMAT_VERSION, entryLength, get64, put53 } from './entry-format.ts';
import { lengthOfCode } from './key-location.ts';
import { get16, get32, put16, put32 } from './keydir-page.ts';

export const HINT_HEADER_BYTES = 44;
const RECORD_BYTES = 10;
const EXPIRY_BYTES = 8;
const TRAILER_BYTES = 4;
const MAGIC = [0x48, 0x4f, 0x4c, 0x44, 0x48, 0x4e, 0x54, 0x0a];
const FLAG_DELETE = 1;
const FLAG_EXPIRY = 2;
const BUFFER_BYTES_FIRST = 4096;

/** Where the key of the record at `at` begins. */
export function recordKeyStart(bytes: Uint8Array, at: number): number {
  return at + ((bytes[at + 6]! & FLAG_EXPIRY) === 0 ? RECORD_BYTES : RECORD_BYTES + EXPIRY_BYTES);
}

/** Bytes of the key of the record at `at`. */
export function recordKeyLength(bytes: Uint8Array, at: number): number {
  return bytes[at + 8]! | (bytes[at + 9]! << 8);
}

/** What a hint is bound to. */
export interface HintBinding {
  readonly number: number;
  readonly length: number;
  readonly fingerprint: number;
}

/** How much a builder has. */
export interface HintMark {
  readonly length: number;
  readonly count: number;
}

const NO_RECORDS: HintMark = { length: HINT_HEADER_BYTES, count: 0 };

/** Collects the records of one data file. */
export class HintBuilder {
  #bytes = new Uint8Array(BUFFER_BYTES_FIRST);
  #length = HINT_HEADER_BYTES;
  #count = 0;

  get bytes(): number {
    return this.#bytes.length;
  }

  /** `lengthCode` 0 stands for a delete. */
  add(
    keys: Uint8Array,
    keyStart: number,
    keyEnd: number,
    offset: number,
    lengthCode: number,
    expiry: number,
  ): void {
    const extra = expiry === 0 ? 0 : EXPIRY_BYTES;
    const end = this.#length + RECORD_BYTES + extra + keyEnd - keyStart;
    if (end + TRAILER_BYTES > this.#bytes.length) this.#grow(end + TRAILER_BYTES);
    const bytes = this.#bytes;
    let at = this.#length;
    put32(bytes, at, offset);
    put16(bytes, at + 4, lengthCode);
    bytes[at + 6] = (lengthCode === 0 ? FLAG_DELETE : 0) | (expiry === 0 ? 0 : FLAG_EXPIRY);
    bytes[at + 7] = 0;
    put16(bytes, at + 8, keyEnd - keyStart);
    at += RECORD_BYTES;
    if (extra > 0) put53(bytes, at, expiry);
    at += extra;
    for (let from = keyStart; from < keyEnd; from++) bytes[at++] = keys[from]!;
    this.#length = at;
    this.#count++;
  }

  /** The bytes of the hint file. Records may be added afterwards, and it may be called again. */
  finish(binding: HintBinding, clock: number): Uint8Array {
    const bytes = this.#bytes;
    bytes.set(MAGIC);
    put32(bytes, 8, FORMAT_VERSION);
    put53(bytes, 12, binding.number);
    put53(bytes, 20, binding.length);
    put32(bytes, 28, binding.fingerprint);
    put32(bytes, 32, this.#count);
    put53(bytes, 36, clock);
    put32(bytes, this.#length, crc32c(bytes, 0, this.#length));
    return bytes.subarray(0, this.#length + TRAILER_BYTES);
  }

  /** For `truncate`: what has been added so far. */
  get mark(): HintMark {
    return { length: this.#length, count: this.#count };
  }

  /** Forgets the records that were added after `mark`. */
  truncate(mark: HintMark): void {
    this.#length = mark.length;
    this.#count = mark.count;
  }

  /** The records so far, or those behind `mark`. They hold until another one is added. */
  records(mark: HintMark = NO_RECORDS): HintReader {
    put32(this.#bytes, 32, this.#count - mark.count);
    put53(this.#bytes, 36, 0);
    const bytes = this.#bytes.subarray(0, this.#length + TRAILER_BYTES);
    return HintReader.ofRecords(bytes, mark.length);
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** One record at a time of a hint file. */
export class HintReader {
  /** Of the record. */
  offset = 0;
  lengthCode = 0;
  isDelete = false;
  expiry = 0;
  keyStart = 0;
  keyEnd = 0;
  readonly bytes: Uint8Array;
  readonly count: number;
  readonly clock: number;
  #at = HINT_HEADER_BYTES;
  readonly #end: number;

  private constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.count = get32(bytes, 32);
    this.clock = get64(bytes, 36);
    this.#end = bytes.length - TRAILER_BYTES;
  }

  /** Of bytes that a builder has just made: the records from byte position `from` on. */
  static ofRecords(bytes: Uint8Array, from: number): HintReader {
    const reader = new HintReader(bytes);
    reader.#at = from;
    return reader;
  }

  /** For records of `length` bytes, which are copied into its bytes, behind the header. */
  static copied(length: number): HintReader {
    return new HintReader(new Uint8Array(HINT_HEADER_BYTES + length + TRAILER_BYTES));
  }

  /** Null when the bytes are not the whole hint for this file, or say what none can say. */
  static open(bytes: Uint8Array, binding: HintBinding): HintReader | null {
    const end = bytes.length - TRAILER_BYTES;
    if (end < HINT_HEADER_BYTES) return null;
    if (MAGIC.some((byte, index) => bytes[index] !== byte)) return null;
    if (get32(bytes, 8) !== FORMAT_VERSION) return null;
    const bound =
      get64(bytes, 12) === binding.number &&
      get64(bytes, 20) === binding.length &&
      get32(bytes, 28) === binding.fingerprint;
    if (!bound || crc32c(bytes, 0, end) !== get32(bytes, end)) return null;
    const reader = new HintReader(bytes);
    return reader.#isSound(binding.length) ? reader : null;
  }

  /** Whether the records fill the hint, and lead to places in the data file, each behind the last. */
  #isSound(fileLength: number): boolean {
    const { bytes } = this;
    if (!Number.isSafeInteger(this.clock)) return false;
    let count = 0;
    let place = FILE_HEADER_BYTES;
    let at = this.#at;
    for (; at + RECORD_BYTES <= this.#end; count++) {
      const offset = get32(bytes, at);
      const lengthCode = get16(bytes, at + 4);
      const flags = bytes[at + 6]!;
      const expires = (flags & FLAG_EXPIRY) !== 0;
      const keyLength = get16(bytes, at + 8);
      const least = entryLength(keyLength, 0, expires);
      const isDelete = (flags & FLAG_DELETE) !== 0;
      const length = isDelete ? 0 : lengthOfCode(lengthCode);
      if (isDelete ? lengthCode !== 0 || expires : length < least) return false;
      if (offset < place || offset + least > fileLength) return false;
      place = offset + least;
      at += RECORD_BYTES + (expires ? EXPIRY_BYTES : 0) + keyLength;
    }
    return at === this.#end && count === this.count;
  }

  /** Where the records end. */
  get end(): number {
    return this.#end;
  }

  /** Where the next record begins. */
  get position(): number {
    return this.#at;
  }

  /** The next record is the one that begins at a `position`. */
  rewind(position: number): void {
    this.#at = position;
  }

  /** Goes to the record that begins at a `position`. */
  read(position: number): void {
    this.#at = position;
    this.next();
  }

  /** Goes to the next record; false at the end. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const { bytes } = this;
    let at = this.#at;
    this.offset = get32(bytes, at);
    this.lengthCode = get16(bytes, at + 4);
    const flags = bytes[at + 6]!;
    this.isDelete = (flags & FLAG_DELETE) !== 0;
    const keyLength = get16(bytes, at + 8);
    at += RECORD_BYTES;
    this.expiry = (flags & FLAG_EXPIRY) === 0 ? 0 : get64(bytes, at);
    if (this.expiry !== 0) at += EXPIRY_BYTES;
    this.keyStart = at;
    this.keyEnd = at + keyLength;
    assert(this.keyEnd <= this.#end, 'a hint whose checksum is right was written here');
    this.#at = this.keyEnd;
    return true;
  }
}
