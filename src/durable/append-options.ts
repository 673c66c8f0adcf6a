/**
 * What the opener of an append file can decide, with limits and defaults. Not here: what happens
 * then.
 */

import { inspect } from 'node:util';

import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { FileChangeError } from '../base/errors.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import { Poison } from './poison.ts';
import { SyncDispatch } from './sync-dispatch.ts';
import { toSyncPolicy } from './sync-policy.ts';
import type { SyncOption, SyncPolicy } from './sync-policy.ts';

/**
 * Bytes of one append. The longest write of any system that Node runs on is a little under 2 GiB.
 */
export const APPEND_BYTES_MAX: number = 1 << 30;

/**
 * The window of policy `'batch'`: what a power cut may take is less than `records` records and less
 * than `bytes` bytes that resolved, none of them older than `ms` milliseconds plus one sync.
 */
export interface BatchBounds {
  readonly records: number;
  readonly bytes: number;
  readonly ms: number;
}

/** Bounds where the caller names none. */
export const DEFAULT_BATCH_BOUNDS: BatchBounds = { records: 1000, bytes: 1 << 20, ms: 10 };

export interface AppendFileOptions {
  /**
   * Brings the file system, and decides how its bytes are made durable. Default: this machine's.
   */
  readonly dispatch?: SyncDispatch;
  /** The policy of calls that name none. Default `'sync'`. */
  readonly sync?: SyncOption;
  /** Each bound is a positive number; what is missing comes from `DEFAULT_BATCH_BOUNDS`. */
  readonly batch?: Partial<BatchBounds>;
  /**
   * Keep zeros written ahead of the records, up to this file size, so that a synced append
   * overwrites blocks that are there already and commits no metadata. Zeros then follow the last
   * record until `close` cuts them. Give it only where the file system overwrites in place (ext4,
   * XFS), not on btrfs, ZFS or APFS. Default: none.
   */
  readonly preallocateBytes?: number;
  /** Shared with whatever else must stop when this file fails. Default: its own. */
  readonly poison?: Poison;
  /**
   * Called before anything else can be appended when accepted records were refused (a full disk),
   * with the length that the file has gone back to: whoever frames records by their place begins
   * again there. The promises of the refused records reject later, when the disk holds no trace of
   * them. Must not throw.
   */
  readonly onRefused?: (length: number, refusal: FileChangeError) => void;
  /**
   * Called before a group of asynchronous appends is written: what `enqueue` is given then goes with
   * it where there is room. Must not throw.
   */
  readonly onGroup?: () => void;
  /** Called when `writtenLength` or `durableLength` has moved on. Must not throw. */
  readonly onProgress?: () => void;
  /** Appends are accepted and nothing is written until `release`. Default false. */
  readonly held?: boolean;
  /** Time for policy `'batch'`. Default: the machine's. */
  readonly clock?: Clock;
}

/** The options with everything decided. */
export interface AppendSettings {
  readonly dispatch: SyncDispatch;
  readonly policy: SyncPolicy;
  readonly bounds: BatchBounds;
  readonly preallocateBytes: number;
  readonly poison: Poison;
  readonly onRefused: (length: number, refusal: FileChangeError) => void;
  readonly onGroup: () => void;
  readonly onProgress: () => void;
  readonly held: boolean;
  readonly clock: Clock;
}

/** @throws TypeError for a policy or bound that is none. */
export function appendSettings(path: string, options: AppendFileOptions): AppendSettings {
  const bounds = batchBounds(options.batch);
  const preallocateBytes = options.preallocateBytes ?? 0;
  if (!Number.isSafeInteger(preallocateBytes) || preallocateBytes < 0) {
    throw new TypeError(
      `preallocateBytes must be a number of bytes, not ${inspect(preallocateBytes)}`,
    );
  }
  return {
    dispatch: options.dispatch ?? new SyncDispatch(nodeVfs),
    policy: toSyncPolicy(options.sync),
    bounds,
    preallocateBytes,
    poison: options.poison ?? new Poison(path),
    onRefused: options.onRefused ?? nothing,
    onGroup: options.onGroup ?? nothing,
    onProgress: options.onProgress ?? nothing,
    held: options.held ?? false,
    clock: options.clock ?? systemClock,
  };
}

/** Every bound, from a caller's or the default. @throws TypeError for a bound that is none */
export function batchBounds(given: Partial<BatchBounds> = {}): BatchBounds {
  const bounds: Record<keyof BatchBounds, number> = { ...DEFAULT_BATCH_BOUNDS };
  if (typeof given !== 'object' || given === null) {
    throw new TypeError(`batch must be an object with bounds, not ${inspect(given)}`);
  }
  for (const [name, value] of Object.entries(given)) {
    if (!isBound(name)) throw new TypeError(`batch has no bound '${name}'`);
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value > 0)) {
      throw new TypeError(`batch.${name} must be a positive number, not ${inspect(value)}`);
    }
    bounds[name] = value;
  }
  return bounds;
}

function isBound(name: string): name is keyof BatchBounds {
  return Object.hasOwn(DEFAULT_BATCH_BOUNDS, name);
}

function nothing(): void {}
