/**
 * The write-ahead log: records with sequence numbers, in segments, in a directory of its own. What
 * it promises is in `docs/guarantees.md`; its bytes are in `docs/formats/log.md`.
 */

import type { SyncOption } from '../durable/sync-policy.ts';
import type { LogOperation } from './batch-format.ts';
import type { WalEntry } from './wal-entry.ts';
import type { WalOptions, WalRecovery } from './wal-options.ts';

/**
 * A log in one directory, with one owner at a time.
 *
 * - Records take effect in the order of the calls, synchronous and asynchronous ones mixed as they
 *   may be. After a crash a prefix of them is there, each batch whole or absent.
 * - A call that resolves or returns under `'sync'` is durable, and so is everything appended before.
 * - Under `'batch'`, less than a window of resolved records is not durable; under `'none'` the log
 *   is synced at rotation, checkpoint and close.
 * - A full disk at a write refuses that record and those behind it with a `FileChangeError`, outcome
 *   `'old'`: their sequence numbers are given to others. Appending goes on once there is room.
 * - Every other failed write and every failed sync ends writing: `PoisonedError`.
 * - Timers do not keep the process alive. One that ends without `close` loses nothing durable.
 */
export interface WriteAheadLogCalls {
  /** What `open` found and did. */
  readonly recovery: WalRecovery;
  /** The number of the first operation that is still there, or of the next one if none is. */
  readonly firstSequence: number;
  /** The number of the last operation that was accepted. Goes back when records are refused. */
  readonly lastSequence: number;
  /** Everything up to this number is on stable storage. Never goes back. */
  readonly durableSequence: number;
  /** Whether writing has ended because of a failure. */
  readonly poisoned: boolean;

  /**
   * Appends one record: bytes that mean nothing to the log, or a put or delete. They are copied
   * before it returns. Resolves to its sequence number when what the policy promises holds (default:
   * the log's policy).
   * @throws FileChangeError, HOLDFAST_POISONED, HOLDFAST_CLOSED, TypeError, as rejections
   */
  append(record: Uint8Array | LogOperation, sync?: SyncOption): Promise<number>;
  /** As `append`, on the calling thread. */
  appendSync(record: Uint8Array | LogOperation, sync?: SyncOption): number;

  /**
   * Appends operations as one record: after any crash all of them are there or none. Resolves to
   * the sequence number of the last one; they have consecutive numbers.
   */
  appendBatch(operations: readonly LogOperation[], sync?: SyncOption): Promise<number>;
  /** As `appendBatch`, on the calling thread. */
  appendBatchSync(operations: readonly LogOperation[], sync?: SyncOption): number;

  /** Resolves when everything appended before the call is durable, under whichever policy. */
  sync(): Promise<void>;
  /** As `sync`, on the calling thread. */
  syncSync(): void;

  /** Begins a new segment. When it resolves, everything before is durable. */
  rotate(): Promise<void>;

  /**
   * Records that what came up to `upTo` is no longer needed, with bytes that say where its effects
   * are. Resolves to the record's sequence number when it and everything before are durable. Removes
   * nothing: `truncate(upTo)` may follow.
   */
  checkpoint(upTo: number, bytes?: Uint8Array): Promise<number>;

  /**
   * Removes the segments that hold nothing but records up to `upTo`, oldest first. When it
   * resolves they are gone for good; a crash before leaves a suffix of the log that begins at one
   * of them. Never the current segment; `rotate` first to let everything go.
   */
  truncate(upTo: number): Promise<void>;

  /**
   * The records behind `after` (a sequence number, default 0: all that are there), as far as they
   * were appended when it began. Memory stays bounded; records may be appended meanwhile.
   * @throws HOLDFAST_CORRUPTION; TypeError when records behind `after` were removed by `truncate`
   */
  replaySync(after?: number): Generator<WalEntry, void, undefined>;
  /** As `replaySync`, reading on the thread pool, many records at a time. */
  replay(after?: number): AsyncGenerator<WalEntry[], void, undefined>;

  /**
   * Follows the log: the records behind `after` and then, as they come, new ones, until the loop is
   * left or the log is closed. Yields a record when its caller could know of it: under policy
   * `'sync'` when it is durable, otherwise when it is with the operating system.
   */
  tail(after?: number): AsyncGenerator<WalEntry[], void, undefined>;

  /**
   * Makes everything durable, writes the closing watermark and gives the directory free. Later
   * calls get the same promise. @throws HOLDFAST_POISONED when not everything is known to be durable
   */
  close(): Promise<void>;
  /** As `close`, on the calling thread. */
  closeSync(): void;
}

/** `WriteAheadLog.open` and its twin. */
export interface WriteAheadLogOpener {
  /**
   * Opens the log in `directory`, or makes it, and recovers. When it resolves, everything that can
   * be read is durable.
   * @throws HOLDFAST_CORRUPTION, HOLDFAST_LOCKED, HOLDFAST_FORMAT, the operating system's error
   */
  open(directory: string, options?: WalOptions): Promise<WriteAheadLogCalls>;
  openSync(directory: string, options?: WalOptions): WriteAheadLogCalls;
}
