/** What the opener of a Bitcask store can decide, with limits and defaults. */

import { inspect } from 'node:util';

import { systemClock, timeOfDayMs } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { BatchBounds } from '../durable/append-options.ts';
import { DEFAULT_BATCH_BOUNDS } from '../durable/append-options.ts';
import { SyncDispatch } from '../durable/sync-dispatch.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { defaultCacheBytes } from '../engine/default-cache.ts';
import type { EngineOptions } from '../engine/engine-kind.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';

const FILE_BYTES_DEFAULT = 64 << 20;
const FILE_BYTES_MIN = 4096;
/** As many take about ten milliseconds to open through hints. */
const INDEX_ENTRIES_MIN = 16_384;
const FILE_BYTES_MAX: number = 2 ** 31;

/**
 * When files are merged in the background, in the words of the original Bitcask. A merge begins
 * when one file reaches a trigger, and takes all files that reach a threshold.
 */
export interface MergeOptions {
  /** Part of a file's entries that are dead, in percent. Default 60. */
  readonly fragmentationTrigger?: number;
  /** Dead bytes of a file. Default: a quarter of `maxFileSize`. */
  readonly deadBytesTrigger?: number;
  /** Default 40. */
  readonly fragmentationThreshold?: number;
  /** Default: a sixteenth of `maxFileSize`. */
  readonly deadBytesThreshold?: number;
  /** Files below this size are taken too, and begin a merge when there are eight. */
  readonly smallFileBytes?: number;
}

/** The options of the engine `'bitcask'`. */
export interface BitcaskOptions extends EngineOptions {
  /** A log about so long is followed by a new one. Default 64 MiB. */
  readonly maxFileSize?: number | undefined;
  /**
   * Bytes of data files kept in memory. Default 256 MiB, or a sixteenth of the memory that there is
   * where that is less, but at least 16 MiB.
   */
  readonly cacheSize?: number | undefined;
  /** `false`: merge only by `compact`. */
  readonly merge?: MergeOptions | false | undefined;
  /** Zeros written ahead of synced entries: see `AppendFileOptions`. Default: a log's length. */
  readonly preallocateBytes?: number | undefined;
  /** Time of day for what expires, in milliseconds since the epoch. Default: the machine's. */
  readonly timeOfDay?: (() => number) | undefined;
}

/** What tests decide beside them. */
export interface BitcaskTestOptions extends BitcaskOptions {
  /** So many entries that the index file lacks are worth a new one. */
  readonly indexEntriesMin?: number;
}

/** The options with everything decided. */
export interface BitcaskSettings {
  readonly dispatch: SyncDispatch;
  readonly clock: Clock;
  readonly createIfMissing: boolean;
  readonly errorIfExists: boolean;
  readonly policy: SyncPolicy;
  readonly bounds: BatchBounds;
  readonly fileBytes: number;
  readonly cacheBytes: number;
  readonly preallocateBytes: number;
  readonly merge: Required<MergeOptions> | null;
  readonly timeOfDay: () => number;
  /** An index file is written when it has so many entries more than the one before. */
  readonly indexEntriesMin: number;
}

/** @throws TypeError for an option that cannot be used */
export function bitcaskSettings(options: BitcaskTestOptions): BitcaskSettings {
  const fileBytes = options.maxFileSize ?? FILE_BYTES_DEFAULT;
  checkBytes('maxFileSize', fileBytes, FILE_BYTES_MIN, FILE_BYTES_MAX);
  const cacheBytes = options.cacheSize ?? defaultCacheBytes();
  checkBytes('cacheSize', cacheBytes, 0, Number.MAX_SAFE_INTEGER);
  const preallocateBytes = options.preallocateBytes ?? fileBytes;
  checkBytes('preallocateBytes', preallocateBytes, 0, FILE_BYTES_MAX);
  checkObject('batch', options.batch);
  const bounds = { ...DEFAULT_BATCH_BOUNDS, ...options.batch };
  for (const [name, value] of Object.entries<unknown>(bounds)) {
    if (typeof value === 'number' && value > 0) continue;
    throw new TypeError(`batch.${name} must be a positive number, not ${inspect(value)}`);
  }
  const { timeOfDay } = options;
  if (timeOfDay !== undefined && typeof timeOfDay !== 'function') {
    throw new TypeError(`timeOfDay must be a function, not ${inspect(timeOfDay)}`);
  }
  return {
    dispatch: options.dispatch ?? new SyncDispatch(nodeVfs),
    clock: options.clock ?? systemClock,
    createIfMissing: options.createIfMissing ?? true,
    errorIfExists: options.errorIfExists ?? false,
    policy: toSyncPolicy(options.sync),
    bounds,
    fileBytes,
    cacheBytes,
    preallocateBytes,
    merge: mergeSettings(options.merge, fileBytes),
    timeOfDay: timeOfDay ?? timeOfDayMs,
    indexEntriesMin: options.indexEntriesMin ?? INDEX_ENTRIES_MIN,
  };
}

function mergeSettings(
  merge: MergeOptions | false | undefined,
  fileBytes: number,
): Required<MergeOptions> | null {
  if (merge === false) return null;
  checkObject('merge', merge, ' or false');
  const settings = {
    fragmentationTrigger: merge?.fragmentationTrigger ?? 60,
    deadBytesTrigger: merge?.deadBytesTrigger ?? fileBytes / 4,
    fragmentationThreshold: merge?.fragmentationThreshold ?? 40,
    deadBytesThreshold: merge?.deadBytesThreshold ?? fileBytes / 16,
    smallFileBytes: merge?.smallFileBytes ?? fileBytes / 16,
  };
  for (const name of Object.keys(merge ?? {})) {
    if (Object.hasOwn(settings, name)) continue;
    const known = Object.keys(settings).join(', ');
    throw new TypeError(`merge has no option '${name}': it has ${known}`);
  }
  for (const [name, value] of Object.entries<unknown>(settings)) {
    const isPart = name.startsWith('fragmentation');
    if (typeof value === 'number' && value >= 0 && (!isPart || value <= 100)) continue;
    const range = isPart ? 'a number of percent from 0 to 100' : 'a number from 0';
    throw new TypeError(`merge.${name} must be ${range}, not ${inspect(value)}`);
  }
  return settings;
}

function checkObject(name: string, value: unknown, others: string = ''): void {
  if (value === undefined || (typeof value === 'object' && value !== null)) return;
  throw new TypeError(`${name} must be an object${others}, not ${inspect(value)}`);
}

function checkBytes(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new TypeError(
    `${name} must be a number of bytes from ${least} to ${most}, not ${inspect(value)}`,
  );
}
