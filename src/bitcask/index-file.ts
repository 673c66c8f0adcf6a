/**
 * The index file: the whole index as it was when a store was closed, in the order of the keys, so
 * that the next opening need not sort the hints' records. Derived data like a hint: bound to the
 * files that it describes, never needed, never trusted over them. Described in
 * `docs/formats/bitcask.md`. Not here: when one is written (`index-writing.ts`), and how it is taken
 * in (`index-loading.ts`).
 *
 *   header  "HOLDIDX\n" 8 | version 4 | bytes of the header 4 | number 8 | clock 8 | keys 8 |
 *           files 4 | for each file: number 8, length 8, fingerprint 4, flags 4, entries 4, kept
 *           deletes 4, their bytes 8, first expiry 8, last expiry 8 | checksum 4
 *   block   checksum 4 | bytes in use 4 | record* | zeros up to 256 KiB, but not in the last one
 *   record  bytes shared with the key before 1 | flags 1 | key length 2 and length code 2 (where
 *           they are not those of the record before) | file 2 | offset 4 | expiry 8 (with its
 *           flag) | the rest of the key
 *
 * The header's checksum covers all before it; a block's goes on from the one before it, over all
 * that is behind its own: blocks of two files, or in another order, are no index.
 */

import { assert } from '../base/assert.ts';
import { crc32c, extendCrc32c } from '../base/crc32c.ts';
import {
  FILE_HEADER_BYTES,
  FORMAT_VERSION,
  KEY_BYTES_MAX,
  entryLength,
  get64,
  put53,
} from './entry-format.ts';
import type { KeyLocation } from './key-location.ts';
import { lengthOfCode } from './key-location.ts';
import { get16, get32, put16, put32 } from './keydir-page.ts';

export const INDEX_BLOCK_BYTES: number = 256 << 10;
/** Enough to know how long the header is. */
export const INDEX_START_BYTES = 44;
const FILE_BYTES = 56;
const CHECKSUM_BYTES = 4;
const CHECKSUM_PIECE_BYTES = 4096;
const BLOCK_START_BYTES = 8;
const MAGIC = [0x48, 0x4f, 0x4c, 0x44, 0x49, 0x44, 0x58, 0x0a];
const FLAG_MERGED = 1;

/** Flags of a record: what it has of its own. */
export const OWN_KEY_LENGTH = 1;
export const OWN_LENGTH_CODE = 2;
export const HAS_EXPIRY = 4;
const KNOWN_FLAGS = 7;

const SHARED_MAX = 0xff;
const RECORD_START_BYTES_MAX = 20;
/** Stands for `Infinity`: it never comes. */
const NEVER: number = Number.MAX_SAFE_INTEGER;

/** One of the data files that an index describes, and what is counted in it. */
export interface IndexedFile {
  readonly number: number;
  readonly length: number;
  readonly fingerprint: number;
  readonly merged: boolean;
  readonly entries: number;
  readonly keptDeletes: number;
  readonly keptBytes: number;
  readonly firstExpiry: number;
  readonly lastExpiry: number;
}

export interface IndexHeader {
  readonly number: number;
  /** The highest clock seen. */
  readonly clock: number;
  /** Keys. */
  readonly count: number;
  /** In the manifest's order. */
  readonly files: readonly IndexedFile[];
}

export function encodeIndexHeader({ number, clock, count, files }: IndexHeader): Uint8Array {
  const end = INDEX_START_BYTES + files.length * FILE_BYTES;
  const bytes = new Uint8Array(end + CHECKSUM_BYTES);
  bytes.set(MAGIC);
  put32(bytes, 8, FORMAT_VERSION);
  put32(bytes, 12, bytes.length);
  put53(bytes, 16, number);
  put53(bytes, 24, clock);
  put53(bytes, 32, count);
  put32(bytes, 40, files.length);
  let at = INDEX_START_BYTES;
  for (const file of files) {
    put53(bytes, at, file.number);
    put53(bytes, at + 8, file.length);
    put32(bytes, at + 16, file.fingerprint);
    put32(bytes, at + 20, file.merged ? FLAG_MERGED : 0);
    put32(bytes, at + 24, file.entries);
    put32(bytes, at + 28, file.keptDeletes);
    put53(bytes, at + 32, file.keptBytes);
    put53(bytes, at + 40, Math.min(file.firstExpiry, NEVER));
    put53(bytes, at + 48, Math.min(file.lastExpiry, NEVER));
    at += FILE_BYTES;
  }
  put32(bytes, end, crc32c(bytes, 0, end));
  return bytes;
}

/** How long the header is that begins so; 0 when no index file begins so. */
export function indexHeaderBytes(start: Uint8Array): number {
  if (start.length < INDEX_START_BYTES) return 0;
  if (MAGIC.some((byte, index) => start[index] !== byte)) return 0;
  const length = INDEX_START_BYTES + get32(start, 40) * FILE_BYTES + CHECKSUM_BYTES;
  return get32(start, 8) === FORMAT_VERSION && get32(start, 12) === length ? length : 0;
}

