/**
 * Looks at a write-ahead log as it lies there and says what it is worth: which records are good,
 * which of them are known to be durable, what a crash has torn, and what is damaged. Changes
 * nothing, needs no lock; recovery acts on it, `verify` prints it.
 *
 * How torn writes and damage are told apart:
 *
 * 1. A segment gets its first byte when the one before it is synced, so every segment but the last
 *    must be whole up to where the next one begins.
 * 2. The last segments may be files whose first bytes never got to the disk: the newest, which a
 *    rotation makes ahead of need, and the one before it, if no sync came to it. They hold nothing,
 *    and the one before them is the last.
 * 3. In the last one, a bad place is a torn write; unless a watermark behind it, in the same file or
 *    in one of those, says that the place was durable. Then it is damage.
 * 4. A segment whose first number is behind what the last watermark of the segment before it calls
 *    durable, and not behind all its records, was written by a recovery that had no time to cut that
 *    one: it counts, and the rest of the one before does not. (That recovery may have seen a later
 *    watermark, in the page cache, than the disk has got.) It says so by a watermark of its own.
 */

import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { call } from '../durable/two-forms.ts';
import type { TwoFormSteps } from '../durable/two-forms.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { findEvidence, scanSegment } from './segment-scan.ts';
import type { SegmentScan } from './segment-scan.ts';
import { listWal, pointerPath, readWalPointer, segmentPath } from './wal-directory.ts';
import type { WalNames, WalPointer } from './wal-directory.ts';
import type { CheckpointEntry } from './wal-entry.ts';
import type { DroppedBytes, WalProgress } from './wal-options.ts';

/** A segment that counts. */
export interface InspectedSegment extends SegmentScan {
  readonly number: number;
  /** Its records count up to this sequence number (rule 4). */
  readonly limit: number;
}

export interface WalInspection {
  readonly directory: string;
  /** Null: there is none yet. */
  readonly pointer: WalPointer | null;
  readonly names: WalNames;
  /** The segments that count, in order. */
  readonly segments: readonly InspectedSegment[];
  /** The newest segments, as far as they hold nothing (rule 2): at most `EMPTY_MAX`. */
  readonly empty: readonly { readonly number: number; readonly path: string }[];
  /** The sequence number of the last operation that counts. */
  readonly lastSequence: number;
  readonly checkpoint: CheckpointEntry | null;
  /** What torn writes have left. */
  readonly torn: readonly DroppedBytes[];
  /** Null: nothing is damaged. Otherwise the above is what is good before the first damage. */
  readonly damage: CorruptionError | null;
  /** Where the log is damaged: nothing behind counts. */
  readonly lost: readonly DroppedBytes[];
}

/** The segment that is written and the one made ahead. */
const EMPTY_MAX = 2;

/** Where a log that has none begins. */
export const NEW_POINTER: WalPointer = { first: 1, last: 0, firstSequence: 1 };

/**
 * Inspects the log in `directory`.
 * @throws HOLDFAST_FORMAT, HOLDFAST_FOREIGN, HOLDFAST_CORRUPTION for the pointer; the operating
 *   system's error. Damaged segments are an answer.
 */
export function* inspectWal(
  vfs: Vfs,
  directory: string,
  onProgress: (progress: WalProgress) => void = () => {},
): TwoFormSteps<WalInspection> {
  const names = yield* listWal(vfs, directory);
  const pointer = yield* readWalPointer(vfs, directory);
  if (pointer === null) yield* requireNew(vfs, directory, names);
  return yield* new Inspection(vfs, directory, names, pointer, onProgress).run();
}

/** Without a pointer there is no log, or one whose making a crash has interrupted. */
function* requireNew(vfs: Vfs, directory: string, names: WalNames): TwoFormSteps<void> {
  const [number] = names.segments;
  if (number === undefined) return;
  if (names.foreign.includes('CURRENT')) {
    const other = 'its CURRENT file says that it is the directory of a LevelDB or LSM store';
    throw new HoldfastError('HOLDFAST_FOREIGN', `${directory} is no write-ahead log: ${other}`);
  }
  const scan = yield* scanSegment(vfs, segmentPath(directory, number), 'ours');
  const single = names.segments.length === 1 && number === NEW_POINTER.first;
  if (single && scan.ours && scan.records === 0 && scan.problem === null) return;
  if (!scan.ours && scan.size > 0) {
    const what = 'has log files that are not a write-ahead log of Holdfast';
    throw new HoldfastError('HOLDFAST_FOREIGN', `${directory} ${what}: ${scan.path}`);
  }
  throw new CorruptionError({
    path: pointerPath(directory),
    offset: 0,
    expected: 'the pointer of the log beside it',
    found: 'no file',
  });
}

