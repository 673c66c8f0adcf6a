/**
 * Reads one log file from end to end and says what is in it: the good records, what watermarks say
 * of them, how it ends, and whether anything behind a damaged place proves that the place was
 * durable. Changes nothing and decides nothing.
 */

import { firstNonZero } from '../base/bytes.ts';
import { readFully, readFullySync } from '../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { call } from '../durable/two-forms.ts';
import type { TwoFormSteps } from '../durable/two-forms.ts';
import { LOG_BLOCK_BYTES } from './log-format.ts';
import { SegmentCursor } from './segment-cursor.ts';
import type { CursorMode, SegmentProblem } from './segment-cursor.ts';
import { findWatermark, WATERMARK_BYTES } from './watermark.ts';
import type { CheckpointEntry } from './wal-entry.ts';

/** Bytes that are read at once: whole blocks. */
export const SEGMENT_CHUNK_BYTES: number = 1 << 20;

/** What is in a log file. */
export interface SegmentScan {
  readonly path: string;
  /** Bytes of the file. */
  readonly size: number;
  /** Whether it begins with two watermarks. */
  readonly ours: boolean;
  /** The number of its first operation, also when it has none; 0 when it does not say. */
  readonly firstSequence: number;
  /** The number of its last operation, `firstSequence - 1` when it has none. */
  readonly lastSequence: number;
  /** Good records, batches counted once. */
  readonly records: number;
  /** Everything up to this number is known to have been durable. */
  readonly watermark: number;
  /** Byte position behind the last good record. */
  readonly recordEnd: number;
  /** Byte position behind the last good record or watermark. */
  readonly endOffset: number;
  readonly checkpoint: CheckpointEntry | null;
  /** Null: behind `endOffset` there is nothing, or zeros. */
  readonly problem: SegmentProblem | null;
  /** Byte position behind the last byte that is not zero, where there is a problem. */
  readonly usedEnd: number;
}

/**
 * Opens a file, runs `steps` on it, and closes it. For reading only.
 */
export function* withFile<T>(
  vfs: Vfs,
  path: string,
  steps: (file: VfsFile) => TwoFormSteps<T>,
): TwoFormSteps<T> {
  const file = yield* call(
    () => vfs.openSync(path, { read: true }),
    () => vfs.open(path, { read: true }),
  );
  try {
    return yield* steps(file);
  } finally {
    yield* call(
      () => file.closeSync(),
      () => file.close(),
    );
  }
}

/** Some bytes of a file, in memory of their own. */
export interface FileChunk {
  readonly bytes: Uint8Array;
  /** Whether the file ends with them. */
  readonly final: boolean;
}

/**
 * The bytes at `position`, a mebibyte at most; `size` is what the file has, as far as is known, so
 * that a short file does not cost the memory of a long one. Whole blocks, unless the file ends with
 * them.
 */
export function* readChunk(file: VfsFile, position: number, size: number): TwoFormSteps<FileChunk> {
  // One byte more, so that the end is seen.
  const left = Math.max(size - position, 0) + 1;
  const blocks = Math.ceil(left / LOG_BLOCK_BYTES) * LOG_BLOCK_BYTES;
  const length = left < LOG_BLOCK_BYTES ? left : Math.min(blocks, SEGMENT_CHUNK_BYTES);
  const chunk = yield* readBytes(file, position, length);
  // It has grown meanwhile.
  if (chunk.final || chunk.bytes.length % LOG_BLOCK_BYTES === 0) return chunk;
  return yield* readBytes(file, position, LOG_BLOCK_BYTES);
}

function* readBytes(file: VfsFile, position: number, length: number): TwoFormSteps<FileChunk> {
  const buffer = unsafeBytes(length);
  const count = yield* call(
    () => readFullySync(file, buffer, position),
    () => readFully(file, buffer, position),
  );
  return { bytes: count === length ? buffer : buffer.subarray(0, count), final: count < length };
}

/** Memory that holds anything, not from a pool, so that views on it cannot be written again. */
export function unsafeBytes(length: number): Uint8Array {
  const buffer = Buffer.allocUnsafeSlow(length);
  return new Uint8Array(buffer.buffer, buffer.byteOffset, length);
}

/** Scans a file. `onRead` hears of the bytes as they are read. */
export function* scanSegment(
  vfs: Vfs,
  path: string,
  mode: CursorMode,
  onRead: (bytes: number) => void = () => {},
): TwoFormSteps<SegmentScan> {
  return yield* withFile(vfs, path, function* (file): TwoFormSteps<SegmentScan> {
    const size = yield* sizeOf(file);
    const cursor = new SegmentCursor(mode);
    for (;;) {
      const step = cursor.next(false);
      if (step === 'end') break;
      if (step === 'record') continue;
      const { bytes, final } = yield* readChunk(file, cursor.feedOffset, size);
      onRead(bytes.length);
      cursor.feed(bytes, final);
    }
    const { problem } = cursor;
    const usedEnd =
      problem === null ? cursor.endOffset : yield* findUsedEnd(file, problem.offset, size);
    const { ours, firstSequence, lastSequence, records, watermark } = cursor;
    const { recordEnd, endOffset, checkpoint } = cursor;
    const known = { path, size, problem, usedEnd, ours, firstSequence, lastSequence };
    return { ...known, records, watermark, recordEnd, endOffset, checkpoint };
  });
}

/**
 * Looks behind `from`, where a file is damaged, for a watermark that says that more than `above` was
 * durable. Answers what it calls durable, or 0.
 */
export function* findEvidence(
  vfs: Vfs,
  path: string,
  from: number,
  above: number,
): TwoFormSteps<number> {
  return yield* withFile(vfs, path, function* (file): TwoFormSteps<number> {
    const size = yield* sizeOf(file);
    for (let position = from; ;) {
      const { bytes, final } = yield* readChunk(file, position, size);
      const found = findWatermark(bytes, position - from, above);
      if (found > 0 || final) return found;
      // One may lie across the end of the chunk.
      position += bytes.length - WATERMARK_BYTES;
    }
  });
}

function* findUsedEnd(file: VfsFile, from: number, size: number): TwoFormSteps<number> {
  let usedEnd = from;
  for (let position = from; ;) {
    const { bytes, final } = yield* readChunk(file, position, size);
    let last = firstNonZero(bytes) === bytes.length ? -1 : bytes.length - 1;
    while (last >= 0 && bytes[last] === 0) last--;
    if (last >= 0) usedEnd = position + last + 1;
    if (final) return usedEnd;
    position += bytes.length;
  }
}

/** Bytes of a file. */
export function* sizeOf(file: VfsFile): TwoFormSteps<number> {
  const { size } = yield* call(
    () => file.statSync(),
    () => file.stat(),
  );
  return size;
}
