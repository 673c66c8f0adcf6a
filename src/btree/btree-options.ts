/** What the opener of a B+tree can decide, with limits and defaults. */

import { inspect } from 'node:util';

import type { Clock } from '../base/clock.ts';
import { systemClock } from '../base/clock.ts';
import { MIB } from '../base/units.ts';
import { DEFAULT_BATCH_BOUNDS } from '../durable/append-options.ts';
import { SyncDispatch } from '../durable/sync-dispatch.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import type { EngineOptions } from '../engine/engine-kind.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import type { CheckpointBounds } from './checkpointer.ts';
import { isPageSize } from './meta-page.ts';
import { PAGE_BYTES_DEFAULT, PAGE_BYTES_MAX, PAGE_BYTES_MIN } from './page-format.ts';

/** Bytes of pages in memory, unless the opener says otherwise. */
export const CACHE_BYTES: number = 160 * MIB;
/** The least: a store is slow with it, and works. */
export const CACHE_BYTES_MIN: number = 1 * MIB;
/** Checkpoints where the opener names no bounds. */
export const CHECKPOINT_BOUNDS: CheckpointBounds = { logBytes: 128 * MIB, ms: 30_000 };
/** Of the cache, how much old page versions may take before they go to a file. */
const VERSIONS_SHARE = 1 / 4;

/** Values from here on do not go through the log. */
const AHEAD_BYTES: number = 16 * MIB;

/** What a B+tree takes at `open`. */
export interface BtreeOptions extends EngineOptions {
  /** Bytes of a page of a store that is made: a power of two from 4,096 (the default) to 65,536. */
  readonly pageBytes?: number | undefined;
  /** Bytes of pages kept in memory, from 1 MiB. Default 160 MiB. */
  readonly cacheSize?: number | undefined;
  /** When a checkpoint begins. Default: after 128 MiB of log, or 30 s after a change. */
  readonly checkpoint?: Partial<CheckpointBounds> | undefined;
  /**
   * Values of at least so many bytes are written to the pages ahead of their commit, so that the log
   * has none of their bytes. Default 16 MiB.
   */
  readonly aheadBytes?: number | undefined;
}

/** The options with everything decided. */
export interface BtreeSettings {
  readonly options: BtreeOptions;
  readonly policy: SyncPolicy;
  readonly pageBytes: number;
  readonly cacheBytes: number;
  readonly versionsBytesMax: number;
  readonly checkpoint: CheckpointBounds;
  readonly aheadBytes: number;
  readonly dispatch: SyncDispatch;
  readonly clock: Clock;
}

/** @throws TypeError for a value that is none of those allowed. */
export function btreeSettings(options: BtreeOptions): BtreeSettings {
  const pageBytes = options.pageBytes ?? PAGE_BYTES_DEFAULT;
  // Text with a number in it would pass the comparison, and be no number later.
  if (typeof pageBytes !== 'number' || !isPageSize(pageBytes)) {
    const range = `a power of two from ${PAGE_BYTES_MIN} to ${PAGE_BYTES_MAX}`;
    throw new TypeError(`pageBytes must be ${range}, not ${inspect(pageBytes)}`);
  }
  const cacheBytes = options.cacheSize ?? CACHE_BYTES;
  if (!Number.isSafeInteger(cacheBytes) || cacheBytes < 0) {
    throw new TypeError(`cacheSize must be a number of bytes, not ${inspect(cacheBytes)}`);
  }
  const enough = Math.max(cacheBytes, CACHE_BYTES_MIN);
  const aheadBytes = options.aheadBytes ?? AHEAD_BYTES;
  if (!Number.isSafeInteger(aheadBytes) || aheadBytes < 1) {
    throw new TypeError(`aheadBytes must be a number of bytes from 1, not ${inspect(aheadBytes)}`);
  }
  checkBounds('checkpoint', options.checkpoint, CHECKPOINT_BOUNDS);
  checkBounds('batch', options.batch, DEFAULT_BATCH_BOUNDS);
  const checkpoint = { ...CHECKPOINT_BOUNDS, ...options.checkpoint };
  return {
    options,
    policy: toSyncPolicy(options.sync),
    pageBytes,
    cacheBytes: enough,
    versionsBytesMax: enough * VERSIONS_SHARE,
    checkpoint,
    aheadBytes,
    dispatch: options.dispatch ?? new SyncDispatch(nodeVfs),
    clock: options.clock ?? systemClock,
  };
}

/** Before anything is made: what is given must be known names with positive numbers. */
function checkBounds(name: string, given: unknown, known: object): void {
  if (given === undefined) return;
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`${name} must be an object, not ${given === null ? 'null' : typeof given}`);
  }
  for (const [part, value] of Object.entries(given)) {
    if (!Object.hasOwn(known, part)) {
      const names = Object.keys(known).join(', ');
      throw new TypeError(`${name} has no option '${part}': it has ${names}`);
    }
    if (typeof value === 'number' && value > 0) continue;
    throw new TypeError(`${name}.${part} must be a positive number, not ${inspect(value)}`);
  }
}
