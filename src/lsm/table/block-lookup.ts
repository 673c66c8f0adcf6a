/**
 * Finds one key in a block by its hash: made for a block that stays in memory and is asked again,
 * since making it costs as much as a few searches. Not here: order, for which a block has its
 * cursor (`block-cursor`).
 */

import { sequenceAt, TRAILER_BYTES } from '../internal-key.ts';
import { BlockCursor } from './block-cursor.ts';
import type { Block } from './block.ts';
import { bloomHash } from './bloom-filter.ts';
import type { EntryHead, KeyFinder } from './entry-head.ts';

/** More hashes than this are not gone through one by one. */
const ENTRIES_MAX = 256;

/** Where the entries of one block are. */
export class BlockLookup implements KeyFinder {
  readonly #bytes: Uint8Array;
  readonly #count: number;
  /** The hashes of all user keys, then where the entries begin. */
  readonly #places: Int32Array;

  private constructor(bytes: Uint8Array, count: number, places: Int32Array) {
    this.#bytes = bytes;
    this.#count = count;
    this.#places = places;
  }

  /** Null for a block that is better sought in. @throws HOLDFAST_CORRUPTION */
  static of(block: Block): BlockLookup | null {
    const hashes: number[] = [];
    const starts: number[] = [];
    const cursor = new BlockCursor(block);
    for (cursor.seekToFirst(); cursor.valid; cursor.next()) {
      const userEnd = cursor.keyLength - TRAILER_BYTES;
      // Many versions of a key, and a trailer that is in more than one entry.
      if (cursor.sharedLength > userEnd) return null;
      if (starts.length === ENTRIES_MAX) return null;
      hashes.push(bloomHash(cursor.key, 0, userEnd) | 0);
      starts.push(cursor.entryStart);
    }
    return new BlockLookup(block.bytes, starts.length, Int32Array.from([...hashes, ...starts]));
  }

  find(
    target: Uint8Array,
    userEnd: number,
    keyHash: number,
    sequence: number,
    entry: EntryHead,
  ): boolean {
    const places = this.#places;
    const count = this.#count;
    const hash = keyHash | 0;
    for (let index = 0; index < count; index++) {
      if (places[index] !== hash || !this.#isKey(index, target, userEnd, entry)) continue;
      entry.read(this.#bytes, places[count + index]!);
      if (sequenceAt(this.#bytes, entry.keyEnd) <= sequence) return true;
    }
    return false;
  }

  /** Whether an entry has this user key: what it shares with those before is looked up there. */
  #isKey(index: number, target: Uint8Array, userEnd: number, entry: EntryHead): boolean {
    const bytes = this.#bytes;
    const places = this.#places;
    let at = this.#count + index;
    entry.read(bytes, places[at]!);
    if (entry.shared + entry.own !== userEnd + TRAILER_BYTES) return false;
    let wanted = userEnd;
    for (;;) {
      const { shared, keyAt } = entry;
      for (let place = wanted - 1; place >= shared; place--) {
        if (bytes[keyAt + place - shared] !== target[place]) return false;
      }
      if (shared < wanted) wanted = shared;
      // The first entry shares nothing.
      if (wanted === 0) return true;
      at--;
      entry.read(bytes, places[at]!);
    }
  }
}
