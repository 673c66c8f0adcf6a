/**
 * Puts and deletes that are applied together, in one array of bytes. The form is LevelDB's write
 * batch, so that its log takes the bytes as they are:
 *
 *   sequence number, fixed64 (0 here, the engine's to fill in) | count, fixed32 | records:
 *   0 | key                     delete
 *   1 | key | value             put
 *   2 | key | value | varint53  put that expires after so many milliseconds (not in LevelDB)
 *
 * Keys and values are a varint32 of their length and their bytes. Not here: what happens to a batch.
 *
 * @see https://github.com/google/leveldb/blob/main/db/write_batch.cc
 */

import { ByteReader, DecodeError } from '../base/byte-reader.ts';
import { putFixed32, putVarint53, varintLength } from '../base/coding.ts';
import { HoldfastError } from '../base/errors.ts';

/** Bytes before the first record: sequence number and count. */
export const BATCH_HEADER_BYTES = 12;

/** Bytes of one batch in its encoded form, and so of a key or value. Engines may allow less. */
export const BATCH_BYTES_MAX: number = 2 ** 31 - 1;

/** What one record of a batch is. The values are those on the disk. */
export const BATCH_DELETE = 0;
export const BATCH_PUT = 1;
export const BATCH_PUT_EXPIRING = 2;

/** A call out of JavaScript takes longer than a loop over so few bytes. */
const LOOP_BYTES_MAX = 32;
/** The sizes from and up to which a batch is expected to be about as long as the one before. */
const ALIKE_BYTES_MIN = 4096;
const ALIKE_BYTES_MAX = 256 << 10;
/** The first allocation of a batch that grows. */
const GROWING_BYTES_FIRST = 1024;

/** Takes the records of a batch, in order. The ranges are in the bytes that `encoded` gives. */
export interface BatchVisitor {
  /** `lifetimeMs` is 0 for an entry that does not expire. */
  put(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    lifetimeMs: number,
  ): void;
  delete(bytes: Uint8Array, keyStart: number, keyEnd: number): void;
}

/** A list of puts and deletes. Of two for one key, the later one counts. */
export class WriteBatch {
  #bytes: Uint8Array;
  #length = BATCH_HEADER_BYTES;
  #count = 0;
  #expires = false;

  /** An empty batch. `capacity`: bytes that its encoded form will take, when known. */
  constructor(capacity: number = 0) {
    this.#bytes = capacity === 0 ? EMPTY_HEADER : newBytes(Math.max(capacity, BATCH_HEADER_BYTES));
  }

  /** A batch of one put, in bytes of just its size. */
  static put(key: Uint8Array, value: Uint8Array): WriteBatch {
    const batch = new WriteBatch(BATCH_HEADER_BYTES + 1 + prefixed(key) + prefixed(value));
    batch.put(key, value);
    return batch;
  }

  /** A batch of one delete, in bytes of just its size. */
  static delete(key: Uint8Array): WriteBatch {
    const batch = new WriteBatch(BATCH_HEADER_BYTES + 1 + prefixed(key));
    batch.delete(key);
    return batch;
  }

  /**
   * The batch whose encoded form this is. Keeps the bytes.
   * @throws DecodeError where they are no batch
   */
  static decode(bytes: Uint8Array): WriteBatch {
    const { count, expires } = checkEncoded(bytes);
    const batch = new WriteBatch();
    batch.#bytes = bytes;
    batch.#length = bytes.length;
    batch.#count = count;
    batch.#expires = expires;
    return batch;
  }

  /** Puts and deletes in it. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of the encoded form, header included. */
  get byteLength(): number {
    return this.#length;
  }

  /** Whether an entry expires. Engines that do not know expiry refuse such a batch. */
  get expires(): boolean {
    return this.#expires;
  }

  /**
   * Sets a key, for ever or for `lifetimeMs` milliseconds from when it is written. Copies.
   * @throws HoldfastError with code `HOLDFAST_TOO_LARGE`; the batch is as before
   */
  put(key: Uint8Array, value: Uint8Array, lifetimeMs: number = 0): void {
    const expiryBytes = lifetimeMs === 0 ? 0 : varintLength(lifetimeMs);
    this.#makeRoom(1 + prefixed(key) + prefixed(value) + expiryBytes);
    this.#bytes[this.#length++] = lifetimeMs === 0 ? BATCH_PUT : BATCH_PUT_EXPIRING;
    this.#append(key);
    this.#append(value);
    if (lifetimeMs !== 0) {
      this.#length = putVarint53(this.#bytes, this.#length, lifetimeMs);
      this.#expires = true;
    }
    this.#count++;
  }

  /**
   * Deletes a key; one that has no value is no mistake.
   * @throws HoldfastError with code `HOLDFAST_TOO_LARGE`; the batch is as before
   */
  delete(key: Uint8Array): void {
    this.#makeRoom(1 + prefixed(key));
    this.#bytes[this.#length++] = BATCH_DELETE;
    this.#append(key);
    this.#count++;
  }

