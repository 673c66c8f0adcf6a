/**
 * Everything that goes on behind the writers: flushes of full memtables and compactions. One flush
 * and one compaction at a time, each in a worker of its own. The order of a flush, each step
 * load-bearing (the log was changed before: `write-path`):
 *
 * 1. the table is written, synced, and its name durable (`run-job`);
 * 2. the edit that names it, and the log that goes on, is appended to the manifest and synced: from
 *    here on the table counts;
 * 3. only then the old log is removed. Compactions do the same with the tables they replace.
 */

import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { SerialQueue } from '../../base/serial-queue.ts';
import { CorruptionError, FileChangeError } from '../../base/errors.ts';
import type { Poison } from '../../durable/poison.ts';
import { meaningOf } from '../../durable/poison.ts';
import type { SyncDispatch } from '../../durable/sync-dispatch.ts';
import { runNow } from '../../durable/two-forms.ts';
import type { Compaction } from '../compaction/compaction-picker.ts';
import {
  inputBytes,
  isTrivialMove,
  OVERLAP_FACTOR,
  pickCompaction,
  pickRange,
  YOUNG_TABLES_MAX,
} from '../compaction/compaction-picker.ts';
import { compareInternalKeys } from '../internal-key.ts';
import { LEVEL_COUNT } from '../manifest/version-edit.ts';
import type { TableMeta, VersionEdit } from '../manifest/version-edit.ts';
import { rangeOf } from '../manifest/version.ts';
import type { UserKeyRange } from '../manifest/version.ts';
import type { VersionSet } from '../manifest/version-set.ts';
import type { ObsoleteFiles } from '../obsolete-files.ts';
import type { TableFormatOptions } from '../table/table-builder.ts';
import { JobFailure } from './job-failure.ts';
import type { JobRunner } from './job-runner.ts';
import { errorCode } from '../../vfs/errno.ts';
import type { FlushTask } from '../flush-task.ts';
import type { FlushJob, JobResult } from './job.ts';
import { runJob } from './run-job.ts';

/** What maintenance works with. */
export interface MaintenanceSurroundings {
  readonly directory: string;
  readonly dispatch: SyncDispatch;
  readonly versions: VersionSet;
  readonly obsolete: ObsoleteFiles;
  readonly flusher: JobRunner;
  readonly compactor: JobRunner;
  readonly poison: Poison;
  readonly clock: Clock;
  readonly format: TableFormatOptions;
  readonly tableBytes: number;
  /** No reader asks for versions of keys that a sequence number not above this hides. */
  smallestSnapshot(): number;
}

/** A full disk is tried again after so long. */
const RETRY_MS = 500;
/** With so many tables in level 0, writers are slowed down, and nearly stopped. */
const YOUNG_SLOW = 2 * YOUNG_TABLES_MAX;
const YOUNG_STOP = 6 * YOUNG_TABLES_MAX;

/** Figures since the store was opened. */
export interface MaintenanceFigures {
  flushes: number;
  compactions: number;
  bytesRead: number;
  bytesWritten: number;
}

export class Maintenance {
  readonly #around: MaintenanceSurroundings;
  readonly figures: MaintenanceFigures = {
    flushes: 0,
    compactions: 0,
    bytesRead: 0,
    bytesWritten: 0,
  };
  /** Logs that are still there, oldest first. */
  #logs: number[] = [];
  #isClosing = false;
  readonly #flushes = new SerialQueue();
  #compacting: Promise<void> | null = null;
  /** Ranges that somebody asked to compact come before what the sizes want. */
  #asked: Promise<void> = Promise.resolve();
  /** A compaction that could not be done is not tried again at once. */
  #restUntilMs = 0;

  constructor(around: MaintenanceSurroundings) {
    this.#around = around;
  }

  /** How far compactions are behind, from 0 to 1. */
  pressure(): number {
    const young = this.#around.versions.current.levels[0]!.length;
    return Math.min(1, Math.max(0, (young - YOUNG_SLOW) / (YOUNG_STOP - YOUNG_SLOW)));
  }

  /** A log that is written to; it goes when a later one is all that the manifest needs. */
  noteLog(number: number): void {
    this.#logs.push(number);
  }

  /**
   * Makes a table of a memtable. Resolves when it counts, and the logs before its own do not.
   * Rejects when writing has ended, or the store is closing.
   */
  flush(task: FlushTask): Promise<void> {
    this.noteLog(task.logNumber);
    return this.#flushes.run(() => this.#flush(task));
  }

