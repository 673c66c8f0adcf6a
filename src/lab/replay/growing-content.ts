/**
 * The bytes of one file while writes, truncations and allocations are applied to it. Snapshots are immutable;
 * those of a file that only grows share one buffer, so that a log of n records costs n bytes and not n squared.
 */

import { TraceError } from '../../base/errors.ts';
import type {
  AllocateOperation,
  Operation,
  Trace,
  TruncateOperation,
  WriteOperation,
} from '../record/operation.ts';

export type ContentOperation = WriteOperation | TruncateOperation | AllocateOperation;

/** Whether the operation changes the bytes or the size of a file. */
export function isContentOperation(operation: Operation): operation is ContentOperation {
  const { kind } = operation;
  return kind === 'write' || kind === 'truncate' || kind === 'allocate';
}

/** A file longer than this is refused: the lab holds contents in memory. */
export const CONTENT_BYTES_MAX: number = 2 ** 31 - 1;

export class GrowingContent {
  /** Bytes below `#length` are the content; bytes below `#shared` belong to snapshots and are never changed. */
  #buffer: Uint8Array;
  #length: number;
  #shared: number;
  #snapshot: Uint8Array | null;

  /** `initial` is shared, never modified. */
  constructor(initial: Uint8Array) {
    this.#buffer = initial;
    this.#length = initial.length;
    this.#shared = initial.length;
    this.#snapshot = initial;
  }

  get length(): number {
    return this.#length;
  }

  apply(operation: ContentOperation, contents: Trace['contents']): void {
    if (operation.kind === 'write') {
      const bytes = contents.get(operation.content);
      if (bytes === undefined)
        throw new TraceError(`the trace has no content ${operation.content}`);
      // The returned count may be smaller than what was recorded of the buffer.
      this.write(bytes.subarray(0, operation.length), operation.offset);
    } else if (operation.kind === 'truncate') {
      this.resize(operation.size);
    } else {
      this.#allocate(operation);
    }
  }

  write(bytes: Uint8Array, offset: number): void {
    if (bytes.length === 0) return;
    const end = offset + bytes.length;
    this.#makeWritable(Math.min(offset, this.#length), Math.max(end, this.#length));
    if (offset > this.#length) this.#buffer.fill(0, this.#length, offset);
    this.#buffer.set(bytes, offset);
    this.#length = Math.max(end, this.#length);
  }

  resize(size: number): void {
    if (size === this.#length) return;
    if (size < this.#length) {
      this.#snapshot = null;
      this.#length = size;
      return;
    }
    this.#makeWritable(this.#length, size);
    this.#buffer.fill(0, this.#length, size);
    this.#length = size;
  }

  /** The content as it is now; never modified afterwards. Equal until the next change: the same array. */
  snapshot(): Uint8Array {
    if (this.#snapshot === null) {
      this.#snapshot = this.#buffer.subarray(0, this.#length);
      this.#shared = Math.max(this.#shared, this.#length);
    }
    return this.#snapshot;
  }

  #allocate(operation: AllocateOperation): void {
    const end = operation.offset + operation.length;
    if (operation.mode === 'extend') {
      if (end > this.#length) this.resize(end);
    } else if (operation.mode === 'zero-range') {
      this.write(new Uint8Array(operation.length), operation.offset);
    } else if (operation.mode === 'punch-hole') {
      const from = Math.min(operation.offset, this.#length);
      const to = Math.min(end, this.#length);
      this.write(new Uint8Array(to - from), from);
    }
  }

  /** Makes bytes from `from` up to `capacity` the object's own to change. */
  #makeWritable(from: number, capacity: number): void {
    if (capacity > CONTENT_BYTES_MAX)
      throw new TraceError('a file of the trace grows beyond 2 GiB');
    this.#snapshot = null;
    if (from >= this.#shared && capacity <= this.#buffer.length) return;
    const room = capacity <= this.#buffer.length ? capacity : capacity + (capacity >> 1);
    const buffer = new Uint8Array(Math.min(room, CONTENT_BYTES_MAX));
    buffer.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = buffer;
    this.#shared = 0;
  }
}
