/**
 * Reads numbers and byte strings from bytes that may be cut or damaged: the other half of
 * `coding.ts`. Every read is checked against the end, and what is wrong is a `DecodeError` that
 * says where.
 */

import { assert } from './assert.ts';
import { VARINT32_BYTES_MAX, VARINT64_BYTES_MAX } from './coding.ts';

/**
 * Bytes that cannot be what they should be. It knows no path: whoever does makes a
 * `CorruptionError` of it, with the same three facts.
 */
export class DecodeError extends Error {
  /** Byte position in the buffer that was read. */
  readonly offset: number;
  readonly expected: string;
  readonly found: string;

  constructor(offset: number, expected: string, found: string) {
    super(`at byte ${offset}: expected ${expected}, found ${found}`);
    this.offset = offset;
    this.expected = expected;
    this.found = found;
  }

  override get name(): string {
    return 'DecodeError';
  }
}

const SHORT_VARINT_BYTES = 4;

/**
 * A place in bytes that moves on with each read. After a `DecodeError` it is where it was before.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  /** Reads from `position` to before `end`. */
  constructor(bytes: Uint8Array, position: number = 0, end: number = bytes.length) {
    assert(position >= 0 && position <= end && end <= bytes.length, 'a reader is inside its bytes');
    this.#bytes = bytes;
    this.#position = position;
    this.#end = end;
  }

  /** Byte position of the next read. */
  get position(): number {
    return this.#position;
  }

  /** Bytes that are left. */
  get remaining(): number {
    return this.#end - this.#position;
  }

  /** A 32-bit integer, little-endian. */
  fixed32(): number {
    this.#need(4);
    const value = this.#uint32(this.#position);
    this.#position += 4;
    return value;
  }

  /** A 64-bit integer, little-endian. */
  fixed64(): bigint {
    this.#need(8);
    const low = this.#uint32(this.#position);
    const high = this.#uint32(this.#position + 4);
    this.#position += 8;
    return (BigInt(high) << 32n) | BigInt(low);
  }

  /** A varint below 2^32. Needless leading groups of zeros are read, as LevelDB does. */
  varint32(): number {
    const value = this.#varint(VARINT32_BYTES_MAX, 'a varint of 32 bits');
    if (value > 0xffff_ffff) throw this.#tooLarge('a varint of 32 bits', VARINT32_BYTES_MAX);
    return this.#moved(value);
  }

  /** A varint of 64 bits whose value is below 2^53, such as a byte position. */
  varint53(): number {
    // Most are short.
    const most = Math.min(this.#end, this.#position + SHORT_VARINT_BYTES);
    for (let at = this.#position, value = 0, scale = 1; at < most; at++, scale *= 0x80) {
      const byte = this.#bytes[at]!;
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      this.#position = at + 1;
      return value;
    }
    const value = this.#varint(VARINT64_BYTES_MAX, 'a varint below 2^53');
    if (value > Number.MAX_SAFE_INTEGER) {
      throw this.#tooLarge('a varint below 2^53', VARINT64_BYTES_MAX);
    }
    return this.#moved(value);
  }

  /** A varint below 2^64. */
  varint64(): bigint {
    const length = this.#varintLength(VARINT64_BYTES_MAX, 'a varint of 64 bits');
    let value = 0n;
    for (let index = length - 1; index >= 0; index--) {
      value = (value << 7n) | BigInt((this.#bytes[this.#position + index] ?? 0) & 0x7f);
    }
    if (value >> 64n !== 0n) throw this.#tooLarge('a varint of 64 bits', VARINT64_BYTES_MAX);
    this.#position += length;
    return value;
  }

  /** The next byte. */
  byte(): number {
    this.#need(1);
    return this.#bytes[this.#position++]!;
  }

  /** Passes over `length` bytes. */
  skip(length: number): void {
    this.#need(length);
    this.#position += length;
  }

  /** The next `length` bytes, as a view on the buffer. */
  bytes(length: number): Uint8Array {
    this.#need(length);
    const start = this.#position;
    this.#position += length;
    return this.#bytes.subarray(start, this.#position);
  }

  /** A varint of 32 bits and as many bytes as it says, as a view on the buffer. */
  lengthPrefixed(): Uint8Array {
    const start = this.#position;
    const length = this.varint32();
    if (length > this.remaining) {
      const found = `${this.remaining} bytes to the end`;
      this.#position = start;
      throw new DecodeError(start, `${length} bytes after their length`, found);
    }
    return this.bytes(length);
  }

  /** Where the varint that was just summed up ends is kept here until it is known to be good. */
  #varintEnd = 0;

  #varint(bytesMax: number, what: string): number {
    const length = this.#varintLength(bytesMax, what);
    this.#varintEnd = this.#position + length;
    let value = 0;
    for (let index = this.#varintEnd - 1; index >= this.#position; index--) {
      value = value * 0x80 + ((this.#bytes[index] ?? 0) & 0x7f);
    }
    return value;
  }

  #moved(value: number): number {
    this.#position = this.#varintEnd;
    return value;
  }

  #varintLength(bytesMax: number, what: string): number {
    const end = Math.min(this.#end, this.#position + bytesMax);
    for (let index = this.#position; index < end; index++) {
      if ((this.#bytes[index] ?? 0) < 0x80) return index + 1 - this.#position;
    }
    if (this.remaining >= bytesMax) throw this.#tooLarge(what, bytesMax);
    throw new DecodeError(this.#position, what, `${this.remaining} bytes to the end`);
  }

  #tooLarge(what: string, bytesMax: number): DecodeError {
    return new DecodeError(this.#position, what, `a larger one (at most ${bytesMax} bytes)`);
  }

  #need(length: number): void {
    assert(Number.isInteger(length) && length >= 0, 'a length is an integer from 0');
    if (length <= this.remaining) return;
    const found = `${this.remaining} bytes to the end`;
    throw new DecodeError(this.#position, `${length} bytes`, found);
  }

  #uint32(offset: number): number {
    const bytes = this.#bytes;
    return (
      ((bytes[offset] ?? 0) |
        ((bytes[offset + 1] ?? 0) << 8) |
        ((bytes[offset + 2] ?? 0) << 16) |
        ((bytes[offset + 3] ?? 0) << 24)) >>>
      0
    );
  }
}