class Inspection {
  readonly #vfs: Vfs;
  readonly #directory: string;
  readonly #names: WalNames;
  readonly #given: WalPointer | null;
  readonly #pointer: WalPointer;
  readonly #onProgress: (progress: WalProgress) => void;
  readonly #segments: InspectedSegment[] = [];
  readonly #torn: DroppedBytes[] = [];
  #empty: (SegmentScan & { readonly number: number })[] = [];
  #damage: CorruptionError | null = null;
  #lostFrom = Infinity;
  #bytes = 0;
  #totalBytes = 0;

  constructor(
    vfs: Vfs,
    directory: string,
    names: WalNames,
    pointer: WalPointer | null,
    onProgress: (progress: WalProgress) => void,
  ) {
    this.#vfs = vfs;
    this.#directory = directory;
    this.#names = names;
    this.#given = pointer;
    this.#pointer = pointer ?? NEW_POINTER;
    this.#onProgress = onProgress;
  }

  *run(): TwoFormSteps<WalInspection> {
    const numbers = this.#names.segments.filter((number) => number >= this.#pointer.first);
    const sizes = yield* this.#sizes(numbers);
    this.#totalBytes = sizes.reduce((sum, size) => sum + size, 0);
    let next = this.#pointer.first;
    for (const number of numbers) {
      if (number !== next) break;
      const scan = yield* this.#scan(number);
      this.#judge(number, scan, numbers.filter((other) => other > number).length);
      if (this.#damage !== null) break;
      next++;
    }
    if (this.#damage === null) this.#requireAll(next, numbers);
    if (this.#damage === null) yield* this.#judgeEnd();
    return this.#result(numbers, sizes);
  }

  get #last(): InspectedSegment | undefined {
    return this.#segments.at(-1);
  }

  get #lastSequence(): number {
    return this.#last?.lastSequence ?? this.#pointer.firstSequence - 1;
  }

  *#sizes(numbers: readonly number[]): TwoFormSteps<number[]> {
    const sizes: number[] = [];
    for (const number of numbers) {
      const path = segmentPath(this.#directory, number);
      const { size } = yield* call(
        () => this.#vfs.statSync(path),
        () => this.#vfs.stat(path),
      );
      sizes.push(size);
    }
    return sizes;
  }

  #scan(number: number): TwoFormSteps<SegmentScan> {
    const path = segmentPath(this.#directory, number);
    return scanSegment(this.#vfs, path, 'ours', (read) => {
      this.#bytes += read;
      this.#onProgress({ bytes: this.#bytes, totalBytes: this.#totalBytes, segment: path });
    });
  }

