/**
 * CRC-32C (Castagnoli), the checksum of LevelDB's log and tables, and the masked form in which they
 * store it. Sixteen bytes a step, one table of 256 entries for each of them ("slicing"); long ranges
 * in WebAssembly, short ones in JavaScript.
 *
 * @see RFC 3720, appendix B.4 (test vectors)
 * @see Kounavis and Berry, "A Systematic Approach to Building High Performance, Software-based, CRC
 *   Generators", ISCC 2005 (slicing)
 */

import { assert } from './assert.ts';
import { crc32cAssembly } from './crc32c-assembly.ts';
import type { Extend } from './crc32c-assembly.ts';

/** The polynomial 0x1edc6f41 with its bits in reverse order. */
const POLYNOMIAL = 0x82f63b78;
const SLICES = 16;
const MASK_DELTA = 0xa282ead8;
/** From here on the copy into the memory of WebAssembly is worth it. */
const LONG_BYTES = 512;
/** Making the module takes 2 ms: who checks less than this in all needs none. */
const SCRIPT_BYTES: number = 256 << 10;

/**
 * Entry `256 * k + byte`: what `byte` adds to the checksum when `k` more bytes follow in its step.
 */
const TABLE = buildTable();

/** How long ranges are extended, once there were enough of them. */
let long: Extend | undefined;
/** Bytes of long ranges until then. */
let scriptBytes = 0;

/** The checksum of the bytes from `start` to before `end`: an integer from 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array, start: number = 0, end: number = bytes.length): number {
  return extendCrc32c(0, bytes, start, end);
}

/** The checksum of what has the checksum `crc`, followed by these bytes. */
export function extendCrc32c(
  crc: number,
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): number {
  assert(start >= 0 && start <= end && end <= bytes.length, 'a checksum is over bytes of a buffer');
  if (end - start >= LONG_BYTES) return extendLong(crc, bytes, start, end);
  return extendInScript(crc, bytes, start, end);
}

function extendLong(crc: number, bytes: Uint8Array, start: number, end: number): number {
  if (long === undefined) {
    scriptBytes += end - start;
    if (scriptBytes < SCRIPT_BYTES) return extendInScript(crc, bytes, start, end);
    long = crc32cAssembly(TABLE) ?? extendInScript;
  }
  return long(crc, bytes, start, end);
}

/** The same in JavaScript, of any length. REQUIRES: a range of the bytes */
export function extendInScript(crc: number, bytes: Uint8Array, start: number, end: number): number {
  const table = TABLE;
  const b = bytes;
  let c = ~crc;
  let i = start;
  // Every index is inside its array: the assertions `!` cost nothing, a test of each would.
  for (const stepsEnd = end - SLICES; i <= stepsEnd; i += SLICES) {
    c ^= b[i]! | (b[i + 1]! << 8) | (b[i + 2]! << 16) | (b[i + 3]! << 24);
    c =
      table[3840 + (c & 0xff)]! ^
      table[3584 + ((c >>> 8) & 0xff)]! ^
      table[3328 + ((c >>> 16) & 0xff)]! ^
      table[3072 + (c >>> 24)]! ^
      table[2816 + b[i + 4]!]! ^
      table[2560 + b[i + 5]!]! ^
      table[2304 + b[i + 6]!]! ^
      table[2048 + b[i + 7]!]! ^
      table[1792 + b[i + 8]!]! ^
      table[1536 + b[i + 9]!]! ^
      table[1280 + b[i + 10]!]! ^
      table[1024 + b[i + 11]!]! ^
      table[768 + b[i + 12]!]! ^
      table[512 + b[i + 13]!]! ^
      table[256 + b[i + 14]!]! ^
      table[b[i + 15]!]!;
  }
  for (; i < end; i++) c = (c >>> 8) ^ table[(c ^ b[i]!) & 0xff]!;
  return ~c >>> 0;
}

/**
 * The form in which a checksum is stored beside the bytes it covers: the checksum of bytes that
 * hold their own checksum is weak.
 * @see https://github.com/google/leveldb/blob/main/util/crc32c.h
 */
export function maskCrc32c(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}

/** The checksum whose masked form this is. */
export function unmaskCrc32c(masked: number): number {
  const rotated = (masked - MASK_DELTA) >>> 0;
  return ((rotated >>> 17) | (rotated << 15)) >>> 0;
}

function buildTable(): Int32Array {
  const table = new Int32Array(SLICES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
    table[byte] = crc;
  }
  for (let index = 256; index < table.length; index++) {
    const before = table[index - 256] ?? 0;
    table[index] = (before >>> 8) ^ (table[before & 0xff] ?? 0);
  }
  return table;
}
