/**
 * The bytes of one file in memory: shared with a tree until the first write, then its own. Not
 * here: limits, names, modes (`memory-node.ts`).
 *
 * Invariants:
 * 1. Bytes between `#bytes.length` and `size` are zeros, so that growing costs nothing.
 * 2. Where the bytes are owned, those of `#bytes` from `size` on are zeros too.
 * 3. Bytes that are not owned are never written: they belong to a tree.
 * 4. While `#parts` is there nothing was written yet, and the other fields mean nothing.
 */

import { assert } from '../base/assert.ts';
import type { FileTreeFile, FileTreeParts } from './file-tree.ts';

/** A file that grows gets half as much again, within these bounds. */
const GROWTH_BYTES_MIN = 256;
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;

const NO_BYTES = new Uint8Array(0);

type ContentSource = Pick<FileTreeFile, 'content' | 'parts'>;

/** Bytes with copy on first write. */
export class MemoryContent {
  #bytes: Uint8Array = NO_BYTES;
  #owned = false;
  #size = 0;
  #parts: FileTreeParts | null = null;
  readonly #source: ContentSource | null;

  /** Takes the file's bytes without copying, and not before they are needed; null for none. */
  constructor(source: ContentSource | null) {
    this.#source = source;
    this.#parts = source?.parts ?? null;
    if (this.#parts === null && source !== null) this.#take(source.content);
  }

  get size(): number {
    return this.#parts?.size ?? this.#size;
  }

  /**
   * Copies at most `length` bytes from `position` to `target`. Returns the count, 0 at or after the
   * end.
   */
  read(target: Uint8Array, offset: number, length: number, position: number): number {
    const count = Math.min(length, this.size - position);
    if (count <= 0) return 0;
    if (this.#parts !== null) {
      this.#parts.read(target, offset, count, position);
      return count;
    }
    const stored = Math.max(0, Math.min(count, this.#bytes.length - position));
    if (stored > 0) target.set(this.#bytes.subarray(position, position + stored), offset);
    if (stored < count) target.fill(0, offset + stored, offset + count);
    return count;
  }

  /** Takes `length` bytes of `source` from `offset`; a gap before `position` becomes zeros. */
  write(source: Uint8Array, offset: number, length: number, position: number): void {
    const end = position + length;
    this.#wholly();
    this.#own(end);
    const whole = offset === 0 && length === source.length;
    this.#bytes.set(whole ? source : source.subarray(offset, offset + length), position);
    if (end > this.#size) this.#size = end;
  }

  truncate(size: number): void {
    // What is cut off whole was not looked at.
    if (this.#parts !== null && size === 0) this.#parts = null;
    this.#wholly();
    if (size < this.#bytes.length) {
      if (this.#owned) this.#bytes.fill(0, size, this.#size);
      else this.#bytes = this.#bytes.subarray(0, size);
    }
    this.#size = size;
  }

  /** The bytes as they are, never to change: the next write copies them first. */
  share(): Uint8Array {
    this.#wholly();
    if (this.#bytes.length < this.#size) this.#own(this.#size);
    assert(this.#bytes.length >= this.#size, 'shared content is shorter than the file');
    this.#owned = false;
    this.#bytes = this.#bytes.subarray(0, this.#size);
    return this.#bytes;
  }

  /** From now on all of the source's bytes are here. */
  #wholly(): void {
    if (this.#parts === null) return;
    this.#parts = null;
    if (this.#source !== null) this.#take(this.#source.content);
  }

  #take(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#size = bytes.length;
  }

  /** Makes the bytes this file's own, with place for `end` of them. */
  #own(end: number): void {
    const length = this.#bytes.length;
    if (this.#owned && end <= length) return;
    // A file that is only overwritten is copied as it is; one that grows will grow again.
    const growth = Math.min(Math.max(this.#size >> 1, GROWTH_BYTES_MIN), GROWTH_BYTES_MAX);
    const bytes = new Uint8Array(end <= this.#size ? this.#size : Math.max(end, length + growth));
    bytes.set(this.#bytes.subarray(0, Math.min(this.#size, length)));
    this.#bytes = bytes;
    this.#owned = true;
  }
}
