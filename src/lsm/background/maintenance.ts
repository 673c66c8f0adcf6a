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
import { FileChangeError } from '../../base/errors.ts';
import { SerialQueue } from '../../base/serial-queue.ts';
import { runNow } from '../../durable/two-forms.ts';
import { errorCode } from '../../vfs/errno.ts';
import type { FlushTask } from '../flush-task.ts';
import type { VersionEdit } from '../manifest/version-edit.ts';
import type { UserKeyRange } from '../manifest/version.ts';
import { Compactions } from './compactions.ts';
import { JobFailure } from './job-failure.ts';
import type { FlushJob, JobResult } from './job.ts';
import { runJob } from './run-job.ts';
import { RETRY_MS, Upkeep } from './upkeep.ts';
import type { MaintenanceFigures, MaintenanceSurroundings } from './upkeep.ts';

export class Maintenance {
  readonly #around: MaintenanceSurroundings;
  readonly #upkeep: Upkeep;
  readonly #compactions: Compactions;
  /** Logs that are still there, oldest first. */
  #logs: number[] = [];
  readonly #flushes = new SerialQueue();

  constructor(around: MaintenanceSurroundings) {
    this.#around = around;
    this.#upkeep = new Upkeep(around);
    this.#compactions = new Compactions(this.#upkeep);
  }

  get figures(): MaintenanceFigures {
    return this.#upkeep.figures;
  }

  /** See `Upkeep.check`. */
  check(): void {
    this.#upkeep.check();
  }

  /** See `Compactions.pressure`. */
  pressure(): number {
    return this.#compactions.pressure();
  }

  /** See `Compactions.wake`. */
  wake(): void {
    this.#compactions.wake();
  }

  /** See `Compactions.compactRange`. */
  compactRange(range: UserKeyRange, onStep: (bytes: number) => void): Promise<void> {
    return this.#compactions.compactRange(range, onStep);
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
          this.#upkeep.dropUnnamed(result);
          throw error;
        }
        this.#upkeep.count('flushes', result);
      }
    } catch (error) {
      if (!this.#upkeep.mayRetry(error)) throw poison.error('old');
      throw refusalOf(directory, error);
    }
    task.finish();
    obsolete.removeLogsSync(this.#takeOldLogs(task));
    this.wake();
    this.#compactions.catchUpSync();
  }

  async #flush(task: FlushTask): Promise<void> {
    const { directory, obsolete, clock, poison } = this.#around;
    while (!task.isDone) {
      try {
        await this.#flushOnce(task);
      } catch (error) {
        if (!this.#upkeep.mayRetry(error)) throw poison.error('old');
        if (task.isDone) break;
        if (this.#upkeep.isClosing) throw error;
        task.refuse(refusalOf(directory, error));
        await clock.sleep(RETRY_MS);
        if (this.#upkeep.isClosing) throw error;
        poison.check();
      }
    }
    await obsolete.removeLogs(this.#takeOldLogs(task));
    this.wake();
  }

  async #flushOnce(task: FlushTask): Promise<void> {
    const result = await this.#around.flusher.run(this.#flushJob(task));
    if (task.isDone) return this.#upkeep.dropUnnamed(result);
    task.stage = 'edit';
    await this.#upkeep.commit(editOf(task, result), result);
    task.finish();
    this.#upkeep.count('flushes', result);
  }

  #takeOldLogs({ logNumber }: FlushTask): number[] {
    const old = this.#logs.filter((number) => number < logNumber);
    this.#logs = this.#logs.filter((number) => number >= logNumber);
    return old;
  }

  /** From now on what fails is given up, and no compaction begins. */
  beginClosing(): void {
    this.#upkeep.isClosing = true;
  }

  /** Begins nothing more, and waits for what is under way. */
  async close(): Promise<void> {
    this.#upkeep.isClosing = true;
    await this.#compactions.close();
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
}

function editOf({ logNumber, lastSequence }: FlushTask, { tables }: JobResult): VersionEdit {
  return { newTables: tables.map((table) => ({ level: 0, table })), logNumber, lastSequence };
}

/** What writers are told who wait for a flush that cannot be done for now. */
function refusalOf(directory: string, error: unknown): Error {
  const cause = error instanceof JobFailure ? error.cause : error;
  if (!(cause instanceof Error)) return new Error(String(cause));
  if (errorCode(cause) === undefined) return cause;
  return new FileChangeError('flush', directory, 'old', cause as Error & { code: string });
}
