/**
 * The bytes of a data file: a header, then entries. Described for readers in
 * `docs/formats/bitcask.md`. Not here: which entries count (`open-logs.ts`), and where they are
 * found again (`keydir.ts`).
 *
 *   header  "HOLDBCK\n" 8 | version 4 | kind 4 | file number 8 | 4 zeros | checksum 4
 *   entry   checksum 4 | kind 1 | flags 1 | key length 2 | value length 4 | undurable 4 |
 *           sequence 8 | expiry 8 (with its flag) | key | value
 *
 * An entry's checksum is a masked CRC-32C over the file's number, the entry's byte position (8
 * bytes each) and all of the entry behind the checksum: an entry that is not where it was written
 * is no entry.
 */

import { assert } from '../base/assert.ts';
import { crc32c, extendCrc32c, maskCrc32c } from '../base/crc32c.ts';
import { HoldfastError } from '../base/errors.ts';
import { get16, get32, put16, put32 } from './keydir-page.ts';

export const FILE_HEADER_BYTES = 32;
export const ENTRY_HEADER_BYTES = 24;
export const ENTRY_EXPIRY_BYTES = 8;
export const FORMAT_VERSION = 1;

/** Kinds of data file. A log is appended to, entry by entry; a merged file appears whole. */
export const LOG_FILE = 1;
export const MERGED_FILE = 2;

/** Kinds of entry. A mark has no key: its value is the highest clock seen. */
export const PUT = 1;
export const DELETE = 2;
export const MARK = 3;

/** Flags of an entry. */
export const MORE_FOLLOWS = 1;
export const HAS_EXPIRY = 2;

/** Bytes of a key. */
export const KEY_BYTES_MAX = 0xffff;

/** Header and key are never longer. */
export const HEAD_BYTES_MAX: number = ENTRY_HEADER_BYTES + ENTRY_EXPIRY_BYTES + KEY_BYTES_MAX;

const MAGIC = [0x48, 0x4f, 0x4c, 0x44, 0x42, 0x43, 0x4b, 0x0a];
const TWO_TO_32 = 0x1_0000_0000;
/** Up to this length a loop is faster than a call out of JavaScript with a view made for it. */
const LOOP_BYTES_MAX = 48;
const PLACE_BYTES = 16;
const place = new Uint8Array(PLACE_BYTES);

/** Puts an integer from 0 to 2^53 - 1 as eight bytes, little-endian. */
export function put53(target: Uint8Array, at: number, value: number): void {
  put32(target, at, value);
  put32(target, at + 4, Math.floor(value / TWO_TO_32));
}

/** Eight bytes as a number. Larger than 2^53 - 1 where they are no such integer. */
export function get64(bytes: Uint8Array, at: number): number {
  return get32(bytes, at) + get32(bytes, at + 4) * TWO_TO_32;
}

/** The header of a data file. */
export function encodeFileHeader(kind: number, fileNumber: number): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  bytes.set(MAGIC);
  put32(bytes, 8, FORMAT_VERSION);
  put32(bytes, 12, kind);
  put53(bytes, 16, fileNumber);
  put32(bytes, 28, crc32c(bytes, 0, 28));
  return bytes;
}

/** What is wrong with a file's header; null when nothing is. */
export interface HeaderFault {
  readonly offset: number;
  readonly expected: string;
  readonly found: string;
  /** A version above ours: not damage. */
  readonly newer: boolean;
}

