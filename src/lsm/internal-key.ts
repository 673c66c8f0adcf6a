/**
 * The key under which tables and memtables keep an entry: the user's key, then eight bytes with the
 * sequence number (56 bits) and the kind (8 bits), little-endian. Order: user keys bytewise, and of
 * one user key the newest entry first. Not here: what a reader with a snapshot sees of them.
 *
 * @see docs/formats/table.md
 */

import { compareBytes } from '../base/bytes.ts';

/** Bytes behind the user's key. */
export const TRAILER_BYTES = 8;

/** An entry that says that the key is gone. */
export const KIND_DELETE = 0;
/** An entry with a value. */
export const KIND_PUT = 1;
/** The largest kind: with it, a sought key sorts before every entry of its sequence. */
export const KIND_SEEK = 1;

/** The largest sequence number that Holdfast gives out: what a number of JavaScript can hold. */
export const SEQUENCE_MAX: number = Number.MAX_SAFE_INTEGER;

/** Puts the eight bytes that follow a user's key. Returns the offset after them. */
export function putTrailer(
  target: Uint8Array,
  offset: number,
  sequence: number,
  kind: number,
): number {
  const low = sequence % 0x1_0000_0000;
  const high = (sequence - low) / 0x1_0000_0000;
  target[offset] = kind;
  target[offset + 1] = low;
  target[offset + 2] = low >>> 8;
  target[offset + 3] = low >>> 16;
  target[offset + 4] = low >>> 24;
  target[offset + 5] = high;
  target[offset + 6] = high >>> 8;
  target[offset + 7] = high >>> 16;
  return offset + TRAILER_BYTES;
}

/** Puts a sequence number as the eight bytes with which a batch begins. */
export function putSequence(target: Uint8Array, offset: number, sequence: number): void {
  const low = sequence % 0x1_0000_0000;
  const high = (sequence - low) / 0x1_0000_0000;
  target[offset] = low;
  target[offset + 1] = low >>> 8;
  target[offset + 2] = low >>> 16;
  target[offset + 3] = low >>> 24;
  target[offset + 4] = high;
  target[offset + 5] = high >>> 8;
  target[offset + 6] = high >>> 16;
  target[offset + 7] = high >>> 24;
}

/** A new internal key. */
export function internalKey(userKey: Uint8Array, sequence: number, kind: number): Uint8Array {
  const key = new Uint8Array(userKey.length + TRAILER_BYTES);
  key.set(userKey);
  putTrailer(key, userKey.length, sequence, kind);
  return key;
}

/** The key before all entries of a user's key: what a search for its newest entry starts from. */
export function firstInternalKey(userKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(userKey.length + TRAILER_BYTES);
  key.set(userKey);
  putLastTrailer(key, userKey.length);
  return key;
}

/** Puts the trailer that sorts before all others: the largest sequence number there can be. */
export function putLastTrailer(target: Uint8Array, offset: number): void {
  target[offset] = KIND_SEEK;
  target.fill(0xff, offset + 1, offset + TRAILER_BYTES);
}

/** The sequence number of the internal key that ends at `end`. */
export function sequenceAt(bytes: Uint8Array, end: number): number {
  const low =
    (bytes[end - 7]! |
      (bytes[end - 6]! << 8) |
      (bytes[end - 5]! << 16) |
      (bytes[end - 4]! << 24)) >>>
    0;
  const high = bytes[end - 3]! | (bytes[end - 2]! << 8) | (bytes[end - 1]! << 16);
  return high * 0x1_0000_0000 + low;
}

/** The kind of the internal key that ends at `end`. */
export function kindAt(bytes: Uint8Array, end: number): number {
  return bytes[end - TRAILER_BYTES]!;
}

/** The user's part of an internal key, as a view. */
export function userKeyOf(key: Uint8Array): Uint8Array {
  return key.subarray(0, key.length - TRAILER_BYTES);
}

/**
 * The order of two internal keys that lie in the given ranges. Written out, because it is most of
 * the work of a search. REQUIRES: each has a trailer.
 */
export function compareInternal(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart - TRAILER_BYTES;
  const bLength = bEnd - bStart - TRAILER_BYTES;
  const common = aLength < bLength ? aLength : bLength;
  for (let index = 0; index < common; index++) {
    const difference = a[aStart + index]! - b[bStart + index]!;
    if (difference !== 0) return difference;
  }
  if (aLength !== bLength) return aLength - bLength;
  for (let back = 1; back <= TRAILER_BYTES; back++) {
    const difference = b[bEnd - back]! - a[aEnd - back]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The order of two whole internal keys. */
export function compareInternalKeys(a: Uint8Array, b: Uint8Array): number {
  return compareInternal(a, 0, a.length, b, 0, b.length);
}

/**
 * A short internal key from `key` on and before `next`, for an index: `key` itself where nothing
 * shorter is between them.
 */
export function separatorBetween(key: Uint8Array, next: Uint8Array): Uint8Array {
  const user = userKeyOf(key);
  const limit = userKeyOf(next);
  const common = Math.min(user.length, limit.length);
  let index = 0;
  while (index < common && user[index] === limit[index]) index++;
  // One begins with the other: there is nothing shorter between them.
  if (index >= common) return key;
  const byte = user[index]!;
  if (byte === 0xff || byte + 1 >= limit[index]!) return key;
  return shortened(key, index, byte + 1);
}

/** A short internal key from `key` on. */
export function successorOf(key: Uint8Array): Uint8Array {
  const user = userKeyOf(key);
  const index = user.findIndex((byte) => byte !== 0xff);
  if (index === -1) return key;
  return shortened(key, index, user[index]! + 1);
}

/** The first bytes of a key's user part, then `last`; the key itself where that is not shorter. */
function shortened(key: Uint8Array, length: number, last: number): Uint8Array {
  const user = new Uint8Array(length + 1);
  user.set(key.subarray(0, length));
  user[length] = last;
  if (user.length >= key.length - TRAILER_BYTES) return key;
  if (compareBytes(userKeyOf(key), user) >= 0) return key;
  return firstInternalKey(user);
}