/** The header in its bytes; null when it is none, or not whole, or says what none can say. */
export function decodeIndexHeader(bytes: Uint8Array): IndexHeader | null {
  if (indexHeaderBytes(bytes) !== bytes.length) return null;
  const end = bytes.length - CHECKSUM_BYTES;
  if (crc32c(bytes, 0, end) !== get32(bytes, end)) return null;
  const files: IndexedFile[] = [];
  for (let at = INDEX_START_BYTES; at < end; at += FILE_BYTES) files.push(decodeFile(bytes, at));
  const header = {
    number: get64(bytes, 16),
    clock: get64(bytes, 24),
    count: get64(bytes, 32),
    files,
  };
  const sound = Number.isSafeInteger(header.number + header.clock) && files.every(isSound);
  const entries = files.reduce((sum, file) => sum + file.entries, 0);
  return sound && header.count <= entries ? header : null;
}

function decodeFile(bytes: Uint8Array, at: number): IndexedFile {
  const time = (place: number): number => {
    const value = get64(bytes, place);
    return value === NEVER ? Infinity : value;
  };
  return {
    number: get64(bytes, at),
    length: get64(bytes, at + 8),
    fingerprint: get32(bytes, at + 16),
    merged: (get32(bytes, at + 20) & FLAG_MERGED) !== 0,
    entries: get32(bytes, at + 24),
    keptDeletes: get32(bytes, at + 28),
    keptBytes: get64(bytes, at + 32),
    firstExpiry: time(at + 40),
    lastExpiry: time(at + 48),
  };
}

function isSound({ length, entries, keptDeletes, keptBytes }: IndexedFile): boolean {
  return keptDeletes <= entries && keptBytes <= length && entries <= length;
}

/** The checksum of a block; in pieces, so that a function which is called often is compiled soon. */
function checksumOf(before: number, block: Uint8Array): number {
  const { length } = block;
  let checksum = before;
  for (let at = CHECKSUM_BYTES; at < length; at += CHECKSUM_PIECE_BYTES) {
    const end = Math.min(length, at + CHECKSUM_PIECE_BYTES);
    checksum = extendCrc32c(checksum, block, at, end);
  }
  return checksum;
}

/** Collects records, block by block. Records come in the order of their keys, each key once. */
export class IndexEncoder {
  #block = new Uint8Array(INDEX_BLOCK_BYTES);
  #spare = new Uint8Array(INDEX_BLOCK_BYTES);
  #end = BLOCK_START_BYTES;
  #checksum: number;
  #key = new Uint8Array(256);
  #keyLength = 0;
  #lengthCode = 0;

  /** `header`: what comes before the blocks. */
  constructor(header: Uint8Array) {
    this.#checksum = get32(header, header.length - CHECKSUM_BYTES);
  }

  /** Whether a record with a key of so many bytes has room; where not, `take` comes first. */
  hasRoom(keyLength: number): boolean {
    return this.#end + RECORD_START_BYTES_MAX + keyLength <= INDEX_BLOCK_BYTES;
  }