/** Checks the header of the file with this number. */
export function checkFileHeader(bytes: Uint8Array, fileNumber: number): HeaderFault | null {
  const fault = (offset: number, expected: string, found: string): HeaderFault => ({
    offset,
    expected,
    found,
    newer: false,
  });
  if (bytes.length < FILE_HEADER_BYTES) {
    return fault(bytes.length, `a header of ${FILE_HEADER_BYTES} bytes`, 'the end of the file');
  }
  const wrong = MAGIC.findIndex((byte, index) => bytes[index] !== byte);
  if (wrong !== -1) return fault(wrong, 'a data file', 'something else');
  const version = get32(bytes, 8);
  if (version > FORMAT_VERSION) {
    return { ...fault(8, `version ${FORMAT_VERSION}`, `${version}`), newer: true };
  }
  const checksum = crc32c(bytes, 0, 28);
  if (get32(bytes, 28) !== checksum) return fault(28, hex(checksum), hex(get32(bytes, 28)));
  if (get64(bytes, 16) !== fileNumber) {
    return fault(16, `file number ${fileNumber}`, `${get64(bytes, 16)}`);
  }
  return null;
}

/** The error of a file with a version above ours: it is not read, and nothing is written in its place. */
export function newerVersion(path: string, fault: HeaderFault): HoldfastError {
  const message = `${path} has version ${fault.found}, and this program knows ${fault.expected}`;
  return new HoldfastError('HOLDFAST_FORMAT', message);
}

/** Bytes of an entry. */
export function entryLength(keyLength: number, valueLength: number, expires: boolean): number {
  return ENTRY_HEADER_BYTES + (expires ? ENTRY_EXPIRY_BYTES : 0) + keyLength + valueLength;
}

/** What an entry says, besides key and value. */
export interface EntryFields {
  readonly kind: number;
  readonly flags: number;
  /** Strictly rising by one in logs; a mark repeats the last one. */
  readonly sequence: number;
  /** Bytes before the entry in its file that were not known to be durable when it was made. */
  readonly undurable: number;
  /** Milliseconds since the epoch; 0: none. */
  readonly expiry: number;
}

/**
 * Puts an entry for byte position `offset` of file `fileNumber`, its checksum apart: that is put by
 * `sealEntry`. Gives the place after it.
 */
export function putEntry(
  target: Uint8Array,
  at: number,
  fields: EntryFields,
  keys: Uint8Array,
  keyStart: number,
  keyEnd: number,
  values: Uint8Array,
  valueStart: number,
  valueEnd: number,
): number {
  const { kind, flags, sequence, undurable, expiry } = fields;
  target[at + 4] = kind;
  target[at + 5] = expiry === 0 ? flags : flags | HAS_EXPIRY;
  put16(target, at + 6, keyEnd - keyStart);
  put32(target, at + 8, valueEnd - valueStart);
  put32(target, at + 12, undurable);
  put53(target, at + 16, sequence);
  let end = at + ENTRY_HEADER_BYTES;
  if (expiry !== 0) {
    put53(target, end, expiry);
    end += ENTRY_EXPIRY_BYTES;
  }
  for (let from = keyStart; from < keyEnd; from++) target[end++] = keys[from]!;
  if (valueEnd - valueStart > LOOP_BYTES_MAX) {
    target.set(values.subarray(valueStart, valueEnd), end);
    return end + valueEnd - valueStart;
  }
  for (let from = valueStart; from < valueEnd; from++) target[end++] = values[from]!;
  return end;
}

/** Puts the checksum of the entry from `at` to before `end`. */
export function sealEntry(
  target: Uint8Array,
  at: number,
  end: number,
  fileNumber: number,
  offset: number,
): void {
  assert(end - at >= ENTRY_HEADER_BYTES, 'an entry has a header');
  put32(target, at, entryChecksum(target, at, end, fileNumber, offset));
}

function entryChecksum(
  bytes: Uint8Array,
  at: number,
  end: number,
  fileNumber: number,
  offset: number,
): number {
  return maskCrc32c(extendCrc32c(placeChecksum(fileNumber, offset), bytes, at + 4, end));
}

function placeChecksum(fileNumber: number, offset: number): number {
  put53(place, 0, fileNumber);
  put53(place, 8, offset);
  return crc32c(place);
}

/** The checksum of an entry whose bytes come in pieces: all behind the first four. */
export class EntryChecksum {
  #crc: number;

  constructor(fileNumber: number, offset: number) {
    this.#crc = placeChecksum(fileNumber, offset);
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    this.#crc = extendCrc32c(this.#crc, bytes, start, end);
  }

