/**
 * Writes a new log file as a whole: begun, filled with records of another one, closed with a
 * watermark, and synced. It gets its name when all of that is done, so whoever sees the name sees a
 * whole file whose every byte is durable; that is why the watermark in it is true.
 *
 * 1. The temporary file is made, written and synced.
 * 2. It is renamed, over what has the name.
 * 3. The directory is synced.
 */

import { changeNames, changeNamesSync } from '../durable/name-group.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { call } from '../durable/two-forms.ts';
import type { TwoFormSteps } from '../durable/two-forms.ts';
import { writeFully, writeFullySync } from '../vfs/transfer.ts';
import type { OpenOptions, Vfs, VfsFile } from '../vfs/vfs.ts';
import { cutLength, putCut } from './log-framing.ts';
import { SegmentCursor } from './segment-cursor.ts';
import { readChunk, sizeOf, withFile } from './segment-scan.ts';
import {
  cutsOf,
  putWatermark,
  WATERMARK_BYTES,
  watermarkLength,
  WATERMARKS_AT_START,
} from './watermark.ts';

/** Which records of which file: those behind `after`, up to `upTo`. */
export interface RecordRange {
  readonly path: string;
  readonly after: number;
  readonly upTo: number;
}

/** The file that was written. */
export interface CopiedSegment {
  /** Bytes. */
  readonly length: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Records copied, batches counted once. */
  readonly records: number;
}

const CREATE: OpenOptions = { write: true, create: true, exclusive: true, noFollow: true };

/**
 * Writes the log file `path` by way of `temporary`. When it resolves, it lasts; a crash before leaves
 * what was at `path` before, or all of it.
 */
export function* copySegment(
  dispatch: SyncDispatch,
  path: string,
  temporary: string,
  firstSequence: number,
  range: RecordRange | null,
): TwoFormSteps<CopiedSegment> {
  const { vfs } = dispatch;
  const file = yield* call(
    () => vfs.openSync(temporary, CREATE),
    () => vfs.open(temporary, CREATE),
  );
  let copied: CopiedSegment;
  try {
    try {
      copied = yield* fill(vfs, new SegmentOutput(file), firstSequence, range);
      yield* call(
        () => dispatch.bytesSync(file),
        () => dispatch.bytes(file),
      );
    } finally {
      yield* call(
        () => file.closeSync(),
        () => file.close(),
      );
    }
  } catch (error) {
    // Where there is no room, the half of a file takes some of it.
    yield* removeQuietly(vfs, temporary);
    throw error;
  }
  yield* call(
    () => changeNamesSync(dispatch, (names) => names.renameSync(temporary, path)),
    () => changeNames(dispatch, (names) => names.rename(temporary, path)),
  );
  return copied;
}

function* removeQuietly(vfs: Vfs, path: string): TwoFormSteps<void> {
  try {
    yield* call(
      () => vfs.unlinkSync(path),
      () => vfs.unlink(path),
    );
  } catch {
    // The next recovery sweeps it; the first error is the one to tell.
  }
}

/** Byte position behind the last record up to `upTo`, or behind the watermarks at the start. */
export function* findRecordEnd(vfs: Vfs, path: string, upTo: number): TwoFormSteps<number> {
  let end = WATERMARKS_AT_START * WATERMARK_BYTES;
  yield* eachRecord(vfs, path, (cursor) => {
    if (cursor.lastSequence > upTo) return false;
    end = cursor.recordEnd;
    return true;
  });
  return end;
}

function* fill(
  vfs: Vfs,
  output: SegmentOutput,
  firstSequence: number,
  range: RecordRange | null,
): TwoFormSteps<CopiedSegment> {
  let records = 0;
  let lastSequence = firstSequence - 1;
  for (let count = 0; count < WATERMARKS_AT_START; count++) output.watermark(firstSequence);
  if (range !== null) {
    const visit = (cursor: SegmentCursor): boolean => {
      if (cursor.lastSequence <= range.after) return true;
      if (cursor.lastSequence > range.upTo) return false;
      lastSequence = cursor.lastSequence;
      records++;
      output.record(cursor.data);
      return true;
    };
    yield* eachRecord(vfs, range.path, visit, () => output.flush());
  }
  if (records > 0) output.watermark(lastSequence + 1);
  yield* output.flush();
  return { length: output.length, firstSequence, lastSequence, records };
}

/**
 * Goes through the good records of a file until `visit` answers false; `afterChunk` runs after each
 * mebibyte of them.
 */
function* eachRecord(
  vfs: Vfs,
  path: string,
  visit: (cursor: SegmentCursor) => boolean,
  afterChunk?: () => TwoFormSteps<void>,
): TwoFormSteps<void> {
  yield* withFile(vfs, path, function* (file): TwoFormSteps<void> {
    const size = yield* sizeOf(file);
    const cursor = new SegmentCursor('ours');
    for (;;) {
      const step = cursor.next(false);
      if (step === 'end') return;
      if (step === 'record') {
        if (!visit(cursor)) return;
        continue;
      }
      if (afterChunk !== undefined) yield* afterChunk();
      const { bytes, final } = yield* readChunk(file, cursor.feedOffset, size);
      cursor.feed(bytes, final);
    }
  });
}

/** Collects framed records and writes them in large pieces. */
class SegmentOutput {
  readonly #file: VfsFile;
  #buffer: Uint8Array = new Uint8Array(4 << 10);
  #used = 0;
  #written = 0;

  constructor(file: VfsFile) {
    this.#file = file;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#written + this.#used;
  }

  watermark(next: number): void {
    const { length } = this;
    this.#reserve(watermarkLength(length));
    this.#used = putWatermark(this.#buffer, this.#used, length, next);
  }

  record(data: {
    readonly bytes: Uint8Array;
    readonly start: number;
    readonly stop: number;
  }): void {
    const { bytes, start, stop } = data;
    const { length } = this;
    const cuts = cutsOf(bytes, start, stop);
    this.#reserve(cutLength(length, stop - start, cuts));
    this.#used = putCut(this.#buffer, this.#used, length, bytes.subarray(start, stop), cuts);
  }

  *flush(): TwoFormSteps<void> {
    const buffer = this.#buffer;
    const used = this.#used;
    const position = this.#written;
    this.#used = 0;
    this.#written += used;
    yield* call(
      () => writeFullySync(this.#file, buffer, position, 0, used),
      () => writeFully(this.#file, buffer, position, 0, used),
    );
  }

  #reserve(length: number): void {
    if (this.#used + length <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#used + length, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = larger;
  }
}
