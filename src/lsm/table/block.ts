/**
 * The content of a block that was read, and where its restart points are. Searching and walking is
 * `block-cursor`.
 */

import { CorruptionError } from '../../base/errors.ts';

/** A block in memory: checked, uncompressed, never changed. */
export class Block {
  readonly bytes: Uint8Array;
  /** Where the restart points begin, and the entries end. */
  readonly entriesEnd: number;
  readonly restartCount: number;
  readonly path: string;
  /** Where the block lies in its file. */
  readonly offset: number;
  /** Whether it was asked for since room was last made in the cache. */
  isUsed = false;

  /** @throws HOLDFAST_CORRUPTION when there is no room for the restart points it claims */
  constructor(bytes: Uint8Array, path: string, offset: number) {
    this.bytes = bytes;
    this.path = path;
    this.offset = offset;
    const end = bytes.length;
    this.restartCount = end < 4 ? 0 : fixed32At(bytes, end - 4);
    this.entriesEnd = end - 4 - 4 * this.restartCount;
    if (end < 4 || this.entriesEnd < 0) {
      throw this.damage(`restart points in a block of ${end} bytes`, `${this.restartCount}`);
    }
  }

  /** Where the entry of a restart point begins. @throws HOLDFAST_CORRUPTION */
  restartAt(index: number): number {
    const at = fixed32At(this.bytes, this.entriesEnd + 4 * index);
    if (at > this.entriesEnd) throw this.damage('a restart point among the entries', `${at}`);
    return at;
  }

  /** What is wrong with this block. */
  damage(expected: string, found: string): CorruptionError {
    const { path, offset } = this;
    return new CorruptionError({ path, offset, expected, found });
  }
}

function fixed32At(b: Uint8Array, at: number): number {
  return (b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)) >>> 0;
}
