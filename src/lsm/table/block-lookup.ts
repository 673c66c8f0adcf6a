/**
 * Finds one key in a block by a byte of its hash: the tags of all entries, and where these begin,
 * lie behind the content of the block, so that a search touches little memory. Made for a block that
 * stays in memory and is asked again, since making it costs as much as a few searches. Not here:
 * order, for which a block has its cursor (`block-cursor`).
 */

import { sequenceAt, TRAILER_BYTES } from '../internal-key.ts';
import { BlockCursor } from './block-cursor.ts';
import type { Block } from './block.ts';
import { bloomHash } from './bloom-filter.ts';
import type { EntryHead } from './entry-head.ts';

/** More tags than this are not gone through one by one. */
const ENTRIES_MAX = 256;
/** Where an entry begins is kept in two bytes. */
const CONTENT_BYTES_MAX = 1 << 16;

/**
 * Puts tags behind the content of a block: one byte for each entry, then two for where it begins.
 * A block that is better sought in gets none.
 * @throws HOLDFAST_CORRUPTION
 */
export function indexBlock(block: Block): void {
  const { bytes } = block;
  if (bytes.length > CONTENT_BYTES_MAX) return;
  cursor ??= new BlockCursor(block);
  cursor.reset(block);
  let count = 0;
  for (cursor.seekToFirst(); cursor.valid; cursor.next()) {
    const userEnd = cursor.keyLength - TRAILER_BYTES;
    // Many versions of a key, and a trailer that is in more than one entry.
    if (cursor.sharedLength > userEnd || count === ENTRIES_MAX) return;
    foundTags[count] = tagOf(bloomHash(cursor.key, 0, userEnd));
    foundStarts[count++] = cursor.entryStart;
  }
  const larger = new Uint8Array(bytes.length + 3 * count);
  larger.set(bytes);
  let at = bytes.length;
  for (let index = 0; index < count; index++) larger[at++] = foundTags[index]!;
  for (let index = 0; index < count; index++) {
    const start = foundStarts[index]!;
    larger[at++] = start;
    larger[at++] = start >>> 8;
  }
  block.tagsStart = bytes.length;
  block.tagCount = count;
  block.bytes = larger;
}

/** For one block at a time: nothing is allocated for it but what it keeps. */
let cursor: BlockCursor | null = null;
const foundTags = new Uint8Array(ENTRIES_MAX);
const foundStarts = new Uint16Array(ENTRIES_MAX);

/**
 * Puts the newest entry of the user key `target[0, userEnd)` that is not above `sequence` into
 * `entry`. False when there is none: then `entry` holds anything. REQUIRES: the block has tags.
 */
export function findInBlock(
  block: Block,
  target: Uint8Array,
  userEnd: number,
  keyHash: number,
  sequence: number,
  entry: EntryHead,
): boolean {
  const { bytes, tagsStart, tagCount } = block;
  const tag = tagOf(keyHash);
  const starts = tagsStart + tagCount;
  for (let index = 0; index < tagCount; index++) {
    if (bytes[tagsStart + index] !== tag) continue;
    const at = starts + 2 * index;
    if (!isKey(bytes, at, target, userEnd, entry)) continue;
    entry.read(bytes, bytes[at]! | (bytes[at + 1]! << 8));
    if (sequenceAt(bytes, entry.keyEnd) <= sequence) return true;
  }
  return false;
}

/**
 * Whether the entry whose beginning is noted at `noted` has this user key: what it shares with those
 * before is looked up there.
 */
function isKey(
  bytes: Uint8Array,
  noted: number,
  target: Uint8Array,
  userEnd: number,
  entry: EntryHead,
): boolean {
  entry.read(bytes, bytes[noted]! | (bytes[noted + 1]! << 8));
  if (entry.shared + entry.own !== userEnd + TRAILER_BYTES) return false;
  let wanted = userEnd;
  for (let at = noted; ;) {
    const { shared, keyAt } = entry;
    for (let place = wanted - 1; place >= shared; place--) {
      if (bytes[keyAt + place - shared] !== target[place]) return false;
    }
    if (shared < wanted) wanted = shared;
    // The first entry shares nothing.
    if (wanted === 0) return true;
    at -= 2;
    entry.read(bytes, bytes[at]! | (bytes[at + 1]! << 8));
  }
}

/** The probes of a filter begin with the low bits; these are others. */
function tagOf(hash: number): number {
  return hash >>> 24;
}