  /** As stored. */
  get value(): number {
    return maskCrc32c(this.#crc);
  }
}

/** One entry as it lies in bytes. Filled again and again, so that reading allocates nothing. */
export class EntryView {
  kind = 0;
  flags = 0;
  sequence = 0;
  undurable = 0;
  expiry = 0;
  /** As stored. */
  checksum = 0;
  /** Places in the bytes it was read from. */
  keyStart = 0;
  keyEnd = 0;
  valueEnd = 0;
  /** Bytes of the entry. */
  length = 0;

  /** Whether another entry of the same batch follows. */
  get more(): boolean {
    return (this.flags & MORE_FOLLOWS) !== 0;
  }

  /**
   * Reads what the header says, without the checksum: false when no entry begins so. `available`
   * bytes are there from `at`; less than the entry's `length` may be.
   */
  peek(bytes: Uint8Array, at: number, available: number): boolean {
    if (available < ENTRY_HEADER_BYTES) return false;
    const kind = bytes[at + 4]!;
    const flags = bytes[at + 5]!;
    if (kind < PUT || kind > MARK || flags > (MORE_FOLLOWS | HAS_EXPIRY)) return false;
    const keyLength = get16(bytes, at + 6);
    this.kind = kind;
    this.flags = flags;
    const extra = (flags & HAS_EXPIRY) === 0 ? 0 : ENTRY_EXPIRY_BYTES;
    this.keyStart = at + ENTRY_HEADER_BYTES + extra;
    this.keyEnd = this.keyStart + keyLength;
    this.valueEnd = this.keyEnd + get32(bytes, at + 8);
    this.length = this.valueEnd - at;
    return true;
  }

  /** Reads the fields that `peek` leaves out. REQUIRES: `peek` gave true for the place. */
  loadFields(bytes: Uint8Array, at: number): void {
    this.checksum = get32(bytes, at);
    this.sequence = get64(bytes, at + 16);
    this.undurable = get32(bytes, at + 12);
    this.expiry = (this.flags & HAS_EXPIRY) === 0 ? 0 : get64(bytes, at + ENTRY_HEADER_BYTES);
  }

  /**
   * Whether what the fields say can be so for an entry at byte position `offset`. REQUIRES:
   * `loadFields`.
   */
  isSound(offset: number): boolean {
    return this.undurable <= offset && this.sequence <= Number.MAX_SAFE_INTEGER;
  }

  /**
   * Reads the entry at byte position `offset` of file `fileNumber`. False when none is there, whole
   * and as written.
   */
  load(
    bytes: Uint8Array,
    at: number,
    available: number,
    fileNumber: number,
    offset: number,
  ): boolean {
    if (!this.peek(bytes, at, available) || this.length > available) return false;
    const checksum = entryChecksum(bytes, at, this.valueEnd, fileNumber, offset);
    if (checksum !== get32(bytes, at)) return false;
    this.loadFields(bytes, at);
    return this.isSound(offset);
  }
}

/** How a checksum is shown. */
export function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

/** The name of a data file, and of its hint file. */
export function dataFileName(fileNumber: number): string {
  return `${String(fileNumber).padStart(10, '0')}.data`;
}

export function hintFileName(fileNumber: number): string {
  return `${String(fileNumber).padStart(10, '0')}.hint`;
}

/** The name of an index file, which has a number of its own. */
export function indexFileName(number: number): string {
  return `${String(number).padStart(10, '0')}.index`;
}

/** A name of ours. */
export interface StoreFileName {
  readonly number: number;
  readonly kind: 'data' | 'hint' | 'index';
}

/** The number and kind of one of our file names, each of which has one; null for any other name. */
export function parseFileName(name: string): StoreFileName | null {
  const match = /^(\d{10}|[1-9]\d{10,14})\.(data|hint|index)$/.exec(name);
  if (match === null) return null;
  return { number: Number(match[1]), kind: match[2] as StoreFileName['kind'] };
}
