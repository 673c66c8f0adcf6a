/**
 * Brings a write-ahead log to a state in which everything that can be read is durable, and nothing
 * that was given up can ever be read again. It trusts only what a watermark calls durable: the page
 * cache may hold records that the disk never got, and syncing their file again may report success
 * without writing them. So those behind the last watermark are written anew.
 *
 * 1. Inspect. If something is damaged, stop here: nothing has been changed.
 * 2. Remove temporaries, segments that a truncation had no time to remove, and one that a rotation
 *    made ahead of a segment that holds nothing.
 * 3. Write the current segment (`segment-copy`): the records behind the last watermark in a new
 *    file with the next number; or all records, in place of the last file, where that is short. From
 *    here on the old file counts only up to that watermark. The pointer names a file that is replaced
 *    before that: should a crash leave no file, its loss would not show otherwise.
 * 4. Cut what lies behind the last record that counts in each older file.
 * 5. Let the pointer name the current segment.
 *
 * A crash between any two steps leaves a log of which the next recovery makes the same.
 */

import { assert } from '../base/assert.ts';
import { changeNames, changeNamesSync } from '../durable/name-group.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { call } from '../durable/two-forms.ts';
import type { TwoFormSteps } from '../durable/two-forms.ts';
import { inDirectory } from '../durable/directory-path.ts';
import { copySegment, findRecordEnd } from './segment-copy.ts';
import type { RecordRange } from './segment-copy.ts';
import type { SegmentPlace } from './segment-writer.ts';
import { scanSegment } from './segment-scan.ts';
import { segmentPath, temporaryPath, writeWalPointer } from './wal-directory.ts';
import type { WalPointer } from './wal-directory.ts';
import { inspectWal, NEW_POINTER } from './wal-inspection.ts';
import type { InspectedSegment, WalInspection } from './wal-inspection.ts';
import type { WalRecovery, WalSettings } from './wal-options.ts';

/** A segment that is written to no more. */
export interface SealedSegment {
  readonly number: number;
  readonly path: string;
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** A log that is ready. */
export interface RecoveredWal {
  readonly report: WalRecovery;
  readonly pointer: WalPointer;
  /** The older segments, in order. */
  readonly sealed: readonly SealedSegment[];
  /** The current segment. */
  readonly number: number;
  readonly place: SegmentPlace;
}

/** Up to this length the last segment is written anew as a whole: logs opened often stay few files. */
const REWRITE_BYTES_MAX = 256 << 10;

/** Recovers the log in `directory`. REQUIRES: its lock is held. @throws HOLDFAST_CORRUPTION, … */
export function* recoverWal(directory: string, settings: WalSettings): TwoFormSteps<RecoveredWal> {
  const { dispatch } = settings;
  const inspection = yield* inspectWal(dispatch.vfs, directory, settings.onProgress);
  const { damage } = inspection;
  if (damage !== null && settings.damage === 'refuse') throw damage;
  return yield* new Recovery(dispatch, inspection).run();
}

class Recovery {
  readonly #dispatch: SyncDispatch;
  readonly #inspection: WalInspection;
  readonly #directory: string;
  #pointer: WalPointer;
  /** The older segments, and the last one as it is. */
  #segments: readonly InspectedSegment[];

  constructor(dispatch: SyncDispatch, inspection: WalInspection) {
    this.#dispatch = dispatch;
    this.#inspection = inspection;
    this.#directory = inspection.directory;
    this.#pointer = inspection.pointer ?? NEW_POINTER;
    this.#segments = inspection.segments;
  }

