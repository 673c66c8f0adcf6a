/**
 * Finds the logical records in the bytes of a log file. The owner feeds chunks in file order, from
 * whatever they were read, and asks for records; the parser makes no call of its own and is the
 * same for synchronous and asynchronous readers. It stops at the first thing that is no record and
 * says what that is. Whether it means a torn write or damage is for those who know what was durable
 * (`segment-scan`).
 *
 * Results are in fields, because millions of records pass: `next` allocates nothing for a record
 * that is whole in its chunk.
 */

import { assert } from '../base/assert.ts';
import { firstNonZero } from '../base/bytes.ts';
import { crc32c, unmaskCrc32c } from '../base/crc32c.ts';
import { LOG_BLOCK_BYTES, LOG_HEADER_BYTES, LOG_RECORD_BYTES_MAX, LOG_TYPE } from './log-format.ts';

/** `'record'`: the fields hold one; `'more'`: feed the next chunk; `'end'`: see `end`. */
export type LogStep = 'record' | 'more' | 'end';

/** Why there are no more records. */
export interface LogEnd {
  /**
   * - `'end'`: the bytes end behind a record;
   * - `'zeros'`: there are only zeros to the end: room written ahead, or never written;
   * - `'damage'`: something that is no record.
   */
  readonly kind: 'end' | 'zeros' | 'damage';
  /** Byte position behind the last whole record. */
  readonly offset: number;
  /** Of damage: the place in the file of what is wrong, what must stand there, and what does. */
  readonly at: number;
  readonly expected: string;
  readonly found: string;
}

export class LogParser {
  /** The bytes in which the record lies; they are never written again. */
  bytes: Uint8Array = EMPTY;
  /** Where the record's data begins and ends in `bytes`. */
  start = 0;
  stop = 0;
  /** Byte position in the file of the record's first header. */
  offset = 0;
  /** Byte position in the file behind the record. */
  endOffset: number;
  /** Set once `next` has answered `'end'`. */
  end: LogEnd | null = null;

  #chunk: Uint8Array = EMPTY;
  #chunkOffset: number;
  #position = 0;
  #final = false;
  /** Pieces of the record that is being put together; null between records. */
  #pieces: Uint8Array[] | null = null;
  #piecesLength = 0;
  #piecesOffset = 0;
  /** Where zeros begin that must go on to the end. */
  #zerosFrom = -1;

  /** How far into the first chunk reading begins. */
  #skip: number;

  /** Reads a file from `offset`, where a record begins. */
  constructor(offset: number = 0) {
    this.#skip = offset % LOG_BLOCK_BYTES;
    this.#chunkOffset = offset - this.#skip;
    this.endOffset = offset;
  }

  /** Byte position in the file of the next chunk: the beginning of a block. */
  get feedOffset(): number {
    return this.#chunkOffset + this.#chunk.length;
  }

