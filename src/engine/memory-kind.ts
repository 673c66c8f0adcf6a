/** How to open a store in memory: always a new one. */

import { HoldfastError, UsageError } from '../base/errors.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';
import type { EngineKind, EngineOptions } from './engine-kind.ts';
import type { EngineStats, RepairReport, VerifyReport } from './engine-reports.ts';
import type { Engine } from './engine.ts';
import { MemoryEngine } from './memory-engine.ts';

/** The kind `'memory'`. */
export const memoryKind: EngineKind = {
  name: 'memory',

  async open(directory: string, options: EngineOptions = {}): Promise<Engine> {
    toSyncPolicy(options.sync);
    if (options.createIfMissing === false) {
      throw new HoldfastError('HOLDFAST_MISSING', 'a store in memory is always a new one');
    }
    return new MemoryEngine(directory);
  },

  async holds(): Promise<boolean> {
    return false;
  },

  async destroy(): Promise<void> {},

  async repair(directory: string): Promise<RepairReport> {
    throw nothingOnDisk(directory);
  },

  async verify(directory: string): Promise<VerifyReport> {
    throw nothingOnDisk(directory);
  },

  async stats(directory: string): Promise<EngineStats> {
    throw nothingOnDisk(directory);
  },
};

function nothingOnDisk(directory: string): UsageError {
  return new UsageError(`${directory}: a store in memory has no directory`);
}