  /** `file`: its place among the files of the header. */
  add(keys: Uint8Array, keyStart: number, keyEnd: number, file: number, to: KeyLocation): void {
    const block = this.#block;
    const keyLength = keyEnd - keyStart;
    assert(this.hasRoom(keyLength), 'a block that is full is taken first');
    const shared = this.#sharedWith(keys, keyStart, keyLength);
    let flags = to.expiry === 0 ? 0 : HAS_EXPIRY;
    let at = this.#end + 2;
    if (keyLength !== this.#keyLength) {
      flags |= OWN_KEY_LENGTH;
      put16(block, at, keyLength);
      at += 2;
    }
    if (to.lengthCode !== this.#lengthCode) {
      flags |= OWN_LENGTH_CODE;
      put16(block, at, to.lengthCode);
      at += 2;
    }
    put16(block, at, file);
    put32(block, at + 2, to.offset);
    at += 6;
    if (to.expiry !== 0) {
      put53(block, at, to.expiry);
      at += 8;
    }
    block[this.#end] = shared;
    block[this.#end + 1] = flags;
    for (let from = keyStart + shared; from < keyEnd; from++) block[at++] = keys[from]!;
    this.#end = at;
    this.#keyLength = keyLength;
    this.#lengthCode = to.lengthCode;
    this.#noteKey(keys, keyStart, shared, keyLength);
  }

  /** The block, finished; it holds until the next but one is taken. `last`: no other follows. */
  take(last: boolean): Uint8Array {
    const block = this.#block;
    const length = last ? this.#end : INDEX_BLOCK_BYTES;
    block.fill(0, this.#end, length);
    put32(block, 4, this.#end);
    this.#checksum = checksumOf(this.#checksum, block.subarray(0, length));
    put32(block, 0, this.#checksum);
    this.#block = this.#spare;
    this.#spare = block;
    this.#end = BLOCK_START_BYTES;
    return block.subarray(0, length);
  }

  #sharedWith(keys: Uint8Array, start: number, length: number): number {
    const key = this.#key;
    const most = Math.min(length, this.#keyLength, SHARED_MAX);
    let shared = 0;
    while (shared < most && keys[start + shared] === key[shared]) shared++;
    return shared;
  }

  #noteKey(keys: Uint8Array, start: number, from: number, length: number): void {
    // More than can be shared need not be kept.
    const most = Math.min(length, SHARED_MAX);
    for (let index = from; index < most; index++) this.#key[index] = keys[start + index]!;
  }
}

/** One record at a time of the blocks of an index file. */
export class IndexReader {
  /** Of the record. */
  file = 0;
  offset = 0;
  lengthCode = 0;
  expiry = 0;
  /** The key, in its first `keyLength` bytes, until the next step. */
  readonly key: Uint8Array = new Uint8Array(KEY_BYTES_MAX);
  keyLength = 0;
  /** Whether a block was not whole, or said what none can say. */
  isWrong = false;
  /** Records so far. */
  count = 0;
  /** The block, where its next record begins, and where the last one ends. */
  block: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  /** Of the files. */
  readonly lengths: Float64Array;
  #checksum: number;

  /** `header`: in bytes, and as it was read from them. */
  constructor(header: Uint8Array, { files }: IndexHeader) {
    this.#checksum = get32(header, header.length - CHECKSUM_BYTES);
    this.lengths = Float64Array.from(files, ({ length }) => length);
  }

  /** Goes on with the next block; false when it is not whole. REQUIRES: no record of the last one is left. */
  enter(block: Uint8Array): boolean {
    const { length } = block;
    if (length > BLOCK_START_BYTES) {
      this.#checksum = checksumOf(this.#checksum, block);
      const end = get32(block, 4);
      this.isWrong ||= this.#checksum !== get32(block, 0);
      this.isWrong ||= end <= BLOCK_START_BYTES || end > length;
      this.end = end;
    } else this.isWrong = true;
    this.block = block;
    this.at = BLOCK_START_BYTES;
    return !this.isWrong;
  }

  /** Goes to the next record; false at the end of the block, or when it is none. */
  next(): boolean {
    const block = this.block;
    const end = this.end;
    let at = this.at;
    if (at >= end || this.isWrong) return false;
    const shared = block[at]!;
    const flags = block[at + 1]!;
    at += 2;
    const before = this.keyLength;
    let length = before;
    if ((flags & OWN_KEY_LENGTH) !== 0) {
      length = get16(block, at);
      at += 2;
    }
    if ((flags & OWN_LENGTH_CODE) !== 0) {
      this.lengthCode = get16(block, at);
      at += 2;
    }
    this.file = get16(block, at);
    this.offset = get32(block, at + 2);
    at += 6;
    this.expiry = 0;
    if ((flags & HAS_EXPIRY) !== 0) {
      this.expiry = get64(block, at);
      at += 8;
    }
    const keyEnd = at + length - shared;
    if (flags > KNOWN_FLAGS || shared > before || shared > length || keyEnd > end) {
      return this.#refuse();
    }
    this.keyLength = length;
    if (!this.#takeKey(at, shared, length, before) || !this.#leadsSomewhere(flags)) {
      return this.#refuse();
    }
    this.at = keyEnd;
    this.count++;
    return true;
  }

  /** `count` records up to `at` were read by somebody else; the last one had these, and `key` has its key. */
  pass(at: number, keyLength: number, lengthCode: number, count: number): void {
    this.at = at;
    this.keyLength = keyLength;
    this.lengthCode = lengthCode;
    this.count += count;
  }

  /** Takes the rest of a key. Whether it is behind the one before, which has `before` bytes. */
  #takeKey(from: number, shared: number, length: number, before: number): boolean {
    const block = this.block;
    const { key } = this;
    const isBehind =
      shared === before
        ? length > shared || this.count === 0
        : length > shared && this.#isAbove(from, shared, length, before);
    for (let index = shared, at = from; index < length; index++, at++) key[index] = block[at]!;
    return isBehind;
  }

  /** The first byte that differs decides; a key that is the beginning of the last one is before it. */
  #isAbove(from: number, shared: number, length: number, before: number): boolean {
    const block = this.block;
    const { key } = this;
    for (let index = shared, at = from; index < length; index++, at++) {
      if (index === before) return true;
      const difference = block[at]! - key[index]!;
      if (difference !== 0) return difference > 0;
    }
    return false;
  }

  /** Whether the file has room for the entry at its place. */
  #leadsSomewhere(flags: number): boolean {
    const { file, offset, expiry } = this;
    const expires = (flags & HAS_EXPIRY) !== 0;
    if (expires && (expiry === 0 || expiry > Number.MAX_SAFE_INTEGER)) return false;
    const least = entryLength(this.keyLength, 0, expires);
    if (file >= this.lengths.length || offset < FILE_HEADER_BYTES) return false;
    return offset + least <= this.lengths[file]! && lengthOfCode(this.lengthCode) >= least;
  }

  #refuse(): false {
    this.isWrong = true;
    return false;
  }
}
