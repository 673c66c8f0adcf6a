/**
 * Merges tables into lower levels, one compaction at a time: by themselves where a level is over its
 * size, over a range that somebody asks for, and on the calling thread for writers that never let
 * anything else run. Not here: which tables (`compaction-picker`) and the merge (`run-job`).
 */

import { runNow } from '../../durable/two-forms.ts';
import type { Compaction } from '../compaction/compaction-picker.ts';
import {
  inputBytes,
  isTrivialMove,
  OVERLAP_FACTOR,
  pickCompaction,
  pickRange,
  pickUrgent,
  YOUNG_TABLES_MAX,
} from '../compaction/compaction-picker.ts';
import { compareInternalKeys } from '../internal-key.ts';
import { LEVEL_COUNT } from '../manifest/version-edit.ts';
import type { TableMeta, VersionEdit } from '../manifest/version-edit.ts';
import { rangeOf } from '../manifest/version.ts';
import type { UserKeyRange } from '../manifest/version.ts';
import type { VersionSet } from '../manifest/version-set.ts';
import type { CompactionJob } from './job.ts';
import { runJob } from './run-job.ts';
import { RETRY_MS } from './upkeep.ts';
import type { Upkeep } from './upkeep.ts';

/**
 * With so many tables in level 0, writers are slowed down, and nearly stopped: RocksDB's numbers,
 * with which a burst of writes is over before it is slowed down.
 * @see https://github.com/facebook/rocksdb/wiki/Write-Stalls
 */
const YOUNG_SLOW = 5 * YOUNG_TABLES_MAX;
const YOUNG_STOP = 9 * YOUNG_TABLES_MAX;

/** A compaction that is under way in the background. */
interface CompactionTask {
  /** Its tables are made, and the edit that names them is on its way. */
  isNamed: boolean;
  /** Somebody did not wait for it: what it makes is of no use. */
  isOverrun: boolean;
}

export class Compactions {
  readonly #upkeep: Upkeep;
  #compacting: Promise<unknown> | null = null;
  #underWay: CompactionTask | null = null;
  /** Ranges that somebody asked to compact come before what the sizes want. */
  #asked: Promise<void> = Promise.resolve();

  constructor(upkeep: Upkeep) {
    this.#upkeep = upkeep;
  }

  /** How far compactions are behind, from 0 to 1. */
  pressure(): number {
    const young = this.#upkeep.around.versions.current.levels[0]!.length;
    return Math.min(1, Math.max(0, (young - YOUNG_SLOW) / (YOUNG_STOP - YOUNG_SLOW)));
  }

