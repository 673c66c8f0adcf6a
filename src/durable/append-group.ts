/**
 * The records that share one write and one fate: their bytes in order, the strongest policy among
 * them, and one promise for all. Not here: writing them.
 */

import { assert } from '../base/assert.ts';
import type { AppendSource } from './append-source.ts';
import type { SyncPolicy } from './sync-policy.ts';

/**
 * Bytes that a group takes before the next one is begun; one longer record makes a group of its
 * own.
 */
const GROUP_BYTES_MAX = 4 << 20;
/** What a new group has room for. */
const BUFFER_BYTES_MIN = 64 << 10;
/** Larger buffers are not kept for the next group. */
const BUFFER_BYTES_KEPT = 1 << 20;

const STRENGTH: Readonly<Record<SyncPolicy, number>> = { none: 0, batch: 1, sync: 2 };

export class AppendGroup {
  /** Where in the file the first byte goes. */
  readonly start: number;
  /** Only the first `length` bytes count. */
  #buffer: Uint8Array;
  #length = 0;
  #records = 0;
  #mark = 0;
  #policy: SyncPolicy = 'none';
  #promise: Promise<void> | null = null;
  #resolve: (() => void) | null = null;
  #reject: ((reason: Error) => void) | null = null;

  /** `spare` is the buffer of a group that is done, or undefined. */
  constructor(start: number, spare: Uint8Array | undefined) {
    this.start = start;
    this.#buffer = spare ?? new Uint8Array(BUFFER_BYTES_MIN);
  }

  get buffer(): Uint8Array {
    return this.#buffer;
  }

  get length(): number {
    return this.#length;
  }

  get end(): number {
    return this.start + this.#length;
  }

  get records(): number {
    return this.#records;
  }

  /** The mark of the last record. */
  get mark(): number {
    return this.#mark;
  }

  get policy(): SyncPolicy {
    return this.#policy;
  }

  /**
   * The buffer, if it is worth keeping, for the constructor of another group. REQUIRES: no write of
   * it runs.
   */
  get spare(): Uint8Array | undefined {
    return this.#buffer.length <= BUFFER_BYTES_KEPT ? this.#buffer : undefined;
  }

  /** Settles when the group's fate is known. One promise for all who ask. */
  get promise(): Promise<void> {
    this.#promise ??= new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    return this.#promise;
  }

  hasRoomFor(length: number): boolean {
    return this.#length === 0 || this.#length + length <= GROUP_BYTES_MAX;
  }

  /** Puts a record at the end. The group gets at least its policy. */
  add(source: AppendSource, policy: SyncPolicy, mark: number): void {
    const start = this.#length;
    if (start + source.length > this.#buffer.length) this.#grow(start + source.length);
    source.putInto(this.#buffer, start);
    if (start + source.length > this.#buffer.length) {
      this.#grow(start + source.length);
      source.putInto(this.#buffer, start);
    }
    this.#length = start + source.length;
    this.#mark = mark;
    this.#records++;
    this.require(policy);
  }

  /** The group gets at least this policy. */
  require(policy: SyncPolicy): void {
    if (policy === this.#policy) return;
    if (STRENGTH[policy] > STRENGTH[this.#policy]) this.#policy = policy;
  }

  resolve(): void {
    this.#resolve?.();
  }

  reject(reason: Error): void {
    this.#reject?.(reason);
  }

  #grow(needed: number): void {
    assert(needed > this.#buffer.length, 'a group grows only when it is full');
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }
}
