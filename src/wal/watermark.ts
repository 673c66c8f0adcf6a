/**
 * A watermark: a batch of no operations whose sequence number says that everything below it was
 * durable when the watermark was written. It uses up no number, and LevelDB reads over it. A log of
 * ours begins with two of them; in others they mean nothing.
 */

import { crc32c, unmaskCrc32c } from '../base/crc32c.ts';
import { BATCH_HEADER_BYTES, putBatchHeader } from './batch-format.ts';
import { LOG_BLOCK_BYTES, LOG_HEADER_BYTES, LOG_LENGTH_OFFSET, LOG_TYPE } from './log-format.ts';
import { framedLength, putFramed } from './log-framing.ts';
import type { LogPayload } from './log-framing.ts';

/** Bytes of a watermark that is in one piece. */
export const WATERMARK_BYTES: number = LOG_HEADER_BYTES + BATCH_HEADER_BYTES;
/** The last bytes of a watermark, which are zeros: its count, and one byte of its number. */
const ZEROS_AT_END = 5;
/** How many a log begins with. */
export const WATERMARKS_AT_START = 2;

class WatermarkPayload implements LogPayload {
  readonly length = BATCH_HEADER_BYTES;
  next = 0;

  putInto(target: Uint8Array, offset: number): void {
    putBatchHeader(target, offset, this.next, 0);
  }
}

const shared = new WatermarkPayload();

/**
 * Bytes that `putWatermark` takes at `offset` of the file. Where the end of a block would cut it, it
 * is put twice: `findWatermark` sees only those in one piece.
 */
export function watermarkLength(offset: number): number {
  const once = framedLength(offset, BATCH_HEADER_BYTES);
  return isCut(offset) ? once + WATERMARK_BYTES : once;
}

/** Puts a watermark that goes to `fileOffset`: what is below `next` is durable. */
export function putWatermark(
  target: Uint8Array,
  at: number,
  fileOffset: number,
  next: number,
): number {
  shared.next = next;
  const end = putFramed(target, at, fileOffset, shared);
  if (!isCut(fileOffset)) return end;
  return putFramed(target, end, fileOffset + (end - at), shared);
}

function isCut(offset: number): boolean {
  const left = LOG_BLOCK_BYTES - (offset % LOG_BLOCK_BYTES);
  return left >= LOG_HEADER_BYTES && left < WATERMARK_BYTES;
}

/**
 * Looks for a watermark at any place of `bytes`, framed or not: where a log is damaged, nothing says
 * where the next record begins. (No record holds the bytes of one: its writer cuts it there.) Takes those that say more than `above` is durable, and no more than
 * the bytes between damage and watermark could hold. Answers the highest sequence number that the
 * first one calls durable, or 0.
 *
 * `distance` is how far the first of `bytes` is behind the damage.
 */
export function findWatermark(bytes: Uint8Array, distance: number, above: number): number {
  for (const { place, durable } of watermarksIn(bytes)) {
    const most = above + OPERATIONS_A_BYTE * (distance + place);
    if (durable > above && durable <= most) return durable;
  }
  return 0;
}

/** Every watermark at any place of `bytes`, and the highest sequence number that it calls durable. */
export function* watermarksIn(
  bytes: Uint8Array,
): Generator<{ readonly place: number; readonly durable: number }, void, undefined> {
  for (let place = 0; place + WATERMARK_BYTES <= bytes.length; place++) {
    if (bytes[place + 6] !== LOG_TYPE.full || bytes[place + 4] !== BATCH_HEADER_BYTES) continue;
    if (bytes[place + 5] !== 0) continue;
    const durable = durableAt(bytes, place);
    if (durable >= 0) yield { place, durable };
  }
}

/**
 * Whether the data of a record, a batch, hold what `findWatermark` could take for a watermark, or the
 * beginning of it, though nobody put one there. A record's data may be anything, a piece of a log
 * too: a write of such a record that a crash tears would look like damage.
 */