  /**
   * As `flush`, on the calling thread, overtaking what the background does for this task.
   * @throws HOLDFAST_POISONED; FileChangeError when it could not be done for now
   */
  flushSync(task: FlushTask): void {
    const { dispatch, directory, versions, obsolete, poison } = this.#around;
    poison.check();
    try {
      if (task.stage === 'edit') versions.settleSync();
      else {
        const result = runNow(runJob(this.#flushJob(task), dispatch));
        try {
          versions.commitSync(editOf(task, result));
        } catch (error) {
          this.#dropUnnamed(result);
          throw error;
        }
        this.#count('flushes', result);
      }
    } catch (error) {
      if (!this.#mayRetry(error)) throw poison.error('old');
      throw refusalOf(directory, error);
    }
    task.finish();
    obsolete.removeLogsSync(this.#takeOldLogs(task));
    this.wake();
  }

  async #flush(task: FlushTask): Promise<void> {
    const { directory, obsolete, clock, poison } = this.#around;
    while (!task.isDone) {
      try {
        await this.#flushOnce(task);
      } catch (error) {
        if (!this.#mayRetry(error)) throw poison.error('old');
        if (task.isDone) break;
        if (this.#isClosing) throw error;
        task.refuse(refusalOf(directory, error));
        await clock.sleep(RETRY_MS);
        if (this.#isClosing) throw error;
        poison.check();
      }
    }
    await obsolete.removeLogs(this.#takeOldLogs(task));
    this.wake();
  }

  async #flushOnce(task: FlushTask): Promise<void> {
    const result = await this.#around.flusher.run(this.#flushJob(task));
    if (task.isDone) return this.#dropUnnamed(result);
    task.stage = 'edit';
    await this.#commit(editOf(task, result), result);
    task.finish();
    this.#count('flushes', result);
  }

  #takeOldLogs({ logNumber }: FlushTask): number[] {
    const old = this.#logs.filter((number) => number < logNumber);
    this.#logs = this.#logs.filter((number) => number >= logNumber);
    return old;
  }

  /** Names what a job made. */
  async #commit(edit: VersionEdit, result: JobResult): Promise<void> {
    try {
      await this.#around.versions.commit(edit);
    } catch (error) {
      this.#dropUnnamed(result);
      throw error;
    }
  }

  /** Removes what no version has, and none will: tables without a name must not fill a full disk. */
  #dropUnnamed({ tables }: JobResult): void {
    const { obsolete, poison } = this.#around;
    if (poison.poisoned) return;
    obsolete.condemn(tables.map(({ number }) => number));
    void obsolete.removeTables();
  }

  /** Looks whether a compaction is due. */
  wake(): void {
    if (this.#compacting !== null || this.#isClosing || this.#around.poison.poisoned) return;
    if (this.#around.clock.monotonicMs() < this.#restUntilMs) return;
    const picked = this.#pick();
    if (picked === null) return;
    this.#compacting = this.#compact(picked)
      .catch((error: unknown) => {
        if (this.#mayRetry(error)) this.#retryLater();
      })
      .finally(() => {
        this.#compacting = null;
        this.wake();
      });
  }

  /**
   * Merges all levels of a range into the lowest that holds any of it. `onStep` is told the bytes
   * done.
   */
  compactRange(range: UserKeyRange, onStep: (bytes: number) => void): Promise<void> {
    const before = this.#asked;
    this.#asked = before
      .catch(() => 'its caller heard of it')
      .then(() => this.#compactRange(range, onStep));
    return this.#asked;
  }

  /** Resolves when no compaction is due or under way. */
  async settle(): Promise<void> {
    while (this.#compacting !== null) await this.#compacting;
  }

  /** From now on what fails is given up, and no compaction begins. */
  beginClosing(): void {
    this.#isClosing = true;
  }

  /** Begins nothing more, and waits for what is under way. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#asked.catch(() => 'its caller heard of it');
    while (this.#compacting !== null) await this.#compacting;
    await Promise.all([this.#around.flusher.close(), this.#around.compactor.close()]);
  }

  #flushJob({ memtable }: FlushTask): FlushJob {
    const { directory, format, versions } = this.#around;
    assert(memtable !== null, 'a memtable is flushed once');
    return {
      kind: 'flush',
      memtable: memtable.parts(),
      directory,
      format,
      smallestSnapshot: this.#around.smallestSnapshot(),
      firstNumber: versions.takeFileNumbers(),
      numberCount: 1,
    };
  }

  #pick(): Compaction | null {
    const { versions, tableBytes } = this.#around;
    return pickCompaction(versions.current, (level) => versions.compactPointer(level), tableBytes);
  }

  async #compactRange(range: UserKeyRange, onStep: (bytes: number) => void): Promise<void> {
    const { versions, tableBytes, poison } = this.#around;
    await this.settle();
    const bottom = lowestLevel(versions.current.levels);
    for (let level = 0; level < Math.max(1, bottom); level++) {
      let from: UserKeyRange = range;
      for (;;) {
        poison.check();
        if (this.#isClosing) return;
        while (this.#compacting !== null) await this.#compacting;
        const picked = pickRange(versions.current, level, from, tableBytes);
        if (picked === null) break;
        const last = rangeOf(picked.upper).last;
        await this.#compactAsked(picked);
        onStep(inputBytes(picked));
        if (level === 0) break;
        from = { first: last, last: range.last };
      }
    }
    this.wake();
  }

  /** One compaction that somebody waits for, and is told of its failure. */
  async #compactAsked(picked: Compaction): Promise<void> {
    const compacting = this.#compact(picked, true);
    this.#compacting = compacting.catch(() => 'told below').then(() => undefined);
    try {
      await compacting;
    } catch (error) {
      if (!this.#mayRetry(error)) throw this.#around.poison.error('old');
      throw error;
    } finally {
      this.#compacting = null;
    }
  }

  async #compact(picked: Compaction, isAsked: boolean = false): Promise<void> {
    const { versions, obsolete, tableBytes } = this.#around;
    const { level, upper, lower } = picked;
    const deletedTables = [
      ...upper.map(({ number }) => ({ level, number })),
      ...lower.map(({ number }) => ({ level: level + 1, number })),
    ];
    const compactPointers = [{ level, key: largestOf(upper) }];
    // Asked for, it is rewritten all the same: what was deleted is to go.
    if (!isAsked && isTrivialMove(picked, versions.current, tableBytes)) {
      const newTables = upper.map((table) => ({ level: level + 1, table }));
      await versions.commit({ deletedTables, newTables, compactPointers });
      return;
    }
    const result = await this.#merge(picked);
    const newTables = result.tables.map((table) => ({ level: level + 1, table }));
    await this.#commit({ deletedTables, newTables, compactPointers }, result);
    this.#count('compactions', result);
    obsolete.condemn(deletedTables.map(({ number }) => number));
    await obsolete.removeTables();
  }

  #merge(picked: Compaction): Promise<JobResult> {
    const { compactor, directory, format, versions, tableBytes } = this.#around;
    const { level, upper, lower } = picked;
    const runs = level === 0 ? upper.map((table) => [table]) : [inKeyOrder(versions, level, upper)];
    if (lower.length > 0) runs.push(inKeyOrder(versions, level + 1, lower));
    const numberCount = 16 + 2 * Math.ceil(inputBytes(picked) / tableBytes);
    return compactor.run({
      kind: 'compaction',
      runs,
      below: versions.current.levels.slice(level + 2),
      directory,
      format,
      smallestSnapshot: this.#around.smallestSnapshot(),
      firstNumber: versions.takeFileNumbers(numberCount),
      numberCount,
      tableBytes,
      overlapBytesMax: OVERLAP_FACTOR * tableBytes,
    });
  }

  /** Whether a failure may pass. If not, it ends writing. */
  #mayRetry(error: unknown): boolean {
    const { poison, clock } = this.#around;
    this.#restUntilMs = clock.monotonicMs() + RETRY_MS;
    if (poison.poisoned) return false;
    const isFinal =
      error instanceof JobFailure
        ? meaningOf(error.call, error.cause) === 'poisoned'
        : error instanceof CorruptionError;
    // The rest passes: a full disk, no descriptor left, a read that failed. An append to the
    // manifest that ends writing has set the poison itself.
    if (isFinal) poison.poison(error instanceof JobFailure ? error.cause : error);
    return !isFinal;
  }

  #retryLater(): void {
    this.#around.clock.after(RETRY_MS + 1, () => this.wake());
  }

  #count(what: 'flushes' | 'compactions', result: JobResult): void {
    this.figures[what]++;
    this.figures.bytesRead += result.bytesRead;
    this.figures.bytesWritten += result.bytesWritten;
  }
}

function editOf({ logNumber, lastSequence }: FlushTask, { tables }: JobResult): VersionEdit {
  return { newTables: tables.map((table) => ({ level: 0, table })), logNumber, lastSequence };
}

function largestOf(tables: readonly TableMeta[]): Uint8Array {
  let { largest } = tables[0]!;
  for (const table of tables) {
    if (compareInternalKeys(table.largest, largest) > 0) largest = table.largest;
  }
  return largest;
}

/** What writers are told who wait for a flush that cannot be done for now. */
function refusalOf(directory: string, error: unknown): Error {
  const cause = error instanceof JobFailure ? error.cause : error;
  if (!(cause instanceof Error)) return new Error(String(cause));
  if (errorCode(cause) === undefined) return cause;
  return new FileChangeError('flush', directory, 'old', cause as Error & { code: string });
}

/** Inputs in the order of their level. */
function inKeyOrder(
  versions: VersionSet,
  level: number,
  tables: readonly TableMeta[],
): TableMeta[] {
  const numbers = new Set(tables.map(({ number }) => number));
  return versions.current.levels[level]!.filter(({ number }) => numbers.has(number));
}

function lowestLevel(levels: readonly (readonly TableMeta[])[]): number {
  for (let level = LEVEL_COUNT - 1; level > 0; level--) if (levels[level]!.length > 0) return level;
  return 0;
}
