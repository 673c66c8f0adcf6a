/**
 * Reads the records of a log's segments in order, a chunk of a file at a time. It is told how far
 * each segment may be read, and whatever is wrong before that is damage.
 */

import { CorruptionError } from '../base/errors.ts';
import { call } from '../durable/two-forms.ts';
import type { TwoFormSteps } from '../durable/two-forms.ts';
import { errorCode } from '../vfs/errno.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { SegmentCursor } from './segment-cursor.ts';
import type { CursorPlace } from './segment-cursor.ts';
import { readChunk, sizeOf } from './segment-scan.ts';
import type { WalEntry } from './wal-entry.ts';
import type { SealedSegment } from './wal-recovery.ts';

/** Where in which file reading has stopped. */
export interface ReadingPlace {
  readonly path: string;
  readonly cursor: CursorPlace;
}

export class WalReading {
  readonly #vfs: Vfs;
  readonly #segments: readonly SealedSegment[];
  readonly #firstSequence: () => number;
  #after: number;
  #index = 0;
  #file: VfsFile | null = null;
  #size = 0;
  #cursor: SegmentCursor | null = null;
  #from: ReadingPlace | null;

  /**
   * Reads what is behind `after` in `segments`, each up to its `lastSequence`. `from` is where an
   * earlier reading stopped; `firstSequence` says what is still there when a file is not.
   */
  constructor(
    vfs: Vfs,
    segments: readonly SealedSegment[],
    after: number,
    firstSequence: () => number,
    from: ReadingPlace | null = null,
  ) {
    this.#vfs = vfs;
    this.#segments = segments.filter(
      (segment) => segment.lastSequence > after && segment.lastSequence >= segment.firstSequence,
    );
    this.#after = after;
    this.#firstSequence = firstSequence;
    this.#from = from;
  }

  /** Where a later reading may go on; null before anything was read. */
  get place(): ReadingPlace | null {
    return this.#from;
  }

  /**
   * The records of the next chunk of a file that has any; null behind the last one.
   * @throws HOLDFAST_CORRUPTION; TypeError when the segment was removed meanwhile
   */
  *next(): TwoFormSteps<WalEntry[] | null> {
    for (;;) {
      const segment = this.#segments[this.#index];
      if (segment === undefined) return null;
      const file = this.#file ?? (yield* this.#open(segment));
      const cursor = this.#cursor ?? this.#cursorFor(segment);
      const { bytes, final } = yield* readChunk(file, cursor.feedOffset, this.#size);
      cursor.feed(bytes, final);
      const entries = this.#take(cursor, segment);
      if (cursor.lastSequence >= segment.lastSequence) yield* this.#leave(segment, cursor);
      if (entries.length > 0) return entries;
    }
  }

  /** Releases the file that is open. */
  *close(): TwoFormSteps<void> {
    const file = this.#file;
    this.#file = null;
    if (file === null) return;
    yield* call(
      () => file.closeSync(),
      () => file.close(),
    );
  }

  #take(cursor: SegmentCursor, { path, lastSequence }: SealedSegment): WalEntry[] {
    const entries: WalEntry[] = [];
    while (cursor.lastSequence < lastSequence) {
      const step = cursor.next(true);
      if (step === 'more') return entries;
      if (step === 'end') throw damage(path, cursor);
      const { entry } = cursor;
      if (entry !== null && entry.sequence > this.#after) entries.push(entry);
    }
    return entries;
  }

  *#open({ path, lastSequence }: SealedSegment): TwoFormSteps<VfsFile> {
    try {
      this.#file = yield* call(
        () => this.#vfs.openSync(path, { read: true }),
        () => this.#vfs.open(path, { read: true }),
      );
      this.#size = yield* sizeOf(this.#file);
      return this.#file;
    } catch (error) {
      // A file that `truncate` has removed is the reader's loss, any other one is damage.
      if (errorCode(error) !== 'ENOENT') throw error;
      throw lastSequence < this.#firstSequence() ? removed(this.#firstSequence()) : error;
    }
  }

  #cursorFor({ path }: SealedSegment): SegmentCursor {
    const from = this.#from?.path === path ? this.#from.cursor : null;
    this.#cursor = new SegmentCursor('ours', from);
    return this.#cursor;
  }

  *#leave({ path }: SealedSegment, cursor: SegmentCursor): TwoFormSteps<void> {
    this.#from = { path, cursor: cursor.place };
    this.#after = Math.max(this.#after, cursor.lastSequence);
    this.#cursor = null;
    this.#index++;
    yield* this.close();
  }
}

/** Throws when records behind `after` are gone. `after` undefined: all that are there. */
export function checkAfter(after: number | undefined, firstSequence: number): number {
  if (after === undefined) return firstSequence - 1;
  if (!Number.isSafeInteger(after) || after < 0) {
    throw new TypeError(`after must be a sequence number, not ${String(after)}`);
  }
  if (after < firstSequence - 1) throw removed(firstSequence);
  return after;
}

function removed(firstSequence: number): TypeError {
  return new TypeError(`records before ${firstSequence} were removed by truncate`);
}

function damage(path: string, cursor: SegmentCursor): CorruptionError {
  const { problem, lastSequence, endOffset } = cursor;
  const { at, expected, found } = problem ?? {
    at: endOffset,
    expected: `record ${lastSequence + 1}`,
    found: 'the end of the segment',
  };
  return new CorruptionError({ path, offset: at, expected, found });
}
