/**
 * Takes the records of an index file into a keydir. Nearly all are plain: no expiry, and a key and
 * an entry that are not long. These go from the block to the page in one step, in a loop that does
 * nothing else; all others, and those that begin a leaf, go through `IndexReader` and `KeydirFiller`,
 * which also say what is wrong with one.
 */

import { FILE_HEADER_BYTES, entryLength } from './entry-format.ts';
import { HAS_EXPIRY, OWN_KEY_LENGTH, OWN_LENGTH_CODE } from './index-file.ts';
import type { IndexReader } from './index-file.ts';
import { EXACT_LENGTH_LIMIT, lengthOfCode } from './key-location.ts';
import type { KeydirFiller } from './keydir-filler.ts';
import {
  INLINE_KEY_BYTES_MAX,
  LEAF_PAYLOAD,
  LOADED_BYTES,
  PAGE_BYTES,
  PAGE_HEADER_BYTES,
} from './keydir-page.ts';

/** Of each file: the entries that the index leads to, and their bytes. */
export class LiveCounts {
  readonly entries: Float64Array;
  readonly bytes: Float64Array;

  constructor(files: number) {
    this.entries = new Float64Array(files);
    this.bytes = new Float64Array(files);
  }

  /** Bytes of all of them. */
  get total(): number {
    return this.bytes.reduce((sum, bytes) => sum + bytes, 0);
  }
}

/** Takes all records of the reader's block, or those before the first that is wrong. `slots`: of the files. */
export function fillFromBlock(
  reader: IndexReader,
  filler: KeydirFiller,
  slots: Int32Array,
  live: LiveCounts,
): void {
  for (;;) {
    takePlain(reader, filler, slots, live);
    if (!reader.next()) return;
    const { key, keyLength, file, offset, lengthCode, expiry } = reader;
    filler.add(key, keyLength, slots[file]!, offset, lengthCode, expiry);
    live.entries[file]!++;
    live.bytes[file]! += lengthOfCode(lengthCode);
  }
}

/**
 * Takes plain records up to the first that is not plain, not surely right, or has no room in the
 * leaf. Bytes are read and written one by one: what knows many kinds of arrays is slower.
 */
function takePlain(
  reader: IndexReader,
  filler: KeydirFiller,
  slots: Int32Array,
  live: LiveCounts,
): void {
  const { block, end, lengths } = reader;
  const { u8, base } = filler;
  const { entries, bytes } = live;
  let { heap, count } = filler;
  let { at, keyLength, lengthCode } = reader;
  let keys: Uint8Array = reader.key;
  let keyAt = 0;
  while (at < end) {
    const shared = block[at]!;
    const flags = block[at + 1]!;
    let from = at + 2;
    let length = keyLength;
    let code = lengthCode;
    if (flags !== 0) {
      if (flags >= HAS_EXPIRY) break;
      if ((flags & OWN_KEY_LENGTH) !== 0) {
        length = block[from]! | (block[from + 1]! << 8);
        from += 2;
      }
      if ((flags & OWN_LENGTH_CODE) !== 0) {
        code = block[from]! | (block[from + 1]! << 8);
        from += 2;
      }
    }
    const file = block[from]! | (block[from + 1]! << 8);
    const low = block[from + 2]! | (block[from + 3]! << 8) | (block[from + 4]! << 16);
    const high = block[from + 5]!;
    const offset = low + high * 0x1_00_0000;
    from += 6;
    const next = from + length - shared;
    const least = entryLength(length, 0, false);
    if (shared >= length || shared > keyLength || next > end) break;
    if (length > INLINE_KEY_BYTES_MAX || code < least || code >= EXACT_LENGTH_LIMIT) break;
    // Of a file that is not there the length is undefined, and nothing is below it.
    if (offset < FILE_HEADER_BYTES || !(offset + least <= lengths[file]!)) break;
    // The byte behind what is shared decides, where the key before has one.
    if (shared < keyLength && block[from]! <= keys[keyAt + shared]!) break;
    const slot = PAGE_HEADER_BYTES + 2 * count;
    if (PAGE_BYTES - heap + 2 * count > LOADED_BYTES) break;
    if (heap - 2 - LEAF_PAYLOAD - length < slot + 2) break;
    heap -= 2 + LEAF_PAYLOAD + length;
    const cell = base + heap;
    u8[base + slot] = heap;
    u8[base + slot + 1] = heap >>> 8;
    putHead(u8, cell, length, low, high, slots[file]!, code);
    const to = cell + 2 + LEAF_PAYLOAD;
    for (let index = 0; index < shared; index++) u8[to + index] = keys[keyAt + index]!;
    const shift = to + shared - from;
    for (let index = from; index < next; index++) u8[index + shift] = block[index]!;
    entries[file]!++;
    bytes[file]! += code;
    keys = u8;
    keyAt = to;
    keyLength = length;
    lengthCode = code;
    count++;
    at = next;
  }
  const taken = count - filler.count;
  if (taken === 0) return;
  filler.take(heap, count);
  reader.pass(at, keyLength, lengthCode, taken);
  for (let index = 0; index < keyLength; index++) reader.key[index] = u8[keyAt + index]!;
}

/** All of a leaf's cell but its key. `low` and `high`: three bytes of the offset, and the last one. */
function putHead(
  u8: Buffer,
  cell: number,
  length: number,
  low: number,
  high: number,
  file: number,
  code: number,
): void {
  u8[cell] = length;
  u8[cell + 1] = length >>> 8;
  u8[cell + 2] = low;
  u8[cell + 3] = low >>> 8;
  u8[cell + 4] = low >>> 16;
  u8[cell + 5] = high;
  u8[cell + 6] = file;
  u8[cell + 7] = file >>> 8;
  u8[cell + 8] = code;
  u8[cell + 9] = code >>> 8;
}
