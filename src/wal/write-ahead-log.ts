/**
 * The write-ahead log: records with sequence numbers, in segments, in a directory of its own. Here
 * is its face: arguments, policies, order of opening and closing. Segments are `wal-chain`'s,
 * recovery is `wal-recovery`. What it promises is in `docs/guarantees.md`; its bytes are in
 * `docs/formats/log.md`.
 */

import { assert } from '../base/assert.ts';
import { HoldfastError } from '../base/errors.ts';
import { checkPath } from '../durable/call-checks.ts';
import { DurableDirectory } from '../durable/durable-directory.ts';
import { DirectoryLock } from '../durable/lock-file.ts';
import type { LockOptions } from '../durable/lock-file.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';
import type { SyncOption, SyncPolicy } from '../durable/sync-policy.ts';
import { runLater, runNow } from '../durable/two-forms.ts';
import type { LogOperation } from './batch-format.ts';
import { OperationsPayload, SinglePayload } from './payloads.ts';
import { gainsByPreallocation } from './preallocation-choice.ts';
import type { SequencedPayload } from './segment-writer.ts';
import { WalChain } from './wal-chain.ts';
import type { WalEntry } from './wal-entry.ts';
import { walSettings } from './wal-options.ts';
import type { WalOptions, WalRecovery, WalSettings } from './wal-options.ts';
import { checkAfter, WalReading } from './wal-reading.ts';
import type { ReadingPlace } from './wal-reading.ts';
import { recoverWal } from './wal-recovery.ts';
import type { RecoveredWal } from './wal-recovery.ts';

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
export class WriteAheadLog {
  /** Where it is, as an absolute path. */
  readonly directory: string;
  /** What `open` found and did. */
  readonly recovery: WalRecovery;
  readonly #settings: WalSettings;
  readonly #chain: WalChain;
  readonly #lock: DirectoryLock;
  readonly #changes: ChangeSignal;
  readonly #single = new SinglePayload();
  #closing: Promise<void> | null = null;

  private constructor(opened: OpenedLog, chain: WalChain) {
    this.directory = opened.directory;
    this.recovery = opened.recovered.report;
    this.#settings = opened.settings;
    this.#lock = opened.lock;
    this.#changes = opened.changes;
    this.#chain = chain;
  }

  /**
   * Opens the log in `directory`, or makes it, and recovers. When it resolves, everything that can
   * be read is durable.
   * @throws HOLDFAST_CORRUPTION, HOLDFAST_LOCKED, HOLDFAST_FORMAT, HOLDFAST_FOREIGN, the operating
   *   system's error; TypeError for options
   */
  static async open(directory: string | URL, options: WalOptions = {}): Promise<WriteAheadLog> {
    const settings = walSettings(options);
    const path = checkPath(directory);
    const { dispatch, clock } = settings;
    await new DurableDirectory(dispatch, clock).mkdirAll(path);
    const lock = await DirectoryLock.acquire(path, lockOptions(settings));
    try {
      const recovered = await runLater(recoverWal(path, settings));
      const opened = openedLog(path, settings, lock, recovered);
      return new WriteAheadLog(opened, await WalChain.open(opened));
    } catch (error) {
      // Nobody has the log, so nobody has the lock.
      await lock.release();
      throw error;
    }
  }

  /** As `open`, on the calling thread. */
  static openSync(directory: string | URL, options: WalOptions = {}): WriteAheadLog {
    const settings = walSettings(options);
    const path = checkPath(directory);
    const { dispatch, clock } = settings;
    new DurableDirectory(dispatch, clock).mkdirAllSync(path);
    const lock = DirectoryLock.acquireSync(path, lockOptions(settings));
    try {
      const recovered = runNow(recoverWal(path, settings));
      const opened = openedLog(path, settings, lock, recovered);
      return new WriteAheadLog(opened, WalChain.openSync(opened));
    } catch (error) {
      // As in `open`.
      lock.releaseSync();
      throw error;
    }
  }

  /** The number of the first operation that is still there, or of the next one if none is. */
  get firstSequence(): number {
    return this.#chain.firstSequence;
  }

  /** The number of the last operation that was accepted. Goes back when records are refused. */
  get lastSequence(): number {
    return this.#chain.lastSequence;
  }

  /** Everything up to this number is on stable storage. Never goes back. */
  get durableSequence(): number {
    return this.#chain.durableSequence;
  }

  /** Whether writing has ended because of a failure. */
  get poisoned(): boolean {
    return this.#chain.poison.poisoned;
  }

