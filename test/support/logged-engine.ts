/**
 * The smallest durable engine: the memory engine, and every batch in a write-ahead log that is replayed at opening.
 * For tests of the stories that other engines are judged by. No backup, no compaction.
 */

import type { EngineKind } from '../../src/engine/engine-kind.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { clearRange } from '../../src/engine/clear-range.ts';
import { MemoryKind } from '../../src/engine/memory-kind.ts';
import { WriteBatch } from '../../src/engine/write-batch.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { WriteAheadLog } from '../../src/wal/write-ahead-log.ts';

/** `weaken`: what to make of a policy, for tests that must fail. */
export function loggedKind(
  weaken: (policy: SyncPolicy) => SyncPolicy = (same) => same,
): EngineKind {
  const memory = new MemoryKind();
  return {
    name: 'logged',
    holds: (directory) => memory.holds(directory),
    destroy: (directory) => memory.destroy(directory),
    repair: (directory) => memory.repair(directory),
    verify: (directory) => memory.verify(directory),
    stats: (directory) => memory.stats(directory),
    open: async (directory, options = {}) => {
      const { dispatch, clock, sync } = options;
      const log = await WriteAheadLog.open(directory, {
        segmentBytes: 32 << 10,
        preallocate: false,
        ...(dispatch && { dispatch }),
        ...(clock && { clock }),
        ...(sync !== undefined && { sync }),
      });
      const engine = await new MemoryKind().open(directory);
      for (const entry of log.replaySync()) {
        if (entry.kind === 'bytes') engine.writeSync(WriteBatch.decode(entry.bytes));
      }
      return loggedEngine(engine, log, weaken);
    },
  };
}

function loggedEngine(
  engine: Engine,
  log: WriteAheadLog,
  weaken: (policy: SyncPolicy) => SyncPolicy,
): Engine {
  const how = (policy: SyncPolicy = 'sync'): SyncPolicy => weaken(policy);
  const logged: Engine = {
    name: 'logged',
    directory: engine.directory,
    recovery: engine.recovery,
    get: (key, options) => engine.get(key, options),
    getSync: (key, options) => engine.getSync(key, options),
    getMany: (keys, options) => engine.getMany(keys, options),
    has: (key, options) => engine.has(key, options),
    hasSync: (key, options) => engine.hasSync(key, options),
    write: async (batch, policy) => {
      await log.append(batch.encoded(), how(policy));
      engine.writeSync(batch);
    },
    writeSync: (batch, policy) => {
      log.appendSync(batch.encoded(), how(policy));
      engine.writeSync(batch);
    },
    iterator: (options) => engine.iterator(options),
    snapshot: () => engine.snapshot(),
    clear: (options = {}, policy) => clearRange(logged, options, policy),
    approximateSize: (range) => engine.approximateSize(range),
    compact: () => engine.compact(),
    verify: () => engine.verify(),
    stats: () => engine.stats(),
    backup: (directory) => engine.backup(directory),
    close: async () => {
      await log.close();
      await engine.close();
    },
  };
  return logged;
}