  *run(): TwoFormSteps<RecoveredWal> {
    const { pointer, lastSequence } = this.#inspection;
    yield* this.#clean();
    const { trusted } = this.#plan();
    yield* this.#writeUntrusted();
    const plan = this.#plan();
    const segments = this.#segments;
    const path = segmentPath(this.#directory, plan.number);
    const temporary = temporaryPath(this.#directory, plan.number);
    const { range, firstSequence } = plan;
    const last = segments.at(-1);
    const replaces = last?.number === plan.number && last.records > 0;
    if (replaces && pointer !== null && this.#pointer.last < plan.number) {
      // Where a file is not replaced at once, a crash may leave neither the old one nor the new.
      yield* this.#point({ ...this.#pointer, last: plan.number });
    }
    const copied = yield* copySegment(this.#dispatch, path, temporary, firstSequence, range);
    assert(copied.lastSequence === lastSequence, 'recovery loses no record that it has seen');
    const kept = segments.filter(({ number }) => number !== plan.number);
    const sealed: SealedSegment[] = [];
    for (const segment of kept) sealed.push(yield* this.#seal(segment, firstSequence - 1));
    if (pointer === null || this.#pointer.last < plan.number) {
      yield* this.#point({ ...this.#pointer, last: plan.number });
    }
    return {
      report: this.#report(trusted),
      pointer: this.#pointer,
      sealed,
      number: plan.number,
      place: copied,
    };
  }

  /**
   * Step 3, where the last segment with records has nothing that is trusted, not even its beginning, and
   * the next file is there: it is missed once that has one.
   */
  *#writeUntrusted(): TwoFormSteps<void> {
    const { empty } = this.#inspection;
    const last = this.#segments.at(-1);
    if (last === undefined || empty.length === 0 || last.watermark >= last.firstSequence) return;
    const { path, number, firstSequence, lastSequence: upTo } = last;
    const temporary = temporaryPath(this.#directory, number);
    const range = { path, after: firstSequence - 1, upTo };
    if (this.#pointer.last < number) yield* this.#point({ ...this.#pointer, last: number });
    yield* copySegment(this.#dispatch, path, temporary, firstSequence, range);
    const scan = yield* scanSegment(this.#dispatch.vfs, path, 'ours', () => {});
    this.#segments = [...this.#segments.slice(0, -1), { ...scan, number, limit: upTo }];
  }

  /** Which file becomes the current segment, and with what in it. */
  #plan(): {
    readonly number: number;
    readonly firstSequence: number;
    readonly range: RecordRange | null;
    /** What was known to be durable. */
    readonly trusted: number;
  } {
    const { empty } = this.#inspection;
    const last = this.#segments.at(-1);
    if (last === undefined) {
      const { first, firstSequence } = this.#pointer;
      return { number: first, firstSequence, range: null, trusted: firstSequence - 1 };
    }
    const { path, number, lastSequence: upTo } = last;
    const trusted = Math.min(last.watermark, upTo);
    const short = last.recordEnd <= REWRITE_BYTES_MAX || trusted < last.firstSequence;
    if (empty.length === 0 && short) {
      const { firstSequence } = last;
      const range = { path, after: firstSequence - 1, upTo };
      return { number, firstSequence, range, trusted };
    }
    const range = upTo > trusted ? { path, after: trusted, upTo } : null;
    return { number: number + 1, firstSequence: trusted + 1, range, trusted };
  }

  /** Step 2; and with `damage: 'cut'`, what lies behind the damage goes, newest first. */
  *#clean(): TwoFormSteps<void> {
    const { names, segments, damage, empty } = this.#inspection;
    const { first } = this.#pointer;
    const temporaries = names.temporaries.map((name) => inDirectory(this.#directory, name));
    const removed = names.segments.filter((number) => number < first);
    // The first of the empty ones becomes the current segment; the next one is made when it is due.
    const ahead = empty.slice(1).map(({ number }) => number);
    yield* removeFiles(this.#dispatch, [
      ...temporaries,
      ...[...removed, ...ahead].map((number) => segmentPath(this.#directory, number)),
    ]);
    if (damage === null) return;
    const last = segments.at(-1)?.number ?? first - 1;
    yield* this.#point({ ...this.#pointer, last });
    for (const number of names.segments.toReversed()) {
      if (number <= last || number < first) continue;
      yield* removeFiles(this.#dispatch, [segmentPath(this.#directory, number)]);
    }
  }

  /** Step 4. The records of the current segment count there, not here. */
  *#seal(segment: InspectedSegment, currentLimit: number): TwoFormSteps<SealedSegment> {
    const { number, path, firstSequence } = segment;
    const limit = Math.min(segment.limit, currentLimit);
    let length = segment.endOffset;
    if (limit < segment.lastSequence) {
      length = yield* findRecordEnd(this.#dispatch.vfs, path, limit);
    }
    if (length < segment.size) yield* this.#cut(path, length);
    return { number, path, firstSequence, lastSequence: limit };
  }

  *#cut(path: string, length: number): TwoFormSteps<void> {
    const { vfs } = this.#dispatch;
    const file = yield* call(
      () => vfs.openSync(path, { write: true }),
      () => vfs.open(path, { write: true }),
    );
    try {
      yield* call(
        () => file.truncateSync(length),
        () => file.truncate(length),
      );
      yield* call(
        () => this.#dispatch.bytesSync(file),
        () => this.#dispatch.bytes(file),
      );
    } finally {
      yield* call(
        () => file.closeSync(),
        () => file.close(),
      );
    }
  }

  *#point(pointer: WalPointer): TwoFormSteps<void> {
    yield* writeWalPointer(this.#dispatch.vfs, this.#directory, pointer);
    this.#pointer = pointer;
  }

  #report(trusted: number): WalRecovery {
    const { segments, torn, lost, pointer, names, checkpoint, lastSequence } = this.#inspection;
    return {
      created: pointer === null,
      firstSequence: segments[0]?.firstSequence ?? this.#pointer.firstSequence,
      lastSequence,
      trustedSequence: trusted,
      dropped: [...torn, ...lost],
      checkpoint,
      foreign: names.foreign,
    };
  }
}

/** Removes files of one directory, in this order; when it resolves they are gone for good. */
export function* removeFiles(dispatch: SyncDispatch, paths: readonly string[]): TwoFormSteps<void> {
  if (paths.length === 0) return;
  yield* call(
    () =>
      changeNamesSync(dispatch, (names) => {
        for (const path of paths) names.unlinkSync(path);
      }),
    () =>
      changeNames(dispatch, async (names) => {
        for (const path of paths) await names.unlink(path);
      }),
  );
}