  /**
   * Appends one record: bytes that mean nothing to the log, or a put or delete. They are copied
   * before it returns. Resolves to its sequence number when what the policy promises holds (default:
   * the log's policy).
   * @throws FileChangeError, HOLDFAST_POISONED, HOLDFAST_CLOSED, HOLDFAST_TOO_LARGE, TypeError, as
   *   rejections
   */
  append(record: Uint8Array | LogOperation, sync?: SyncOption): Promise<number> {
    try {
      return this.#append(this.#single.of(record), sync);
    } catch (error) {
      // One way to hear of failures: the promise.
      return Promise.reject(error);
    }
  }

  /**
   * As `append`, on the calling thread. May come while asynchronous appends are under way: their
   * bytes go before.
   */
  appendSync(record: Uint8Array | LogOperation, sync?: SyncOption): number {
    return this.#appendSync(this.#single.of(record), sync);
  }

  /**
   * Appends operations as one record: after any crash all of them are there or none. Resolves to
   * the sequence number of the last one; they have consecutive numbers. Without operations nothing
   * is appended.
   */
  appendBatch(operations: readonly LogOperation[], sync?: SyncOption): Promise<number> {
    try {
      const payload = new OperationsPayload(operations);
      if (payload.count > 0) return this.#append(payload, sync);
      this.#checkOpen();
      return Promise.resolve(this.lastSequence);
    } catch (error) {
      // As in `append`.
      return Promise.reject(error);
    }
  }

  /** As `appendBatch`, on the calling thread. */
  appendBatchSync(operations: readonly LogOperation[], sync?: SyncOption): number {
    const payload = new OperationsPayload(operations);
    if (payload.count > 0) return this.#appendSync(payload, sync);
    this.#checkOpen();
    return this.lastSequence;
  }

  /** Resolves when everything appended before the call is durable, under whichever policy. */
  async sync(): Promise<void> {
    this.#checkOpen();
    await this.#chain.sync();
  }

  /** As `sync`, on the calling thread. */
  syncSync(): void {
    this.#checkOpen();
    this.#chain.syncSync();
  }

  /**
   * Begins a new segment, so that a later `truncate` can remove all before. When it resolves,
   * everything before is durable.
   */
  async rotate(): Promise<void> {
    this.#checkOpen();
    await this.#chain.rotate();
  }

  /**
   * Records that what came up to `upTo` is no longer needed, with bytes that say where its effects
   * are. Resolves to the record's sequence number when it and everything before are durable. Removes
   * nothing: `truncate(upTo)` may follow. `recovery.checkpoint` is the last one that is there.
   */
  async checkpoint(upTo: number, bytes: Uint8Array = new Uint8Array(0)): Promise<number> {
    this.#checkUpTo(upTo);
    return this.#append(this.#single.ofCheckpoint(upTo, bytes), 'sync');
  }

  /**
   * Removes the segments that hold nothing but records up to `upTo`, oldest first. When it
   * resolves they are gone for good; a crash before leaves a suffix of the log that begins at one
   * of them. Never the current segment; `rotate` first to let everything go.
   */
  async truncate(upTo: number): Promise<void> {
    this.#checkUpTo(upTo);
    await this.#chain.truncate(upTo);
  }

  /**
   * The records behind `after` (a sequence number; default: all that are there), as far as they were
   * with the operating system when it began. Memory stays bounded; records may be appended
   * meanwhile.
   * @throws HOLDFAST_CORRUPTION; TypeError when records behind `after` were removed by `truncate`
   */
  *replaySync(after?: number): Generator<WalEntry, void, undefined> {
    const reading = this.#reading(after);
    try {
      for (;;) {
        const entries = runNow(reading.next());
        if (entries === null) return;
        yield* entries;
      }
    } finally {
      runNow(reading.close());
    }
  }

  /** As `replaySync`, reading on the thread pool, many records at a time. */
  async *replay(after?: number): AsyncGenerator<WalEntry[], void, undefined> {
    const reading = this.#reading(after);
    try {
      for (;;) {
        const entries = await runLater(reading.next());
        if (entries === null) return;
        yield entries;
      }
    } finally {
      await runLater(reading.close());
    }
  }

