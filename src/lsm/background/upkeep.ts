/**
 * What flushes and compactions have in common: the store around them, what their failures mean, and
 * what becomes of the tables that they make. Not here: either of them (`maintenance`,
 * `compactions`).
 */

import type { Clock } from '../../base/clock.ts';
import { CorruptionError } from '../../base/errors.ts';
import type { Poison } from '../../durable/poison.ts';
import { meaningOf } from '../../durable/poison.ts';
import type { SyncDispatch } from '../../durable/sync-dispatch.ts';
import type { VersionEdit } from '../manifest/version-edit.ts';
import type { VersionSet } from '../manifest/version-set.ts';
import type { ObsoleteFiles } from '../obsolete-files.ts';
import type { TableFormatOptions } from '../table/table-builder.ts';
import { JobFailure } from './job-failure.ts';
import type { JobRunner } from './job-runner.ts';
import type { JobResult } from './job.ts';

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
export const RETRY_MS = 500;
/** Figures since the store was opened. */
export interface MaintenanceFigures {
  flushes: number;
  compactions: number;
  bytesRead: number;
  bytesWritten: number;
}

/** One for all background work of a store. */
export class Upkeep {
  readonly around: MaintenanceSurroundings;
  readonly figures: MaintenanceFigures = {
    flushes: 0,
    compactions: 0,
    bytesRead: 0,
    bytesWritten: 0,
  };
  /** From now on what fails is given up, and nothing begins. */
  isClosing = false;
  /** What could not be done is not tried again at once. */
  restUntilMs = 0;
  /** Damage that a compaction has met. */
  #damage: CorruptionError | null = null;

  constructor(around: MaintenanceSurroundings) {
    this.around = around;
  }

  /**
   * Throws when the store takes no more writes: no write has failed, but with a table that cannot be
   * merged, tables would pile up without end.
   * @throws HOLDFAST_CORRUPTION with the file and the place; HOLDFAST_POISONED
   */
  check(): void {
    this.around.poison.check();
    if (this.#damage !== null) throw this.ended();
  }

  /** Whether a failure may pass. If not, it ends writing. */
  mayRetry(error: unknown): boolean {
    const { poison, clock } = this.around;
    this.restUntilMs = clock.monotonicMs() + RETRY_MS;
    if (poison.poisoned) return false;
    // What was read is damaged: nothing that was written is in doubt.
    if (error instanceof CorruptionError) {
      this.#damage = error;
      return false;
    }
    if (error instanceof JobFailure && meaningOf(error.call, error.cause) === 'poisoned') {
      poison.poison(error.cause);
      return false;
    }
    // The rest passes: a full disk, no descriptor left, a read that failed. An append to the
    // manifest that ends writing has set the poison itself.
    return true;
  }

  get hasEnded(): boolean {
    return this.#damage !== null || this.around.poison.poisoned;
  }

  /** Why writing has ended. REQUIRES: it has. */
  ended(): Error {
    const damage = this.#damage;
    if (damage === null) return this.around.poison.error('old');
    return new CorruptionError(damage, { cause: damage });
  }

  /** Names what a job made. */
  async commit(edit: VersionEdit, result: JobResult): Promise<void> {
    try {
      await this.around.versions.commit(edit);
    } catch (error) {
      this.dropUnnamed(result);
      throw error;
    }
  }

  /** Removes what no version has, and none will: tables without a name must not fill a full disk. */
  dropUnnamed({ tables }: JobResult): void {
    const { obsolete, poison } = this.around;
    if (poison.poisoned) return;
    obsolete.condemn(tables.map(({ number }) => number));
    void obsolete.removeTables();
  }

  count(what: 'flushes' | 'compactions', result: JobResult): void {
    this.figures[what]++;
    this.figures.bytesRead += result.bytesRead;
    this.figures.bytesWritten += result.bytesWritten;
  }
}