  /** Takes everything out. */
  clear(): void {
    // The bytes may have been given away: start with new ones.
    this.#bytes = EMPTY_HEADER;
    this.#length = BATCH_HEADER_BYTES;
    this.#count = 0;
    this.#expires = false;
  }

  /** The encoded form with its count, not copied. The sequence number is the engine's to set. */
  encoded(): Uint8Array {
    if (this.#bytes === EMPTY_HEADER) this.#bytes = newBytes(BATCH_HEADER_BYTES);
    putFixed32(this.#bytes, 8, this.#count);
    if (this.#length >= ALIKE_BYTES_MIN) lastLength = Math.min(this.#length, ALIKE_BYTES_MAX);
    return this.#bytes.length === this.#length
      ? this.#bytes
      : this.#bytes.subarray(0, this.#length);
  }

  /** Shows every record to the visitor, in order. Allocates nothing. */
  visit(visitor: BatchVisitor): void {
    const bytes = this.#bytes;
    const cursor = new LengthCursor(bytes, BATCH_HEADER_BYTES);
    while (cursor.position < this.#length) {
      const kind = bytes[cursor.position++];
      const keyLength = cursor.varint();
      const keyStart = cursor.position;
      const keyEnd = keyStart + keyLength;
      cursor.position = keyEnd;
      if (kind === BATCH_DELETE) {
        visitor.delete(bytes, keyStart, keyEnd);
        continue;
      }
      const valueLength = cursor.varint();
      const valueStart = cursor.position;
      const valueEnd = valueStart + valueLength;
      cursor.position = valueEnd;
      const lifetimeMs = kind === BATCH_PUT_EXPIRING ? cursor.varint() : 0;
      visitor.put(bytes, keyStart, keyEnd, valueStart, valueEnd, lifetimeMs);
    }
  }

  #append(part: Uint8Array): void {
    const bytes = this.#bytes;
    const { length } = part;
    let at = this.#length;
    if (length < 0x80) bytes[at++] = length;
    else at = putVarint53(bytes, at, length);
    if (length > LOOP_BYTES_MAX) bytes.set(part, at);
    else for (let index = 0; index < length; index++) bytes[at + index] = part[index]!;
    this.#length = at + length;
  }

  #makeRoom(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#bytes.length) return;
    if (needed > BATCH_BYTES_MAX) {
      throw new HoldfastError(
        'HOLDFAST_TOO_LARGE',
        `a batch of ${needed} bytes is over the limit of ${BATCH_BYTES_MAX}`,
      );
    }
    const doubled = Math.max(GROWING_BYTES_FIRST, this.#bytes.length * 2);
    // Batches of one loop are alike: one that grows takes what the last one took, at once.
    const alike = doubled < ALIKE_BYTES_MIN ? 0 : lastLength + (lastLength >>> 3);
    const larger = newBytes(Math.min(BATCH_BYTES_MAX, Math.max(needed, doubled, alike)));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Of the last batch that was not small, in this thread. */
let lastLength = 0;

/** Stands for the bytes of an empty batch, and is never written. */
const EMPTY_HEADER: Uint8Array = new Uint8Array(BATCH_HEADER_BYTES);

/** Reads the varints of a batch that is known to be well formed. */
class LengthCursor {
  readonly #bytes: Uint8Array;
  position: number;

  constructor(bytes: Uint8Array, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  varint(): number {
    let byte = this.#bytes[this.position++]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 0x80; ; scale *= 0x80) {
      byte = this.#bytes[this.position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}

function newBytes(length: number): Uint8Array {
  // Small ones come from Node's pool; the header must be zeros all the same.
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < BATCH_HEADER_BYTES; at++) bytes[at] = 0;
  return bytes;
}

function prefixed(part: Uint8Array): number {
  const { length } = part;
  return (length < 0x80 ? 1 : varintLength(length)) + length;
}

function checkEncoded(bytes: Uint8Array): { count: number; expires: boolean } {
  const reader = new ByteReader(bytes);
  reader.fixed64();
  const count = reader.fixed32();
  let seen = 0;
  let expires = false;
  for (; reader.remaining > 0; seen++) {
    const at = reader.position;
    const kind = reader.bytes(1)[0];
    if (kind === undefined || kind > BATCH_PUT_EXPIRING) {
      throw new DecodeError(at, 'a put or a delete', `a record of kind ${kind}`);
    }
    reader.lengthPrefixed();
    if (kind !== BATCH_DELETE) reader.lengthPrefixed();
    if (kind === BATCH_PUT_EXPIRING) {
      reader.varint53();
      expires = true;
    }
  }
  if (seen !== count) throw new DecodeError(8, `a count of ${seen} records`, `a count of ${count}`);
  return { count, expires };
}
