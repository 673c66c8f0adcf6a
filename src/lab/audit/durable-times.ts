/**
 * When each operation of a trace became durable under one model: the return of the first sync that covers its bytes,
 * and of the first that covers its name. Taken from the same floors that the explorer uses; nothing is explored.
 */

import type { CrashModel } from '../model/crash-model.ts';
import { splitTrace } from '../model/split-trace.ts';
import { applyFloors } from '../model/sync-floor.ts';
import type { Trace } from '../record/operation.ts';

/** What one sync put out of danger. */
export interface SyncEffect {
  /** Bytes of files, in place. */
  bytes: number;
  /** Sizes, names, attributes. */
  metadata: number;
}

export class DurableTimes {
  readonly model: CrashModel;
  readonly #data = new Map<number, number>();
  readonly #names = new Map<number, number>();
  readonly #effects = new Map<number, SyncEffect>();

  constructor(trace: Trace, model: CrashModel) {
    this.model = model;
    const history = splitTrace(trace, model);
    applyFloors(history);
    for (const change of history.changes) {
      const { operation, floorEnd } = change;
      const isName = change.entries.length > 0;
      later(isName ? this.#names : this.#data, operation, floorEnd);
      this.#count(floorEnd, change.block !== null && change.size === null ? 'bytes' : 'metadata');
    }
    for (const { blocks } of history.files.values()) {
      for (const { events } of blocks.values()) {
        for (const { operation, floorEnd } of events) {
          later(this.#data, operation, floorEnd);
          this.#count(floorEnd, 'bytes');
        }
      }
    }
  }

  /** When all bytes and the size that an operation brought were durable; Infinity: never; -Infinity: it brought none. */
  dataDurable(operation: number): number {
    return this.#data.get(operation) ?? -Infinity;
  }

  /** As `dataDurable`, for the names that an operation changed. */
  nameDurable(operation: number): number {
    return this.#names.get(operation) ?? -Infinity;
  }

  /** What the sync that returned at this time covered first. */
  effectOf(end: number): SyncEffect {
    return this.#effects.get(end) ?? { bytes: 0, metadata: 0 };
  }

  #count(end: number, what: keyof SyncEffect): void {
    const effect = this.#effects.get(end) ?? { bytes: 0, metadata: 0 };
    effect[what] += 1;
    this.#effects.set(end, effect);
  }
}

function later(times: Map<number, number>, operation: number, time: number): void {
  times.set(operation, Math.max(times.get(operation) ?? -Infinity, time));
}

/**
 * Whether a name may be on the disk before bytes that were written earlier: not where data travels in order, nor where
 * a new file's size waits for its blocks.
 */
export function namesOvertakeData({ data, appendSize, dataBeforeSize }: CrashModel): boolean {
  if (data === 'stream') return false;
  const waits = appendSize === 'stream' && dataBeforeSize !== 'none' && dataBeforeSize !== 'last';
  return !waits;
}
