/**
 * Snappy, by a library, with the checks that damaged input needs. Not here: when a block is worth
 * compressing. Why this library: docs/decisions/0004-snappy.md.
 *
 * @see https://github.com/google/snappy/blob/main/format_description.txt
 */

import { compress, uncompress } from 'snappyjs';

/**
 * The most bytes that one stored byte can stand for: a copy of 64 bytes takes three. A stream that
 * claims more is damaged, and is refused before memory is taken for it.
 */
const EXPANSION_MAX = 22;

/** One Snappy stream of all bytes. */
export function compressBlock(bytes: Uint8Array): Uint8Array {
  return compress(plain(bytes));
}

/** What a stream stands for; null when it is none. */
export function uncompressBlock(stream: Uint8Array): Uint8Array | null {
  try {
    return uncompress(plain(stream), stream.length * EXPANSION_MAX);
  } catch {
    // The library says only that it is none.
    return null;
  }
}

/** The library gives back what it is given: a `Buffer` for a `Buffer`, whose slices differ. */
function plain(bytes: Uint8Array): Uint8Array {
  if (!Buffer.isBuffer(bytes)) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
