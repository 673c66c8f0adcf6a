/**
 * Reads one log file from end to end and says what is in it: the good records, what watermarks say
 * of them, how it ends, and whether anything behind a damaged place proves that the place was
 * durable. Changes nothing and decides nothing.
 */

import { readFully, readFullySync } from '../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { call } from '../durable/two-forms.ts';
import type { TwoFormSteps } from '../durable/two-forms.ts';
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

/** As many bytes at `position` as there are, at most `length`, in memory of their own. */
export function* readChunk(
  file: VfsFile,
  position: number,
  length: number,
): TwoFormSteps<Uint8Array> {
  const buffer = unsafeBytes(length);
  const count = yield* call(
    () => readFullySync(file, buffer, position),
    () => readFully(file, buffer, position),
  );
  return count === length ? buffer : buffer.subarray(0, count);
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
    const { size } = yield* call(
      () => file.statSync(),
      () => file.stat(),
    );
    const cursor = new SegmentCursor(mode);
    for (;;) {
      const step = cursor.next(false);
      if (step === 'end') break;
      if (step === 'record') continue;
      const chunk = yield* readChunk(file, cursor.feedOffset, SEGMENT_CHUNK_BYTES);
      onRead(chunk.length);
      cursor.feed(chunk, chunk.length < SEGMENT_CHUNK_BYTES);
    }
    const { problem } = cursor;
    const usedEnd = problem === null ? cursor.endOffset : yield* findUsedEnd(file, problem.offset);
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
    const step = SEGMENT_CHUNK_BYTES - WATERMARK_BYTES;
    for (let position = from; ; position += step) {
      const chunk = yield* readChunk(file, position, SEGMENT_CHUNK_BYTES);
      const found = findWatermark(chunk, position - from, above);
      if (found > 0 || chunk.length < SEGMENT_CHUNK_BYTES) return found;
    }
  });
}

function* findUsedEnd(file: VfsFile, from: number): TwoFormSteps<number> {
  let usedEnd = from;
  for (let position = from; ; position += SEGMENT_CHUNK_BYTES) {
    const chunk = yield* readChunk(file, position, SEGMENT_CHUNK_BYTES);
    let last = chunk.length - 1;
    while (last >= 0 && chunk[last] === 0) last--;
    if (last >= 0) usedEnd = position + last + 1;
    if (chunk.length < SEGMENT_CHUNK_BYTES) return usedEnd;
  }
}
