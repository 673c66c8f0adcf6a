/** Makes entries of a write batch, for the place in a log where they will be. */

import { HoldfastError } from '../base/errors.ts';
import { APPEND_BYTES_MAX } from '../durable/append-options.ts';
import type { BatchVisitor, WriteBatch } from '../engine/write-batch.ts';
import {
  DELETE,
  ENTRY_EXPIRY_BYTES,
  ENTRY_HEADER_BYTES,
  KEY_BYTES_MAX,
  MARK,
  MORE_FOLLOWS,
  PUT,
  entryLength,
  put53,
  putEntry,
  sealEntry,
} from './entry-format.ts';

/** Where entries go, and what they must say of it. */
export interface EntryPlace {
  readonly fileNumber: number;
  /** Byte position of the first of them. */
  readonly offset: number;
  /** How far the file is known to be durable. */
  readonly durable: number;
  /** Sequence number of the last entry before. */
  readonly sequence: number;
  /** Time for lifetimes, in milliseconds since the epoch. */
  readonly now: number;
}

const NONE = new Uint8Array(0);

/** The most bytes that the entries of a batch can take. */
export function entryBytesMax(batch: WriteBatch): number {
  return batch.byteLength + batch.count * (ENTRY_HEADER_BYTES + ENTRY_EXPIRY_BYTES);
}

export class BatchEncoder implements BatchVisitor {
  #target: Uint8Array = NONE;
  #at = 0;
  #left = 0;
  #place: EntryPlace = { fileNumber: 0, offset: 0, durable: 0, sequence: 0, now: 0 };
  #sequence = 0;

  /**
   * The entries of a batch, in new bytes.
   * @throws HOLDFAST_TOO_LARGE
   */
  encode(batch: WriteBatch, place: EntryPlace): Uint8Array {
    const bound = entryBytesMax(batch);
    if (bound > APPEND_BYTES_MAX) {
      throw new HoldfastError(
        'HOLDFAST_TOO_LARGE',
        `a batch of ${batch.byteLength} bytes is over the limit of ${APPEND_BYTES_MAX}`,
      );
    }
    this.#target = Buffer.allocUnsafe(bound);
    this.#at = 0;
    this.#left = batch.count;
    this.#place = place;
    this.#sequence = place.sequence;
    batch.visit(this);
    const bytes = this.#target.subarray(0, this.#at);
    this.#target = NONE;
    return bytes;
  }

  put(
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
    lifetimeMs: number,
  ): void {
    const expiry = lifetimeMs === 0 ? 0 : this.#place.now + lifetimeMs;
    this.#entry(PUT, expiry, bytes, keyStart, keyEnd, valueStart, valueEnd);
  }

  delete(bytes: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#entry(DELETE, 0, bytes, keyStart, keyEnd, 0, 0);
  }

  #entry(
    kind: number,
    expiry: number,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (keyEnd - keyStart > KEY_BYTES_MAX) {
      throw new HoldfastError(
        'HOLDFAST_TOO_LARGE',
        `a key of ${keyEnd - keyStart} bytes is over the limit of ${KEY_BYTES_MAX}: keep what is long in the value`,
      );
    }
    const at = this.#at;
    const offset = this.#place.offset + at;
    const fields = {
      kind,
      flags: --this.#left > 0 ? MORE_FOLLOWS : 0,
      sequence: ++this.#sequence,
      undurable: offset - this.#place.durable,
      expiry,
    };
    const end = putEntry(
      this.#target,
      at,
      fields,
      bytes,
      keyStart,
      keyEnd,
      bytes,
      valueStart,
      valueEnd,
    );
    sealEntry(this.#target, at, end, this.#place.fileNumber, offset);
    this.#at = end;
  }
}

/** A mark: says how far the file is durable, and the highest clock seen. */
export function encodeMark(place: EntryPlace, clock: number): Uint8Array {
  const value = new Uint8Array(8);
  put53(value, 0, clock);
  const bytes = new Uint8Array(entryLength(0, value.length, false));
  const { sequence, offset, durable } = place;
  const fields = { kind: MARK, flags: 0, sequence, undurable: offset - durable, expiry: 0 };
  const end = putEntry(bytes, 0, fields, NONE, 0, 0, value, 0, value.length);
  sealEntry(bytes, 0, end, place.fileNumber, offset);
  return bytes;
}
