/**
 * Numbers in bytes, as LevelDB's formats have them: little-endian integers of fixed length, and
 * varints (seven bits a byte, lowest first, the top bit set on all but the last). Here is writing;
 * `byte-reader.ts` reads, because what is read may be damaged.
 *
 * A `put` returns the offset after what it wrote. One that does not fit is a mistake of the
 * caller's: an `AssertionError`, and nothing was written.
 *
 * @see https://github.com/google/leveldb/blob/main/util/coding.h
 */

import { assert } from './assert.ts';

/** The most bytes that a varint of 32 bits can take. */
export const VARINT32_BYTES_MAX = 5;
/** The most bytes that a varint of 64 bits can take. */
export const VARINT64_BYTES_MAX = 10;

const UINT32_MAX = 0xffff_ffff;
const UINT64_MAX = 0xffff_ffff_ffff_ffffn;

/** Puts an integer from 0 to 2^32 - 1 as four bytes. */
export function putFixed32(target: Uint8Array, offset: number, value: number): number {
  assertUint32(value);
  assertRoom(target, offset, 4);
  target[offset] = value;
  target[offset + 1] = value >>> 8;
  target[offset + 2] = value >>> 16;
  target[offset + 3] = value >>> 24;
  return offset + 4;
}

/** Puts an integer from 0 to 2^64 - 1 as eight bytes. */
export function putFixed64(target: Uint8Array, offset: number, value: bigint): number {
  assertUint64(value);
  assertRoom(target, offset, 8);
  putFixed32(target, offset, Number(value & 0xffff_ffffn));
  return putFixed32(target, offset + 4, Number(value >> 32n));
}

/** Puts an integer from 0 to 2^32 - 1 as one to five bytes. */
export function putVarint32(target: Uint8Array, offset: number, value: number): number {
  assertUint32(value);
  return putVarint(target, offset, value);
}

/**
 * Puts an integer from 0 to 2^53 - 1 as one to eight bytes: a 64-bit varint for what is a number in
 * JavaScript, such as a byte position.
 */
export function putVarint53(target: Uint8Array, offset: number, value: number): number {
  assert(Number.isSafeInteger(value) && value >= 0, 'a varint is an integer from 0');
  return putVarint(target, offset, value);
}

/** Puts an integer from 0 to 2^64 - 1 as one to ten bytes. */
export function putVarint64(target: Uint8Array, offset: number, value: bigint): number {
  assertUint64(value);
  const length = varint64Length(value);
  assertRoom(target, offset, length);
  let rest = value;
  for (let index = 0; index < length; index++) {
    const last = index === length - 1;
    target[offset + index] = Number(rest & 0x7fn) | (last ? 0 : 0x80);
    rest >>= 7n;
  }
  return offset + length;
}

/** How many bytes `putVarint32` and `putVarint53` take for a value. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** How many bytes `putVarint64` takes for a value. */
export function varint64Length(value: bigint): number {
  let length = 1;
  for (let rest = value; rest >= 0x80n; rest >>= 7n) length++;
  return length;
}

function putVarint(target: Uint8Array, offset: number, value: number): number {
  assertRoom(target, offset, varintLength(value));
  let rest = value;
  let index = offset;
  // Shifts work on 32 bits only.
  for (; rest > UINT32_MAX; rest = Math.floor(rest / 0x80)) target[index++] = (rest % 0x80) | 0x80;
  for (; rest >= 0x80; rest >>>= 7) target[index++] = rest | 0x80;
  target[index] = rest;
  return index + 1;
}

function assertRoom(target: Uint8Array, offset: number, length: number): void {
  assert(offset >= 0 && offset + length <= target.length, 'a number does not fit at its place');
}

function assertUint32(value: number): void {
  assert(
    Number.isInteger(value) && value >= 0 && value <= UINT32_MAX,
    'a 32-bit integer is from 0 to 2^32 - 1',
  );
}

function assertUint64(value: bigint): void {
  assert(value >= 0n && value <= UINT64_MAX, 'a 64-bit integer is from 0 to 2^64 - 1');
}