export function looksLikeWatermark(bytes: Uint8Array, start: number, stop: number): boolean {
  // A whole one ends with five zeros in a row, of which one is at every fifth place. One of which
  // the end is not here begins among the last bytes.
  const tail = Math.max(start, stop - WATERMARK_BYTES + 1);
  // The header of a batch has zeros, and those of a watermark that begins in it are behind it.
  return hasZeroAtFifths(bytes, start + BATCH_HEADER_BYTES, stop)
    ? nextLikeness(bytes, start, stop) !== -1
    : nextLikeness(bytes, tail, stop) !== -1;
}

function hasZeroAtFifths(bytes: Uint8Array, start: number, stop: number): boolean {
  let place = start + ZEROS_AT_END - 1;
  // Four at a time: every record that is appended passes here.
  for (const last = stop - 3 * ZEROS_AT_END; place < last; place += 4 * ZEROS_AT_END) {
    const found =
      bytes[place] === 0 ||
      bytes[place + ZEROS_AT_END] === 0 ||
      bytes[place + 2 * ZEROS_AT_END] === 0 ||
      bytes[place + 3 * ZEROS_AT_END] === 0;
    if (found) return true;
  }
  for (; place < stop; place += ZEROS_AT_END) if (bytes[place] === 0) return true;
  return false;
}

/**
 * Where the data of a record must be cut, so that no likeness is in one piece: byte positions behind
 * `start`, ascending.
 */
export function cutsOf(bytes: Uint8Array, start: number, stop: number): number[] {
  const cuts: number[] = [];
  for (let from = start; ;) {
    const place = nextLikeness(bytes, from, stop);
    if (place === -1) return cuts;
    cuts.push(place + 1 - start);
    from = place + 1;
  }
}

/** Length and type of a watermark. */
const LENGTH_AND_TYPE: Uint8Array = Uint8Array.of(BATCH_HEADER_BYTES, 0, LOG_TYPE.full);
/** So many bytes are looked through faster out of JavaScript. */
const NATIVE_BYTES_MIN = 1024;

/** The place of the length in the first likeness of a watermark's header; -1 when there is none. */
function nextLikeness(bytes: Uint8Array, start: number, stop: number): number {
  if (stop - start >= NATIVE_BYTES_MIN) return nextLikenessOfMany(bytes, start, stop);
  // Length and type of the header are three different bytes, and every third byte is looked at.
  for (let place = start + 2; place < stop; place += 3) {
    const byte = bytes[place]!;
    if (byte > BATCH_HEADER_BYTES) continue;
    let first = place - 1;
    if (byte === LOG_TYPE.full) first = place - 2;
    else if (byte === BATCH_HEADER_BYTES) first = place;
    else if (byte !== 0) continue;
    if (first >= start && isLikeness(bytes, first, stop)) return first;
  }
  return -1;
}

function nextLikenessOfMany(bytes: Uint8Array, start: number, stop: number): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, stop);
  for (let from = start; ;) {
    const first = buffer.indexOf(LENGTH_AND_TYPE, from);
    if (first === -1 || isLikeness(bytes, first, stop)) return first;
    from = first + 1;
  }
}

/** Whether the length of a watermark is at `place`: its count, and one byte more, are zeros. */
function isLikeness(bytes: Uint8Array, place: number, stop: number): boolean {
  if (bytes[place] !== BATCH_HEADER_BYTES || bytes[place + 1] !== 0) return false;
  if (place + 2 >= stop || bytes[place + 2] !== LOG_TYPE.full) return false;
  const end = place - LOG_LENGTH_OFFSET + WATERMARK_BYTES;
  for (let zero = end - ZEROS_AT_END; zero < end && zero < stop; zero++) {
    if (bytes[zero] !== 0) return false;
  }
  return true;
}

/** A delete of an empty key has two bytes. */
const OPERATIONS_A_BYTE = 1 / 2;

/** What the watermark at `place` calls durable; -1 when there is none. */
function durableAt(bytes: Uint8Array, place: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + place, WATERMARK_BYTES);
  const data = LOG_HEADER_BYTES;
  if (view.getUint32(data + 8, true) !== 0) return -1;
  const checksum = crc32c(bytes, place + 6, place + WATERMARK_BYTES);
  if (unmaskCrc32c(view.getUint32(0, true)) !== checksum) return -1;
  return view.getUint32(data + 4, true) * 2 ** 32 + view.getUint32(data, true) - 1;
}