  /**
   * Gives the bytes from `feedOffset` on: whole blocks, or with `final` all that are left (or
   * none). They must not change afterwards. REQUIRES: `next` has answered `'more'`, or was not
   * asked yet.
   */
  feed(chunk: Uint8Array, final: boolean): void {
    assert(this.#position === this.#chunk.length, 'a chunk is read before the next one comes');
    assert(final || chunk.length % LOG_BLOCK_BYTES === 0, 'chunks are whole blocks');
    assert(!this.#final, 'nothing follows the final chunk');
    this.#chunkOffset += this.#chunk.length;
    this.#chunk = chunk;
    this.#position = Math.min(this.#skip, chunk.length);
    this.#skip = 0;
    this.#final = final;
  }

  /** Looks for the next record. */
  next(): LogStep {
    if (this.end !== null) return 'end';
    for (;;) {
      if (this.#zerosFrom !== -1) return this.#zeros();
      const bytes = this.#chunk;
      const place = this.#position;
      const inBlock = LOG_BLOCK_BYTES - (place & (LOG_BLOCK_BYTES - 1));
      const left = bytes.length - place;
      if (left === 0) return this.#final ? this.#noMore() : 'more';
      if (inBlock < LOG_HEADER_BYTES) {
        this.#position = place + Math.min(inBlock, left);
        continue;
      }
      if (left < LOG_HEADER_BYTES) return this.#cutHeader(left);
      const length = bytes[place + 4]! | (bytes[place + 5]! << 8);
      const type = bytes[place + 6]!;
      if (type === LOG_TYPE.zero && length === 0) {
        this.#zerosFrom = this.#chunkOffset + place;
        continue;
      }
      const start = place + LOG_HEADER_BYTES;
      const stop = start + length;
      if (length > inBlock - LOG_HEADER_BYTES || stop > bytes.length) {
        return this.#badLength(place, length, Math.min(inBlock, left) - LOG_HEADER_BYTES);
      }
      const stored =
        (bytes[place]! |
          (bytes[place + 1]! << 8) |
          (bytes[place + 2]! << 16) |
          (bytes[place + 3]! << 24)) >>>
        0;
      const computed = crc32c(bytes, place + 6, stop);
      if (unmaskCrc32c(stored) !== computed) {
        return this.#damage(place, `checksum ${hex(unmaskCrc32c(stored))}`, hex(computed));
      }
      this.#position = stop;
      if (type === LOG_TYPE.full && this.#pieces === null) {
        this.bytes = bytes;
        this.start = start;
        this.stop = stop;
        this.offset = this.#chunkOffset + place;
        this.endOffset = this.#chunkOffset + stop;
        return 'record';
      }
      const step = this.#piece(type, place, start, stop);
      if (step !== null) return step;
    }
  }

  /** A physical record that is not a whole logical one. Null: go on. */
  #piece(type: number, place: number, start: number, stop: number): LogStep | null {
    const at = this.#chunkOffset + place;
    const begins = type === LOG_TYPE.full || type === LOG_TYPE.first;
    if (begins && this.#pieces !== null) {
      // Old writers of LevelDB's left an empty first piece at the end of a block.
      if (this.#piecesLength > 0) return this.#damage(place, 'the rest of a record', 'a new one');
      this.#pieces = null;
    }
    if (begins) {
      this.#pieces = [];
      this.#piecesLength = 0;
      this.#piecesOffset = at;
    } else if (type !== LOG_TYPE.middle && type !== LOG_TYPE.last) {
      return this.#damage(place, 'a record of type 1 to 4', `type ${type}`);
    }
    if (this.#pieces === null) {
      return this.#damage(place, 'the beginning of a record', 'a later piece of one');
    }
    this.#pieces.push(this.#chunk.subarray(start, stop));
    this.#piecesLength += stop - start;
    if (this.#piecesLength > LOG_RECORD_BYTES_MAX) {
      return this.#damage(place, `at most ${LOG_RECORD_BYTES_MAX} bytes in a record`, 'more');
    }
    if (type === LOG_TYPE.first || type === LOG_TYPE.middle) return null;
    this.bytes = joined(this.#pieces, this.#piecesLength);
    this.start = 0;
    this.stop = this.#piecesLength;
    this.offset = this.#piecesOffset;
    this.endOffset = this.#chunkOffset + stop;
    this.#pieces = null;
    return 'record';
  }

  /** From `#zerosFrom` on there may be nothing but zeros. */
  #zeros(): LogStep {
    const bytes = this.#chunk;
    const place = firstNonZero(bytes, this.#position);
    if (place < bytes.length) {
      const found = `a byte that is not, at ${this.#chunkOffset + place}`;
      return this.#finish('damage', this.#zerosFrom, 'only zeros to the end', found);
    }
    this.#position = bytes.length;
    if (!this.#final) return 'more';
    if (this.#pieces === null) return this.#finish('zeros', this.#zerosFrom, '', '');
    return this.#finish('damage', this.#zerosFrom, 'the rest of a record', 'zeros');
  }

  #noMore(): LogStep {
    const at = this.#chunkOffset + this.#position;
    if (this.#pieces === null) return this.#finish('end', at, '', '');
    return this.#finish('damage', at, 'the rest of a record', 'the end of the file');
  }

  #cutHeader(left: number): LogStep {
    const place = this.#position;
    if (this.#chunk.subarray(place).every((byte) => byte === 0)) {
      this.#zerosFrom = this.#chunkOffset + place;
      return this.#zeros();
    }
    return this.#damage(place, `${LOG_HEADER_BYTES} bytes of a header`, `${left} to the end`);
  }

  #badLength(place: number, length: number, room: number): LogStep {
    return this.#damage(place, `a record of at most ${room} bytes`, `a length of ${length}`);
  }

  #damage(place: number, expected: string, found: string): LogStep {
    return this.#finish('damage', this.#chunkOffset + place, expected, found);
  }

  #finish(kind: LogEnd['kind'], at: number, expected: string, found: string): LogStep {
    this.end = { kind, offset: this.endOffset, at, expected, found };
    return 'end';
  }
}

const EMPTY = new Uint8Array(0);

function joined(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
