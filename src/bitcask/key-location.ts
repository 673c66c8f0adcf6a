/**
 * What the keydir knows of a key: where its newest entry is, about how long it is, and when it
 * expires. Not here: what is in the entry.
 */

import {
  EXPIRES,
  LEAF_PAYLOAD,
  get16,
  get32,
  put16,
  put32,
  storedKeyLength,
} from './keydir-page.ts';

const TWO_TO_32 = 0x1_0000_0000;

/** Where an entry is. One object is filled again and again, so that a search allocates nothing. */
export class KeyLocation {
  /** Number of the file in the table of open files. */
  file = 0;
  /** Byte position of the entry in the file. */
  offset = 0;
  /** Length of the entry as `lengthCodeOf` gives it. */
  lengthCode = 0;
  /** Milliseconds since the epoch from which on the entry is not seen; 0: never. */
  expiry = 0;

  place(file: number, offset: number, lengthCode: number, expiry: number): void {
    this.file = file;
    this.offset = offset;
    this.lengthCode = lengthCode;
    this.expiry = expiry;
  }

  /** Reads it from a leaf's cell. */
  load(u8: Uint8Array, at: number): void {
    const head = get16(u8, at);
    this.offset = get32(u8, at + 2);
    this.file = get16(u8, at + 6);
    this.lengthCode = get16(u8, at + 8);
    this.expiry = 0;
    if ((head & EXPIRES) !== 0) {
      const place = at + 2 + LEAF_PAYLOAD + storedKeyLength(head);
      this.expiry = get32(u8, place) + get32(u8, place + 4) * TWO_TO_32;
    }
  }

  store(u8: Uint8Array, at: number): void {
    put32(u8, at + 2, this.offset);
    put16(u8, at + 6, this.file);
    put16(u8, at + 8, this.lengthCode);
    const head = get16(u8, at);
    if ((head & EXPIRES) === 0) return;
    const place = at + 2 + LEAF_PAYLOAD + storedKeyLength(head);
    put32(u8, place, this.expiry);
    put32(u8, place + 4, Math.floor(this.expiry / TWO_TO_32));
  }
}

/** Below this a length stands for itself. */
export const EXACT_LENGTH_LIMIT = 0x8000;
const MANTISSA_BITS = 11;
const SHIFT_LEAST = 5;

/** Longer ones have no code. */
export const CODED_LENGTH_MAX: number = 2047 * 2 ** 20;

/** A length in 16 bits: exact when it is short, else the next larger of about 0.1 % steps. */
export function lengthCodeOf(length: number): number {
  if (length < EXACT_LENGTH_LIMIT) return length;
  let shift = SHIFT_LEAST;
  while (Math.ceil(length / 2 ** shift) >= 1 << MANTISSA_BITS) shift++;
  const mantissa = Math.ceil(length / 2 ** shift);
  return EXACT_LENGTH_LIMIT | ((shift - SHIFT_LEAST) << MANTISSA_BITS) | mantissa;
}

/** The least length that is not below any with this code. */
export function lengthOfCode(code: number): number {
  if (code < EXACT_LENGTH_LIMIT) return code;
  const shift = ((code >>> MANTISSA_BITS) & 0xf) + SHIFT_LEAST;
  return (code & ((1 << MANTISSA_BITS) - 1)) * 2 ** shift;
}