  /** Looks whether a compaction is due. */
  wake(): void {
    if (this.#compacting !== null || this.#upkeep.isClosing || this.#upkeep.hasEnded) return;
    if (this.#upkeep.around.clock.monotonicMs() < this.#upkeep.restUntilMs) return;
    const picked = this.#pick();
    if (picked === null) return;
    this.#compacting = this.#compact(picked)
      .catch((error: unknown) => {
        if (this.#upkeep.mayRetry(error)) this.#retryLater();
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

  /** Waits for what is under way; nothing begins any more. */
  async close(): Promise<void> {
    await this.#asked.catch(() => 'its caller heard of it');
    while (this.#compacting !== null) await this.#compacting;
  }

  #pick(): Compaction | null {
    const { versions, tableBytes } = this.#upkeep.around;
    return pickCompaction(versions.current, (level) => versions.compactPointer(level), tableBytes);
  }

  async #compactRange(range: UserKeyRange, onStep: (bytes: number) => void): Promise<void> {
    const { versions, tableBytes } = this.#upkeep.around;
    await this.settle();
    const bottom = lowestLevel(versions.current.levels);
    for (let level = 0; level < Math.max(1, bottom); level++) {
      let from: UserKeyRange = range;
      for (;;) {
        this.#upkeep.check();
        if (this.#upkeep.isClosing) return;
        while (this.#compacting !== null) await this.#compacting;
        const picked = pickRange(versions.current, level, from, tableBytes);
        if (picked === null) break;
        const last = rangeOf(picked.upper).last;
        if (!(await this.#compactAsked(picked))) continue;
        onStep(inputBytes(picked));
        if (level === 0) break;
        from = { first: last, last: range.last };
      }
    }
    this.wake();
  }

  /** One compaction that somebody waits for, and is told of its failure. False: as `compact`. */
  async #compactAsked(picked: Compaction): Promise<boolean> {
    const compacting = this.#compact(picked, true);
    this.#compacting = compacting.catch(() => 'told below');
    try {
      return await compacting;
    } catch (error) {
      if (!this.#upkeep.mayRetry(error)) throw this.#upkeep.ended();
      throw error;
    } finally {
      this.#compacting = null;
    }
  }

  /** False when a synchronous writer did not wait for it. */
  async #compact(picked: Compaction, isAsked: boolean = false): Promise<boolean> {
    const { versions, obsolete, tableBytes, compactor } = this.#upkeep.around;
    const task: CompactionTask = { isNamed: false, isOverrun: false };
    this.#underWay = task;
    try {
      // Asked for, it is rewritten all the same: what was deleted is to go.
      if (!isAsked && isTrivialMove(picked, versions.current, tableBytes)) {
        task.isNamed = true;
        await versions.commit(editOfCompaction(picked, picked.upper));
        return true;
      }
      const result = await compactor.run(this.#compactionJob(picked));
      if (task.isOverrun) {
        this.#upkeep.dropUnnamed(result);
        return false;
      }
      task.isNamed = true;
      await this.#upkeep.commit(editOfCompaction(picked, result.tables), result);
      this.#upkeep.count('compactions', result);
      obsolete.condemn(inputNumbers(picked));
      await obsolete.removeTables();
      return true;
    } catch (error) {
      // Its inputs may have gone, with who overran it.
      if (task.isOverrun) return false;
      throw error;
    } finally {
      this.#underWay = null;
    }
  }

  #compactionJob(picked: Compaction): CompactionJob {
    const { directory, format, versions, tableBytes } = this.#upkeep.around;
    const { level, upper, lower } = picked;
    const runs = level === 0 ? upper.map((table) => [table]) : [inKeyOrder(versions, level, upper)];
    if (lower.length > 0) runs.push(inKeyOrder(versions, level + 1, lower));
    const numberCount = 16 + 2 * Math.ceil(inputBytes(picked) / tableBytes);
    return {
      kind: 'compaction',
      runs,
      below: versions.current.levels.slice(level + 2),
      directory,
      format,
      smallestSnapshot: this.#upkeep.around.smallestSnapshot(),
      firstNumber: versions.takeFileNumbers(numberCount),
      numberCount,
      tableBytes,
      overlapBytesMax: OVERLAP_FACTOR * tableBytes,
    };
  }

  /**
   * Compactions that can wait no longer, on the calling thread: it has let nothing in for so long
   * that the background could not tell what it has done. Each is a small one. What cannot be done
   * now is done later.
   */
  catchUpSync(): void {
    const { versions, tableBytes, clock } = this.#upkeep.around;
    try {
      for (;;) {
        if (this.#upkeep.hasEnded || clock.monotonicMs() < this.#upkeep.restUntilMs) return;
        const isBehind = versions.current.levels[0]!.length >= YOUNG_STOP;
        if (!isBehind && this.#underWay?.isOverrun !== true) return;
        this.#overrun();
        const pointer = (level: number): Uint8Array | null => versions.compactPointer(level);
        const picked = pickUrgent(versions.current, pointer, tableBytes, YOUNG_STOP);
        if (picked === null) return;
        this.#compactSync(picked);
      }
    } catch (error) {
      // The next writer hears of it, where it does not pass.
      this.#upkeep.mayRetry(error);
    }
  }

  /** The compaction under way counts now, where it is that far; else it is done in vain. */
  #overrun(): void {
    const task = this.#underWay;
    if (task === null) return;
    if (task.isNamed) this.#upkeep.around.versions.settleSync();
    else task.isOverrun = true;
  }

  #compactSync(picked: Compaction): void {
    const { versions, obsolete, dispatch, tableBytes } = this.#upkeep.around;
    if (isTrivialMove(picked, versions.current, tableBytes)) {
      versions.commitSync(editOfCompaction(picked, picked.upper));
      return;
    }
    const result = runNow(runJob(this.#compactionJob(picked), dispatch));
    try {
      versions.commitSync(editOfCompaction(picked, result.tables));
    } catch (error) {
      this.#upkeep.dropUnnamed(result);
      throw error;
    }
    this.#upkeep.count('compactions', result);
    obsolete.condemn(inputNumbers(picked));
    obsolete.removeTablesSync();
  }

  #retryLater(): void {
    this.#upkeep.around.clock.after(RETRY_MS + 1, () => this.wake());
  }
}

function editOfCompaction(picked: Compaction, tables: readonly TableMeta[]): VersionEdit {
  const { level, upper, lower } = picked;
  return {
    deletedTables: [
      ...upper.map(({ number }) => ({ level, number })),
      ...lower.map(({ number }) => ({ level: level + 1, number })),
    ],
    newTables: tables.map((table) => ({ level: level + 1, table })),
    compactPointers: [{ level, key: largestOf(upper) }],
  };
}

function inputNumbers({ upper, lower }: Compaction): number[] {
  return [...upper, ...lower].map(({ number }) => number);
}

function largestOf(tables: readonly TableMeta[]): Uint8Array {
  let { largest } = tables[0]!;
  for (const table of tables) {
    if (compareInternalKeys(table.largest, largest) > 0) largest = table.largest;
  }
  return largest;
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
