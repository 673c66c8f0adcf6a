/**
 * A watermark: a batch of no operations whose sequence number says that everything below it was
 * durable when the watermark was written. It uses up no number, and LevelDB reads over it. A log of
 * ours begins with two of them; in others they mean nothing.
 */

import { crc32c, unmaskCrc32c } from '../base/crc32c.ts';
import { BATCH_HEADER_BYTES, putBatchHeader } from './batch-format.ts';
import { LOG_BLOCK_BYTES, LOG_HEADER_BYTES, LOG_TYPE } from './log-format.ts';
import { framedLength, putFramed } from './log-framing.ts';
import type { LogPayload } from './log-framing.ts';

/** Bytes of a watermark that is in one piece. */
export const WATERMARK_BYTES: number = LOG_HEADER_BYTES + BATCH_HEADER_BYTES;
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
 * where the next record begins. Takes those that say more than `above` is durable, and no more than
 * the bytes between damage and watermark could hold. Answers the highest sequence number that the
 * first one calls durable, or 0.
 *
 * `distance` is how far the first of `bytes` is behind the damage.
 */
export function findWatermark(bytes: Uint8Array, distance: number, above: number): number {
  for (let place = 0; place + WATERMARK_BYTES <= bytes.length; place++) {
    if (bytes[place + 6] !== LOG_TYPE.full || bytes[place + 4] !== BATCH_HEADER_BYTES) continue;
    if (bytes[place + 5] !== 0) continue;
    const durable = durableAt(bytes, place);
    if (durable <= above || durable > above + OPERATIONS_A_BYTE * (distance + place)) continue;
    return durable;
  }
  return 0;
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