  /**
   * Follows the log: the records behind `after` and then, as they come, new ones, until the loop is
   * left or the log is closed. Yields a record when its caller could know of it: under policy
   * `'sync'` when it is durable, otherwise when it is with the operating system.
   * @throws as `replaySync`; HOLDFAST_POISONED when writing has ended, behind the last record
   */
  async *tail(after?: number): AsyncGenerator<WalEntry[], void, undefined> {
    let last = checkAfter(after, this.firstSequence);
    let place: ReadingPlace | null = null;
    for (;;) {
      const changed = this.#changes.next();
      const ended = this.#closing !== null || this.poisoned;
      const limit = this.#visibleSequence;
      if (limit > last) {
        const reading = this.#readingOf(last, limit, place);
        try {
          for (;;) {
            const entries = await runLater(reading.next());
            if (entries === null) break;
            last = entries.at(-1)?.sequence ?? last;
            yield entries;
          }
        } finally {
          await runLater(reading.close());
        }
        place = reading.place;
        last = Math.max(last, limit);
      } else if (ended) {
        if (this.poisoned) throw this.#chain.poison.error('unknown');
        // What close fails with is for whoever closes.
        await this.#closing?.catch(() => 'told there');
        if (this.#visibleSequence <= last) return;
      } else {
        await changed;
      }
    }
  }

  /**
   * Makes everything durable, writes the closing watermark and gives the directory free, also when
   * it rejects. Later calls get the same promise.
   * @throws HOLDFAST_POISONED when not everything accepted is known to be durable
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    this.#changes.tell();
    return this.#closing;
  }

  /**
   * As `close`, on the calling thread. While a rotation or truncation is under way, the directory is
   * given free when that has ended.
   */
  closeSync(): void {
    if (this.#closing !== null) return;
    this.#closing = Promise.resolve();
    this.#changes.tell();
    let busy: Promise<void> | null = null;
    try {
      busy = this.#chain.closeSync();
    } catch (error) {
      // A later `close` must not say that all is well.
      this.#closing = Promise.reject(error);
      this.#closing.catch(() => 'thrown here');
      throw error;
    } finally {
      if (busy === null) this.#lock.releaseSync();
      else busy.then(() => this.#lock.release()).catch(() => 'its owner ends with this process');
    }
  }

  async #close(): Promise<void> {
    try {
      await this.#chain.close();
    } finally {
      await this.#lock.release();
    }
  }

  #append(payload: SequencedPayload, sync: SyncOption | undefined): Promise<number> {
    this.#checkOpen();
    const promise = this.#chain.append(payload, this.#policyOf(sync));
    const sequence = this.#chain.lastSequence;
    return promise.then(() => sequence);
  }

  #appendSync(payload: SequencedPayload, sync: SyncOption | undefined): number {
    this.#checkOpen();
    this.#chain.appendSync(payload, this.#policyOf(sync));
    return this.#chain.lastSequence;
  }

  #policyOf(sync: SyncOption | undefined): SyncPolicy {
    return sync === undefined ? this.#settings.policy : toSyncPolicy(sync);
  }

  get #visibleSequence(): number {
    const { durableSequence, writtenSequence } = this.#chain;
    return this.#settings.policy === 'sync' ? durableSequence : writtenSequence;
  }

  #reading(after: number | undefined): WalReading {
    const from = checkAfter(after, this.firstSequence);
    return this.#readingOf(from, this.#chain.writtenSequence, null);
  }

  #readingOf(after: number, limit: number, place: ReadingPlace | null): WalReading {
    const { vfs } = this.#settings.dispatch;
    const segments = this.#chain.segments(limit);
    return new WalReading(vfs, segments, after, () => this.firstSequence, place);
  }

  #checkUpTo(upTo: number): void {
    this.#checkOpen();
    if (!Number.isSafeInteger(upTo) || upTo < 0 || upTo > this.lastSequence) {
      const last = this.lastSequence;
      throw new TypeError(`upTo must be a sequence number up to ${last}, not ${String(upTo)}`);
    }
  }

  #checkOpen(): void {
    if (this.#closing === null) return;
    throw new HoldfastError('HOLDFAST_CLOSED', `${this.directory} is closed`);
  }
}

/** Lets any number of readers wait for the next change. */
class ChangeSignal {
  #promise: Promise<void> | null = null;
  #resolve: () => void = () => {};

  next(): Promise<void> {
    this.#promise ??= new Promise((resolve) => {
      this.#resolve = resolve;
    });
    return this.#promise;
  }

  tell(): void {
    this.#promise = null;
    this.#resolve();
  }
}

interface OpenedLog {
  readonly directory: string;
  readonly settings: WalSettings;
  readonly preallocateBytes: number;
  readonly lock: DirectoryLock;
  readonly recovered: RecoveredWal;
  readonly changes: ChangeSignal;
  readonly onProgress: () => void;
}

function openedLog(
  directory: string,
  settings: WalSettings,
  lock: DirectoryLock,
  recovered: RecoveredWal,
): OpenedLog {
  assert(lock.held, 'a log is opened by the owner of its directory');
  const { dispatch, policy, preallocate, segmentBytes } = settings;
  const zeros = preallocate ?? (policy === 'sync' && gainsByPreallocation(dispatch.vfs, directory));
  const changes = new ChangeSignal();
  const onProgress = (): void => changes.tell();
  const preallocateBytes = zeros ? segmentBytes : 0;
  return { directory, settings, preallocateBytes, lock, recovered, changes, onProgress };
}

function lockOptions({ dispatch, judge, lockOverride, clock }: WalSettings): LockOptions {
  const options = { vfs: dispatch.vfs, override: lockOverride, clock };
  return judge === undefined ? options : { ...options, judge };
}
