/**
 * Stores in memory by the name of their directory: a stand-in for a disk, which lasts as long as
 * this object. How a store works is in `memory-engine.ts`.
 */

import { HoldfastError, UsageError } from '../base/errors.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';
import { existsError, missingError } from './engine-errors.ts';
import type { EngineKind, EngineOptions } from './engine-kind.ts';
import type { EngineStats, RepairReport, VerifyReport } from './engine-reports.ts';
import type { Engine } from './engine.ts';
import { MemoryEngine } from './memory-engine.ts';
import { SortedEntries } from './sorted-entries.ts';

/** What there is of a store. */
interface MemoryStore {
  readonly entries: SortedEntries;
  open: boolean;
}

/** The kind `'memory'`, with stores of its own. */
export class MemoryKind implements EngineKind {
  readonly name: string = 'memory';
  readonly #stores = new Map<string, MemoryStore>();

  async open(directory: string, options: EngineOptions = {}): Promise<Engine> {
    toSyncPolicy(options.sync);
    const found = this.#stores.get(directory);
    if (found === undefined && options.createIfMissing === false) {
      throw missingError(directory);
    }
    if (found !== undefined && options.errorIfExists === true) {
      throw existsError(directory);
    }
    const store = found ?? { entries: new SortedEntries(), open: false };
    refuseOpen(directory, store);
    store.open = true;
    this.#stores.set(directory, store);
    return new MemoryEngine(directory, {
      entries: store.entries,
      created: found === undefined,
      onClose: () => {
        store.open = false;
      },
    });
  }

  async holds(directory: string): Promise<boolean> {
    return this.#stores.has(directory);
  }

  async destroy(directory: string): Promise<void> {
    const store = this.#stores.get(directory);
    if (store !== undefined) refuseOpen(directory, store);
    this.#stores.delete(directory);
  }

  async repair(directory: string): Promise<RepairReport> {
    throw nothingOnDisk(directory);
  }

  async verify(directory: string): Promise<VerifyReport> {
    throw nothingOnDisk(directory);
  }

  async stats(directory: string): Promise<EngineStats> {
    throw nothingOnDisk(directory);
  }
}

function refuseOpen(directory: string, store: MemoryStore): void {
  if (store.open) throw new HoldfastError('HOLDFAST_LOCKED', `${directory}: the store is open`);
}

function nothingOnDisk(directory: string): UsageError {
  return new UsageError(`${directory}: a store in memory has nothing on the disk`);
}
