/**
 * Reads write batches (`batch-format`) out of bytes that may be damaged although their checksum is
 * right: everything is checked against the end, and what is wrong is a `DecodeError` that says
 * where. Results are in fields, so that reading millions of batches allocates nothing for them.
 */

import { DecodeError } from '../base/byte-reader.ts';
import { BATCH_HEADER_BYTES, BATCH_TAG } from './batch-format.ts';
import type { BatchOperation } from './batch-format.ts';

/** A batch as a whole, with bytes that are views on what was read. */
export interface DecodedBatch {
  /** The sequence number of the first operation; of a watermark, the one behind what is durable. */
  readonly sequence: number;
  readonly operations: readonly BatchOperation[];
}

export class BatchDecoder {
  sequence = 0;
  count = 0;
  /** One of `BATCH_TAG`: the operation that `next` read. */
  tag = 0;
  /** Where its key, or its only bytes, begin and end. */
  keyStart = 0;
  keyStop = 0;
  /** Of a put. */
  valueStart = 0;
  valueStop = 0;
  /** Of a checkpoint. */
  upTo = 0;

  #bytes: Uint8Array = new Uint8Array(0);
  #position = 0;
  #stop = 0;
  #left = 0;

  /** Takes a batch from `start` to before `stop`. @throws DecodeError */
  begin(bytes: Uint8Array, start: number, stop: number): void {
    if (stop - start < BATCH_HEADER_BYTES) {
      const found = `${stop - start} bytes`;
      throw new DecodeError(start, `a batch of at least ${BATCH_HEADER_BYTES} bytes`, found);
    }
    this.#bytes = bytes;
    const low = this.#fixed32(start);
    const high = this.#fixed32(start + 4);
    this.sequence = high * 2 ** 32 + low;
    this.count = this.#fixed32(start + 8);
    if (high > 0x1f_ffff || this.sequence === 0) {
      const found = `${(BigInt(high) << 32n) | BigInt(low)}`;
      throw new DecodeError(start, 'a sequence number from 1 to 2^53 - 1', found);
    }
    this.#position = start + BATCH_HEADER_BYTES;
    this.#stop = stop;
    this.#left = this.count;
  }

  /**
   * Reads the next operation; false when the batch has ended, exactly where it must.
   * @throws DecodeError
   */
  next(): boolean {
    const place = this.#position;
    if (this.#left === 0) {
      if (place === this.#stop) return false;
      const found = `${this.#stop - place} bytes more`;
      throw new DecodeError(place, `the end after ${this.count} operations`, found);
    }
    if (place === this.#stop) {
      throw new DecodeError(place, `${this.#left} operations more`, 'the end');
    }
    this.#left--;
    const tag = this.#bytes[place]!;
    this.tag = tag;
    this.#position = place + 1;
    if (tag === BATCH_TAG.checkpoint) this.upTo = this.#varint(Number.MAX_SAFE_INTEGER);
    else if (tag > BATCH_TAG.put && tag !== BATCH_TAG.bytes) {
      throw new DecodeError(place, 'a kind of operation that is known', `kind ${tag}`);
    }
    const length = this.#varint(0xffff_ffff);
    this.keyStart = this.#position;
    this.keyStop = this.#skip(length);
    if (tag === BATCH_TAG.put) {
      const valueLength = this.#varint(0xffff_ffff);
      this.valueStart = this.#position;
      this.valueStop = this.#skip(valueLength);
    }
    return true;
  }

  /** The operation that `next` read, with views on the bytes. */
  operation(): BatchOperation {
    const key = view(this.#bytes, this.keyStart, this.keyStop);
    switch (this.tag) {
      case BATCH_TAG.put:
        return { kind: 'put', key, value: view(this.#bytes, this.valueStart, this.valueStop) };
      case BATCH_TAG.delete:
        return { kind: 'delete', key };
      case BATCH_TAG.bytes:
        return { kind: 'bytes', bytes: key };
      default:
        return { kind: 'checkpoint', upTo: this.upTo, bytes: key };
    }
  }

  #skip(length: number): number {
    const stop = this.#position + length;
    if (stop > this.#stop) {
      const found = `${this.#stop - this.#position} to the end`;
      throw new DecodeError(this.#position, `${length} bytes`, found);
    }
    this.#position = stop;
    return stop;
  }

  #varint(max: number): number {
    const start = this.#position;
    const first = start < this.#stop ? this.#bytes[start]! : 0x80;
    if (first < 0x80) {
      this.#position = start + 1;
      return first;
    }
    let value = 0;
    let scale = 1;
    for (let place = start; place < this.#stop && scale <= 2 ** 49; place++) {
      const byte = this.#bytes[place]!;
      value += (byte & 0x7f) * scale;
      scale *= 0x80;
      if (byte < 0x80 && value <= max) {
        this.#position = place + 1;
        return value;
      }
      if (byte < 0x80) break;
    }
    throw new DecodeError(start, `a varint of at most ${max}`, 'none');
  }

  #fixed32(place: number): number {
    const bytes = this.#bytes;
    return (
      (bytes[place]! |
        (bytes[place + 1]! << 8) |
        (bytes[place + 2]! << 16) |
        (bytes[place + 3]! << 24)) >>>
      0
    );
  }
}

/** A whole batch. @throws DecodeError, with offsets in `bytes` */
export function decodeBatch(
  bytes: Uint8Array,
  start: number = 0,
  stop: number = bytes.length,
): DecodedBatch {
  const decoder = new BatchDecoder();
  decoder.begin(bytes, start, stop);
  const operations: BatchOperation[] = [];
  while (decoder.next()) operations.push(decoder.operation());
  return { sequence: decoder.sequence, operations };
}

/** A plain Uint8Array, also on a Buffer: making one is several times as fast. */
export function view(bytes: Uint8Array, start: number, stop: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, stop - start);
}
