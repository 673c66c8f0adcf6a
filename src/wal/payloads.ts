/** What callers append, as payloads: checked, counted, and ready to be put in their place. */

import { types } from 'node:util';

import {
  BATCH_HEADER_BYTES,
  operationLength,
  putBatchHeader,
  putOperation,
} from './batch-format.ts';
import type { BatchOperation, BytesOperation, LogOperation } from './batch-format.ts';
import type { SequencedPayload } from './segment-writer.ts';

/** One operation; one object for any number of appends. */
export class SinglePayload implements SequencedPayload {
  readonly count = 1;
  length = 0;
  readonly #bytes: BytesOperation & { bytes: Uint8Array } = { kind: 'bytes', bytes: NONE };
  #operation: BatchOperation = this.#bytes;

  /** Makes it stand for a record. @throws TypeError for anything else */
  of(record: Uint8Array | LogOperation): this {
    if (types.isUint8Array(record)) {
      this.#bytes.bytes = record;
      return this.#take(this.#bytes);
    }
    checkOperation(record);
    return this.#take(record);
  }

  /** Makes it stand for a checkpoint. @throws TypeError for bytes that are none */
  ofCheckpoint(upTo: number, bytes: Uint8Array): this {
    checkBytes(bytes, 'bytes');
    return this.#take({ kind: 'checkpoint', upTo, bytes });
  }

  #take(operation: BatchOperation): this {
    this.#operation = operation;
    this.length = BATCH_HEADER_BYTES + operationLength(operation);
    return this;
  }

  putInto(target: Uint8Array, offset: number, sequence: number): void {
    putOperation(target, putBatchHeader(target, offset, sequence, 1), this.#operation);
  }
}

/** Operations that are one record. */
export class OperationsPayload implements SequencedPayload {
  readonly count: number;
  readonly length: number;
  readonly #operations: readonly LogOperation[];

  /** @throws TypeError for what is no operation */
  constructor(operations: readonly LogOperation[]) {
    // Another iterable has no length here, and its operations would be silently left out.
    if (!Array.isArray(operations)) {
      throw new TypeError(`operations must be an array, not ${nameOf(operations)}`);
    }
    let length = BATCH_HEADER_BYTES;
    for (const operation of operations as readonly LogOperation[]) {
      checkOperation(operation);
      length += operationLength(operation);
    }
    this.count = operations.length;
    this.length = length;
    this.#operations = operations;
  }

  putInto(target: Uint8Array, offset: number, sequence: number): void {
    let place = putBatchHeader(target, offset, sequence, this.count);
    for (const operation of this.#operations) place = putOperation(target, place, operation);
  }
}

const NONE = new Uint8Array(0);

/**
 * A checkpoint is none of these: it is alone in its record and durable when it is acknowledged, and
 * a reader takes one among other operations for damage.
 */
function checkOperation(operation: LogOperation): void {
  if (typeof operation !== 'object' || operation === null) {
    throw new TypeError(`a record is a Uint8Array or an operation, not ${nameOf(operation)}`);
  }
  const kind: unknown = operation.kind;
  if (kind === 'bytes') return checkBytes((operation as { bytes: unknown }).bytes, 'bytes');
  if (kind !== 'put' && kind !== 'delete') {
    throw new TypeError(`an operation is a 'put', a 'delete' or 'bytes', not ${String(kind)}`);
  }
  checkBytes((operation as { key: unknown }).key, 'key');
  if (kind === 'put') checkBytes((operation as { value: unknown }).value, 'value');
}

/** What a value is, for people. */
function nameOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}

function checkBytes(value: unknown, name: string): void {
  if (!types.isUint8Array(value)) throw new TypeError(`${name} must be a Uint8Array`);
}
