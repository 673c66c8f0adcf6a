/**
 * What the opener of an LSM store can decide, with limits and defaults. The names are those of
 * `classic-level`, so that its options go on working. Not here: what happens then.
 */

import { inspect } from 'node:util';

import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { batchBounds } from '../durable/append-options.ts';
import type { BatchBounds } from '../durable/append-options.ts';
import { SyncDispatch } from '../durable/sync-dispatch.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { defaultCacheBytes } from '../engine/default-cache.ts';
import type { EngineOptions } from '../engine/engine-kind.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import { gainsByPreallocation } from '../wal/preallocation-choice.ts';
import type { TableCacheBounds } from './table/table-cache.ts';
import type { TableFormatOptions } from './table/table-builder.ts';

/** Options of the LSM engine. Sizes are bytes. */
export interface LsmOptions extends EngineOptions {
  /** Whether blocks of tables are compressed with Snappy. Default true. */
  readonly compression?: boolean | undefined;
  /**
   * Of blocks kept in memory, uncompressed. Default 256 MiB, or a sixteenth of the memory that there
   * is where that is less, but at least 16 MiB.
   */
  readonly cacheSize?: number | undefined;
  /** Of entries in memory before they become a table. Default 4 MiB. */
  readonly writeBufferSize?: number | undefined;
  /** Of a block of a table, before compression. Default 4096. */
  readonly blockSize?: number | undefined;
  /** Entries from one whole key in a block to the next. Default 16. */
  readonly blockRestartInterval?: number | undefined;
  /** Of a table that a compaction makes. Default 2 MiB. */
  readonly maxFileSize?: number | undefined;
  /** Tables that are kept open. Default 1000. */
  readonly maxOpenFiles?: number | undefined;
  /**
   * Of log that is written ahead with zeros, where that makes syncs cheaper. Default: a full log
   * where the file system overwrites in place and the policy is `'sync'`, else none.
   */
  readonly preallocateBytes?: number | undefined;
}

/** The options with everything decided. */
export interface LsmSettings {
  readonly dispatch: SyncDispatch;
  readonly clock: Clock;
  readonly policy: SyncPolicy;
  readonly batch: Partial<BatchBounds>;
  readonly writeBufferBytes: number;
  readonly tableBytes: number;
  readonly format: TableFormatOptions;
  readonly cache: TableCacheBounds;
  readonly preallocateBytes: number;
}

/** Of the memory for blocks, this part more for indexes and filters. */
const INDEX_BYTES_MAX: number = 64 << 20;

/**
 * The settings for any directory; `settingsIn` looks at one.
 * @throws TypeError for an option that cannot be used
 */
export function lsmSettings(options: LsmOptions): LsmSettings {
  const number = (name: keyof LsmOptions, fallback: number, least: number): number => {
    const value = options[name] ?? fallback;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value;
    throw new TypeError(`${name} must be a whole number from ${least}, not ${inspect(value)}`);
  };
  const { compression = true } = options;
  if (typeof compression !== 'boolean') {
    throw new TypeError(`compression must be true or false, not ${inspect(compression)}`);
  }
  batchBounds(options.batch);
  const dispatch = options.dispatch ?? new SyncDispatch(nodeVfs);
  const policy = toSyncPolicy(options.sync);
  return {
    dispatch,
    clock: options.clock ?? systemClock,
    policy,
    batch: options.batch ?? {},
    writeBufferBytes: number('writeBufferSize', 4 << 20, 1024),
    tableBytes: number('maxFileSize', 2 << 20, 1024),
    format: {
      blockBytes: number('blockSize', 4096, 64),
      compression,
      filter: true,
      restartInterval: number('blockRestartInterval', 16, 1),
    },
    cache: {
      tablesMax: number('maxOpenFiles', 1000, 1),
      indexBytesMax: INDEX_BYTES_MAX,
      blockBytesMax: number('cacheSize', defaultCacheBytes(), 0),
    },
    preallocateBytes: number('preallocateBytes', 0, 0),
  };
}

/** With what the file system of the directory has a say in. REQUIRES: the directory is there. */
export function settingsIn(
  directory: string,
  settings: LsmSettings,
  options: LsmOptions,
): LsmSettings {
  const { dispatch, policy, writeBufferBytes } = settings;
  if (options.preallocateBytes !== undefined || policy !== 'sync') return settings;
  if (!gainsByPreallocation(dispatch.vfs, directory)) return settings;
  return { ...settings, preallocateBytes: writeBufferBytes };
}
