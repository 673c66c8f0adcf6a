/** What the opener of a write-ahead log can decide, with limits and defaults; and its report. */

import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { MIB } from '../base/units.ts';
import { batchBounds } from '../durable/append-options.ts';
import type { BatchBounds } from '../durable/append-options.ts';
import type { LockJudge } from '../durable/lock-judge.ts';
import { SyncDispatch } from '../durable/sync-dispatch.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';
import type { SyncOption, SyncPolicy } from '../durable/sync-policy.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import type { CheckpointEntry } from './wal-entry.ts';

/** Where a segment ends, unless the opener says otherwise. */
export const WAL_SEGMENT_BYTES: number = 64 * MIB;
/** The least that `segmentBytes` may be: a block of the framing. */
export const WAL_SEGMENT_BYTES_MIN: number = 32 << 10;

/** How far `open` has come. */
export interface WalProgress {
  /** Bytes of all segments that have been read and checked. */
  readonly bytes: number;
  /** Bytes of all segments. */
  readonly totalBytes: number;
  readonly segment: string;
}

export interface WalOptions {
  /** The policy of calls that name none. Default `'sync'`. */
  readonly sync?: SyncOption;
  /** The window of policy `'batch'`. Default: 1,000 records, 1 MiB, 10 ms. */
  readonly batch?: Partial<BatchBounds>;
  /**
   * A new segment is begun when the current one has this many bytes; one record may go beyond, and
   * so may what is appended until the new file is there. Default 64 MiB.
   */
  readonly segmentBytes?: number;
  /**
   * Keep zeros written ahead of the records, so that a commit overwrites blocks and changes no
   * metadata. Default: where the directory is on a file system that gains by it (ext4, XFS) and
   * the policy is `'sync'`.
   */
  readonly preallocate?: boolean;
  /**
   * What to do when bytes that were durable are damaged or missing. `'refuse'` (default): `open`
   * fails with a `CorruptionError` and nothing is changed. `'cut'`: the log ends before the damage,
   * everything behind it is removed for good and listed in `recovery.dropped`.
   */
  readonly damage?: 'refuse' | 'cut';
  /** Called now and then while `open` reads. Must not throw. */
  readonly onProgress?: (progress: WalProgress) => void;
  /** As `LockOptions.override`. */
  readonly lockOverride?: boolean;
  /** Brings the file system and decides how its bytes are made durable. Default: this machine's. */
  readonly dispatch?: SyncDispatch;
  /** Who we are for the lock. Default: as the machine says. */
  readonly judge?: LockJudge;
  /** Default: the machine's. */
  readonly clock?: Clock;
}

/** Bytes that recovery took out of the log. */
export interface DroppedBytes {
  readonly path: string;
  /** Byte position in the file. */
  readonly offset: number;
  /** How many, zeros at the end not counted. */
  readonly bytes: number;
  /** Why they are no part of the log, for people. */
  readonly reason: string;
}

/** What `open` found. */
export interface WalRecovery {
  /** Whether the log was made just now. */
  readonly created: boolean;
  /** The sequence number of the first operation that is there; `lastSequence + 1` if none is. */
  readonly firstSequence: number;
  /** The sequence number of the last operation, 0 if there never was one. */
  readonly lastSequence: number;
  /**
   * Everything up to here was known to be durable. What is behind could be read and has been written
   * and synced anew.
   */
  readonly trustedSequence: number;
  /** What had to be given up: parts of writes that a crash tore. Empty after a clean close. */
  readonly dropped: readonly DroppedBytes[];
  /** The last checkpoint that is there. */
  readonly checkpoint: CheckpointEntry | null;
  /** Names in the directory that are not the log's. They are left alone. */
  readonly foreign: readonly string[];
}

/** The options with everything decided. */
export interface WalSettings {
  readonly policy: SyncPolicy;
  readonly bounds: BatchBounds;
  readonly segmentBytes: number;
  readonly preallocate: boolean | undefined;
  readonly damage: 'refuse' | 'cut';
  readonly onProgress: (progress: WalProgress) => void;
  readonly lockOverride: boolean;
  readonly dispatch: SyncDispatch;
  readonly judge: LockJudge | undefined;
  readonly clock: Clock;
}

/** @throws TypeError for a value that is none of those allowed. */
export function walSettings(options: WalOptions): WalSettings {
  checkShape(options);
  const segmentBytes = options.segmentBytes ?? WAL_SEGMENT_BYTES;
  if (!Number.isSafeInteger(segmentBytes) || segmentBytes < WAL_SEGMENT_BYTES_MIN) {
    const least = WAL_SEGMENT_BYTES_MIN;
    throw new TypeError(`segmentBytes must be at least ${least}, not ${String(segmentBytes)}`);
  }
  const damage: unknown = options.damage ?? 'refuse';
  if (damage !== 'refuse' && damage !== 'cut') {
    throw new TypeError(`damage must be 'refuse' or 'cut', not ${JSON.stringify(damage)}`);
  }
  return {
    policy: toSyncPolicy(options.sync),
    bounds: batchBounds(options.batch),
    segmentBytes,
    preallocate: options.preallocate,
    damage,
    onProgress: options.onProgress ?? (() => {}),
    lockOverride: options.lockOverride ?? false,
    dispatch: options.dispatch ?? new SyncDispatch(nodeVfs),
    judge: options.judge,
    clock: options.clock ?? systemClock,
  };
}

/** What each option must be, where only a caller without types can be wrong. */
const KINDS: Readonly<Record<keyof WalOptions, string | null>> = {
  sync: null,
  batch: null,
  segmentBytes: null,
  preallocate: 'a boolean',
  damage: null,
  onProgress: 'a function',
  lockOverride: 'a boolean',
  dispatch: 'an object',
  judge: 'an object',
  clock: 'an object',
};

function checkShape(options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object, not ${String(options)}`);
  }
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(KINDS, name)) throw new TypeError(`a log has no option '${name}'`);
    const kind = KINDS[name as keyof WalOptions];
    if (kind === null || value === undefined) continue;
    if (value === null || !kind.endsWith(typeof value)) {
      throw new TypeError(`${name} must be ${kind}, not ${typeof value} ${String(value)}`);
    }
  }
}