  /** Takes a segment, or says why it does not belong there. */
  #judge(number: number, scan: SegmentScan, followers: number): void {
    const [empty] = this.#empty;
    // What has a beginning got it after the one before was synced (rule 1).
    if (empty !== undefined && scan.ours) return this.#hasNoBeginning(empty);
    const before = this.#last;
    const expected = this.#lastSequence + 1;
    const first = scan.firstSequence;
    const follows = first === expected && before?.problem?.certain !== true;
    // A recovery has written what it replaces, and says in the file that it is durable. A beginning alone may be an
    // old block, of a segment that was removed before anything followed it.
    const replaces = first < expected && scan.watermark >= first;
    const rewritten = before !== undefined && first > before.watermark && replaces;
    if (scan.ours && (follows || rewritten)) {
      if (before !== undefined) this.#settle(before, first - 1);
      this.#segments.push({ ...scan, number, limit: scan.lastSequence });
      return;
    }
    const damaged = before?.problem ?? null;
    if (scan.ours && first > expected && before !== undefined) {
      // The one before should reach up to this one (rule 1).
      const { at, found } = damaged ?? { at: before.endOffset, found: 'the end of the segment' };
      this.#fails(before.path, at, `record ${expected} and on to ${first - 1}`, found, before);
    } else if (before === undefined || followers >= (scan.ours ? 1 : EMPTY_MAX)) {
      this.#hasNoBeginning({ ...scan, number });
    } else {
      this.#empty.push({ ...scan, number });
    }
  }

  #hasNoBeginning(scan: SegmentScan & { readonly number: number }): void {
    const { at, found } = scan.problem ?? { at: 0, found: `record ${scan.firstSequence}` };
    const what = `a segment that begins with record ${this.#lastSequence + 1}`;
    this.#fails(scan.path, scan.ours ? 0 : at, what, found, null, scan.number);
  }

  /** The segment is followed by one that begins behind `limit`. */
  #settle(segment: InspectedSegment, limit: number): void {
    this.#segments[this.#segments.length - 1] = { ...segment, limit };
    const { problem } = segment;
    if (problem !== null) this.#noteTorn(segment, problem.offset, 'left by an earlier recovery');
  }

  #requireAll(next: number, numbers: readonly number[]): void {
    if (next > this.#pointer.last && next > (numbers.at(-1) ?? 0)) return;
    const path = segmentPath(this.#directory, next);
    this.#fails(path, 0, 'a segment of the log', 'no such file', null, next);
  }

  /** Rule 3. */
  *#judgeEnd(): TwoFormSteps<void> {
    const last = this.#last;
    const above = this.#lastSequence;
    const problem = last?.problem ?? null;
    if (last !== undefined && problem !== null) {
      const { at, expected, found } = problem;
      if (problem.certain) return this.#fails(last.path, at, expected, found, last);
      const durable = yield* findEvidence(this.#vfs, last.path, problem.offset, above);
      const proof = `${found}, though record ${durable} was durable`;
      if (durable > 0) return this.#fails(last.path, at, expected, proof, last);
      this.#noteTorn(last, problem.offset, `a torn write: expected ${expected}, found ${found}`);
    }
    for (const empty of this.#empty) {
      const durable = yield* findEvidence(this.#vfs, empty.path, 0, above);
      if (durable > 0) {
        const what = `a segment that begins with record ${above + 1}`;
        const found = `none, though record ${durable} was durable`;
        return this.#fails(empty.path, 0, what, found, null, empty.number);
      }
      this.#noteTorn(empty, 0, this.#reasonOf(empty));
    }
  }

  /** A crash may leave anything in the place of first bytes that were not synced, old blocks too. */
  #reasonOf({ ours, firstSequence }: SegmentScan): string {
    const due = `a segment that begins with record ${this.#lastSequence + 1}`;
    return ours
      ? `not ${due}, but with ${firstSequence}: an old block in its place, or a copy of another file`
      : `no beginning of ${due}: it never got to the disk, or the file is not the log's`;
  }

  #noteTorn({ path, usedEnd }: SegmentScan, offset: number, reason: string): void {
    if (usedEnd > offset) this.#torn.push({ path, offset, bytes: usedEnd - offset, reason });
  }

  /** The log is damaged: `inside` a segment that counts up to there, or from a segment number on. */
  #fails(
    path: string,
    offset: number,
    expected: string,
    found: string,
    inside: InspectedSegment | null,
    number: number = Infinity,
  ): void {
    this.#damage = new CorruptionError({ path, offset, expected, found });
    this.#lostFrom = inside === null ? number : inside.number + 1;
    this.#empty = [];
    this.#torn.length = 0;
  }

  #result(numbers: readonly number[], sizes: readonly number[]): WalInspection {
    const checkpoints = this.#segments.map(({ checkpoint }) => checkpoint);
    return {
      directory: this.#directory,
      pointer: this.#given,
      names: this.#names,
      segments: this.#segments,
      empty: this.#empty.map(({ number, path }) => ({ number, path })),
      lastSequence: this.#lastSequence,
      checkpoint: checkpoints.findLast((checkpoint) => checkpoint !== null) ?? null,
      torn: this.#torn,
      damage: this.#damage,
      lost: this.#damage === null ? [] : this.#lost(numbers, sizes, this.#damage),
    };
  }

  #lost(
    numbers: readonly number[],
    sizes: readonly number[],
    damage: CorruptionError,
  ): DroppedBytes[] {
    const reason = `damage: expected ${damage.expected}, found ${damage.found}`;
    const lost: DroppedBytes[] = [];
    const last = this.#last;
    const inside = last !== undefined && last.number + 1 === this.#lostFrom;
    const offset = last?.problem?.offset ?? last?.endOffset ?? 0;
    if (inside && last.usedEnd > offset) {
      lost.push({ path: last.path, offset, bytes: last.usedEnd - offset, reason });
    }
    for (const [index, number] of numbers.entries()) {
      if (number < this.#lostFrom) continue;
      const path = segmentPath(this.#directory, number);
      lost.push({ path, offset: 0, bytes: sizes[index] ?? 0, reason: 'behind the damage' });
    }
    return lost;
  }
}
