/**
 * What a sync costs in a directory, by each method, for a bounded time: the methods of `pg_test_fsync` and those that
 * Holdfast uses. Methods take turns, round by round, so that a slow second is shared by all of them. Writes only
 * inside a directory of its own, which is removed on every way out; between rounds the event loop runs, so that an
 * interrupt is noticed.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock, type Clock } from '../../base/clock.ts';
import {
  openSyncMethods,
  refusalCode,
  type SyncMethod,
  type SyncMethodId,
} from './sync-methods.ts';

/** One method's figures. */
export interface MethodFigures {
  readonly id: SyncMethodId;
  /** In plain words. */
  readonly label: string;
  readonly count: number;
  /** Microseconds; null where the method does not work here. */
  readonly medianUs: number | null;
  /** One in ten took longer, in microseconds. */
  readonly slowUs: number | null;
  /** The error code of a method that does not work here. */
  readonly refused: string | null;
}

/** All figures of one run. */
export interface Measurement {
  /** Bytes of each write. */
  readonly writeBytes: number;
  readonly elapsedMs: number;
  readonly rounds: number;
  readonly methods: readonly MethodFigures[];
}

/** How to measure. */
export interface MeasureOptions {
  readonly budgetMs?: number;
  readonly clock?: Clock;
  /** Ends the run before the next round: it rejects with the signal's reason, its files removed. */
  readonly signal?: AbortSignal;
  /** Called between rounds with the share of the time that is used up, 0 to 1. */
  readonly onProgress?: (share: number) => void;
}

const BUDGET_MS = 3000;
const ROUNDS_MAX = 1000;

/**
 * Measures in `directory`. A full or read-only disk, and a sync that fails, reject with the operating system's
 * error; a method that the file system refuses is only marked so.
 */
export async function measureSyncs(
  directory: string,
  options: MeasureOptions = {},
): Promise<Measurement> {
  const { budgetMs = BUDGET_MS, clock = systemClock, signal, onProgress } = options;
  const scratch = mkdtempSync(join(directory, '.holdfast-doctor-'));
  const startMs = clock.monotonicMs();
  try {
    const methods = openSyncMethods(scratch);
    try {
      const samples = methods.map((): number[] => []);
      let rounds = 0;
      let elapsedMs = 0;
      while (rounds < ROUNDS_MAX && (elapsedMs < budgetMs || rounds === 0)) {
        signal?.throwIfAborted();
        for (const [index, method] of methods.entries()) {
          const us = await timeOnce(method, clock, rounds);
          if (us !== null) samples[index]?.push(us);
        }
        rounds += 1;
        elapsedMs = clock.monotonicMs() - startMs;
        onProgress?.(Math.min(1, Math.max(elapsedMs / budgetMs, rounds / ROUNDS_MAX)));
        await clock.sleep(0);
      }
      const figures = methods.map((method, index) => figuresOf(method, samples[index] ?? []));
      return { writeBytes: methods[0]?.writeBytes ?? 0, elapsedMs, rounds, methods: figures };
    } finally {
      for (const method of methods) method.close();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** One run in microseconds; null, and the method is marked, where the file system has no such call. */
async function timeOnce(method: SyncMethod, clock: Clock, round: number): Promise<number | null> {
  if (method.refused !== null) return null;
  const startMs = clock.monotonicMs();
  try {
    await method.run(round);
  } catch (error) {
    // Only what says "not here" is an answer; a disk that is full or broken ends the measurement.
    const code = refusalCode(error);
    if (code === null) throw error;
    method.refused = code;
    return null;
  }
  return (clock.monotonicMs() - startMs) * 1000;
}

function figuresOf(method: SyncMethod, samples: readonly number[]): MethodFigures {
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    id: method.id,
    label: method.label,
    count: sorted.length,
    medianUs: atShare(sorted, 0.5),
    slowUs: atShare(sorted, 0.9),
    refused: method.refused,
  };
}

function atShare(sorted: readonly number[], share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}
