/**
 * What a logical record of a log holds: a write batch as LevelDB has it, with two kinds of
 * operation more.
 *
 *   batch:      sequence 8 | count 4 | operation, count times
 *   delete:     00 | key
 *   put:        01 | key | value
 *   bytes:      62 | bytes               (not LevelDB's)
 *   checkpoint: 63 | upTo (varint) | bytes   (not LevelDB's; alone in its batch)
 *
 * Keys, values and bytes have their length before them as a varint; integers are little-endian. The
 * operations of a batch have the sequence numbers from `sequence` on. A batch of no operations is a
 * watermark: everything below its sequence was durable when it was written.
 *
 * Here is the layout and its encoder; `batch-decoder` reads.
 *
 * @see https://github.com/google/leveldb/blob/main/db/write_batch.cc
 */

import { assert } from '../base/assert.ts';
import { putFixed32, putVarint53, varintLength } from '../base/coding.ts';
import type { LogPayload } from './log-framing.ts';

/** Bytes before the operations. */
export const BATCH_HEADER_BYTES = 12;
/** Where the count stands. */
export const BATCH_COUNT_OFFSET = 8;

/** The first byte of an operation. */
export const BATCH_TAG = { delete: 0x00, put: 0x01, bytes: 0x62, checkpoint: 0x63 } as const;

/** A key gets a value. */
export interface PutOperation {
  readonly kind: 'put';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A key loses its value. */
export interface DeleteOperation {
  readonly kind: 'delete';
  readonly key: Uint8Array;
}

/** Bytes that mean nothing to the log. */
export interface BytesOperation {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

/** Says that what came up to a sequence number is no longer needed from the log. */
export interface CheckpointOperation {
  readonly kind: 'checkpoint';
  readonly upTo: number;
  readonly bytes: Uint8Array;
}

/** What a caller may log. */
export type LogOperation = PutOperation | DeleteOperation | BytesOperation;

/** What a batch may hold. */
export type BatchOperation = LogOperation | CheckpointOperation;

/** Operations and the sequence number of the first of them, ready for a log. */
export class BatchPayload implements LogPayload {
  readonly length: number;
  readonly #sequence: number;
  readonly #operations: readonly BatchOperation[];

  constructor(sequence: number, operations: readonly BatchOperation[]) {
    let length = BATCH_HEADER_BYTES;
    for (const operation of operations) length += operationLength(operation);
    this.length = length;
    this.#sequence = sequence;
    this.#operations = operations;
  }

  putInto(target: Uint8Array, offset: number): void {
    let place = putBatchHeader(target, offset, this.#sequence, this.#operations.length);
    for (const operation of this.#operations) place = putOperation(target, place, operation);
    assert(place === offset + this.length, 'a batch takes the bytes that were counted for it');
  }
}

/** The bytes of a batch, without framing. */
export function encodeBatch(sequence: number, operations: readonly BatchOperation[]): Uint8Array {
  const payload = new BatchPayload(sequence, operations);
  const bytes = new Uint8Array(payload.length);
  payload.putInto(bytes, 0);
  return bytes;
}

/** Puts sequence and count. Returns the place behind them. */
export function putBatchHeader(
  target: Uint8Array,
  offset: number,
  sequence: number,
  count: number,
): number {
  assert(Number.isSafeInteger(sequence) && sequence > 0, 'a sequence number is an integer from 1');
  assert(offset + BATCH_HEADER_BYTES <= target.length, 'the header of a batch has room');
  // One after the other: every record that is appended passes here.
  const high = sequence < 2 ** 32 ? 0 : Math.floor(sequence / 2 ** 32);
  target[offset] = sequence;
  target[offset + 1] = sequence >>> 8;
  target[offset + 2] = sequence >>> 16;
  target[offset + 3] = sequence >>> 24;
  target[offset + 4] = high;
  target[offset + 5] = high >>> 8;
  target[offset + 6] = high >>> 16;
  target[offset + 7] = high >>> 24;
  return putFixed32(target, offset + BATCH_COUNT_OFFSET, count);
}

/** Bytes that `putOperation` puts. */
export function operationLength(operation: BatchOperation): number {
  switch (operation.kind) {
    case 'delete':
      return 1 + prefixedLength(operation.key);
    case 'put':
      return 1 + prefixedLength(operation.key) + prefixedLength(operation.value);
    case 'bytes':
      return 1 + prefixedLength(operation.bytes);
    case 'checkpoint':
      return 1 + varintLength(operation.upTo) + prefixedLength(operation.bytes);
  }
}

/** Puts one operation, which a count in the header covers. Returns the place behind it. */
export function putOperation(
  target: Uint8Array,
  offset: number,
  operation: BatchOperation,
): number {
  target[offset] = BATCH_TAG[operation.kind];
  switch (operation.kind) {
    case 'delete':
      return putPrefixed(target, offset + 1, operation.key);
    case 'put':
      return putPrefixed(target, putPrefixed(target, offset + 1, operation.key), operation.value);
    case 'bytes':
      return putPrefixed(target, offset + 1, operation.bytes);
    case 'checkpoint':
      return putPrefixed(target, putVarint53(target, offset + 1, operation.upTo), operation.bytes);
  }
}

function prefixedLength(bytes: Uint8Array): number {
  return varintLength(bytes.length) + bytes.length;
}

function putPrefixed(target: Uint8Array, offset: number, bytes: Uint8Array): number {
  const place = putVarint53(target, offset, bytes.length);
  target.set(bytes, place);
  return place + bytes.length;
}
