/**
 * Makes the content of a block: entries in order, each key without what it shares with the key
 * before, except at restart points, whose places follow the entries. Not here: compression and
 * checksum.
 *
 * @see docs/formats/table.md
 */

import { putFixed32, putVarint32, VARINT32_BYTES_MAX } from '../../base/coding.ts';

/** A data block has a restart point at every sixteenth entry. */
export const RESTART_INTERVAL = 16;

/** Room that is kept free behind the block, so that its trailer can be put in place. */
const ROOM_BEHIND = 16;

/** One block at a time; `reset` begins the next. The bytes stay valid until then. */
export class BlockBuilder {
  readonly #interval: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #length = 0;
  #restarts: number[] = [0];
  #sinceRestart = 0;
  #lastKey = new Uint8Array(64);
  #lastKeyLength = 0;

  constructor(interval: number = RESTART_INTERVAL, bytesExpected: number = 8192) {
    this.#interval = interval;
    this.#bytes = new Uint8Array(bytesExpected);
  }

  /** Whether there is no entry. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Bytes that the block would have if it were finished now. */
  get lengthNow(): number {
    return this.#length + 4 * this.#restarts.length + 4;
  }

  /** Adds an entry. REQUIRES: its key comes after all before. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const keyLength = keyEnd - keyStart;
    const valueLength = valueEnd - valueStart;
    this.#reserve(3 * VARINT32_BYTES_MAX + keyLength + valueLength);
    let shared = 0;
    if (this.#sinceRestart < this.#interval) {
      const last = this.#lastKey;
      const common = Math.min(this.#lastKeyLength, keyLength);
      while (shared < common && last[shared] === key[keyStart + shared]) shared++;
    } else {
      this.#restarts.push(this.#length);
      this.#sinceRestart = 0;
    }
    const bytes = this.#bytes;
    let at = putVarint32(bytes, this.#length, shared);
    at = putVarint32(bytes, at, keyLength - shared);
    at = putVarint32(bytes, at, valueLength);
    at = copyRange(bytes, at, key, keyStart + shared, keyEnd);
    this.#length = copyRange(bytes, at, value, valueStart, valueEnd);
    this.#remember(key, keyStart, keyEnd, shared);
    this.#sinceRestart++;
  }

  /** The content: a view with room behind it for a trailer. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#reserve(4 * this.#restarts.length + 4);
    let at = this.#length;
    for (const restart of this.#restarts) at = putFixed32(this.#bytes, at, restart);
    at = putFixed32(this.#bytes, at, this.#restarts.length);
    return this.#bytes.subarray(0, at);
  }

  /** Begins an empty block. */
  reset(): void {
    this.#length = 0;
    this.#restarts = [0];
    this.#sinceRestart = 0;
    this.#lastKeyLength = 0;
  }

  #remember(key: Uint8Array, start: number, end: number, shared: number): void {
    const length = end - start;
    if (length > this.#lastKey.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#lastKey.subarray(0, shared));
      this.#lastKey = larger;
    }
    copyRange(this.#lastKey, shared, key, start + shared, end);
    this.#lastKeyLength = length;
  }

  #reserve(length: number): void {
    const wanted = this.#length + length + ROOM_BEHIND;
    if (wanted <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, wanted));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** Up to this length a loop is faster than making a view. */
const LOOP_BYTES_MAX = 40;

/** Copies a range and returns the offset after it. */
export function copyRange(
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  start: number,
  end: number,
  loopBytesMax: number = LOOP_BYTES_MAX,
): number {
  const length = end - start;
  if (length > loopBytesMax) {
    target.set(source.subarray(start, end), at);
  } else {
    for (let index = 0; index < length; index++) target[at + index] = source[start + index]!;
  }
  return at + length;
}
