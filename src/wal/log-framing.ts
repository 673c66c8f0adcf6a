/**
 * Turns logical records into the bytes of a log file. Pure: what comes out depends on the record
 * and on where in the file it goes, and nothing is kept between two records. Not here: the file
 * (`log-writer`), and what a record means (`batch-format`).
 */

import { assert } from '../base/assert.ts';
import { crc32c, maskCrc32c } from '../base/crc32c.ts';
import { LOG_BLOCK_BYTES, LOG_HEADER_BYTES, LOG_TYPE } from './log-format.ts';

/**
 * A logical record that can put itself into bytes: so that it is encoded at its place and not
 * copied there.
 */
export interface LogPayload {
  /** Bytes that `putInto` puts. */
  readonly length: number;
  putInto(target: Uint8Array, offset: number): void;
}

/** Bytes as they are. */
export class BytesPayload implements LogPayload {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes.length;
  }

  putInto(target: Uint8Array, offset: number): void {
    target.set(this.#bytes, offset);
  }
}

/**
 * Bytes that a logical record of `length` bytes takes at `offset` of the file: headers, and the
 * filling of a block in which no header has room, included.
 */
export function framedLength(offset: number, length: number): number {
  const left = LOG_BLOCK_BYTES - (offset % LOG_BLOCK_BYTES);
  const filling = left < LOG_HEADER_BYTES ? left : 0;
  const room = (filling > 0 ? LOG_BLOCK_BYTES : left) - LOG_HEADER_BYTES;
  if (length <= room) return filling + LOG_HEADER_BYTES + length;
  const pieces = 1 + Math.ceil((length - room) / (LOG_BLOCK_BYTES - LOG_HEADER_BYTES));
  return filling + pieces * LOG_HEADER_BYTES + length;
}

/**
 * Puts a logical record that goes to `fileOffset` of the file into `target` at `at`. REQUIRES: room
 * for `framedLength(fileOffset, payload.length)` bytes. Returns the place behind it.
 */
export function putFramed(
  target: Uint8Array,
  at: number,
  fileOffset: number,
  payload: LogPayload,
): number {
  const { length } = payload;
  const left = LOG_BLOCK_BYTES - (fileOffset % LOG_BLOCK_BYTES);
  let place = at;
  let room = left - LOG_HEADER_BYTES;
  if (room < 0) {
    target.fill(0, at, at + left);
    place = at + left;
    room = LOG_BLOCK_BYTES - LOG_HEADER_BYTES;
  }
  if (length <= room) {
    payload.putInto(target, place + LOG_HEADER_BYTES);
    return putHeader(target, place, length, LOG_TYPE.full);
  }
  const end = at + framedLength(fileOffset, length);
  // All data goes to the end first, and then each piece forward to its place: the room between a
  // piece and its data is exactly that of the headers to come, so nothing is overwritten.
  let data = end - length;
  payload.putInto(target, data);
  for (let type: number = LOG_TYPE.first; place < end; type = LOG_TYPE.middle) {
    const piece = Math.min(room, end - data);
    target.copyWithin(place + LOG_HEADER_BYTES, data, data + piece);
    data += piece;
    place = putHeader(target, place, piece, data === end ? LOG_TYPE.last : type);
    room = LOG_BLOCK_BYTES - LOG_HEADER_BYTES;
  }
  assert(place === end, 'a framed record takes the bytes that were counted for it');
  return end;
}

/**
 * As `framedLength`, for a record that must also be cut at these places of its data (ascending): a
 * reader takes pieces of any length.
 */
export function cutLength(offset: number, length: number, cuts: readonly number[]): number {
  const pieces = piecesOf(offset, length, cuts);
  return pieces.reduce((sum, piece) => sum + piece.filling + LOG_HEADER_BYTES + piece.length, 0);
}

/** As `putFramed`, for such a record. REQUIRES: room for `cutLength` bytes. */
export function putCut(
  target: Uint8Array,
  at: number,
  fileOffset: number,
  data: Uint8Array,
  cuts: readonly number[],
): number {
  const pieces = piecesOf(fileOffset, data.length, cuts);
  let place = at;
  let from = 0;
  for (const [index, { filling, length }] of pieces.entries()) {
    target.fill(0, place, place + filling);
    place += filling;
    target.set(data.subarray(from, from + length), place + LOG_HEADER_BYTES);
    from += length;
    place = putHeader(target, place, length, typeOfPiece(index, pieces.length));
  }
  return place;
}

function typeOfPiece(index: number, count: number): number {
  if (count === 1) return LOG_TYPE.full;
  if (index === 0) return LOG_TYPE.first;
  return index === count - 1 ? LOG_TYPE.last : LOG_TYPE.middle;
}

/** Where a record of `length` bytes at `offset` of the file is cut, by the ends of blocks too. */
function piecesOf(
  offset: number,
  length: number,
  cuts: readonly number[],
): { readonly filling: number; readonly length: number }[] {
  const pieces: { readonly filling: number; readonly length: number }[] = [];
  let place = offset;
  let from = 0;
  let next = 0;
  do {
    const left = LOG_BLOCK_BYTES - (place % LOG_BLOCK_BYTES);
    const filling = left < LOG_HEADER_BYTES ? left : 0;
    const room = (filling > 0 ? LOG_BLOCK_BYTES : left) - LOG_HEADER_BYTES;
    const end = Math.min(from + room, cuts[next] ?? length, length);
    if (end === cuts[next]) next++;
    pieces.push({ filling, length: end - from });
    place += filling + LOG_HEADER_BYTES + (end - from);
    from = end;
  } while (from < length);
  return pieces;
}

/** The bytes of a logical record that goes to `fileOffset` of the file. */
export function framed(fileOffset: number, payload: LogPayload): Uint8Array {
  const bytes = new Uint8Array(framedLength(fileOffset, payload.length));
  putFramed(bytes, 0, fileOffset, payload);
  return bytes;
}

/** Puts the header before data that is there already. Returns the place behind the data. */
function putHeader(target: Uint8Array, place: number, length: number, type: number): number {
  const end = place + LOG_HEADER_BYTES + length;
  assert(end <= target.length, 'a physical record has room');
  target[place + 6] = type;
  const checksum = maskCrc32c(crc32c(target, place + 6, end));
  target[place] = checksum;
  target[place + 1] = checksum >>> 8;
  target[place + 2] = checksum >>> 16;
  target[place + 3] = checksum >>> 24;
  target[place + 4] = length;
  target[place + 5] = length >>> 8;
  return end;
}
