/**
 * An append-only file with group commit: what a log, a data file or a journal stands on. It knows
 * bytes, not records: framing, checksums and recovery belong to the layer above. Life of an append:
 * `append-ledger` accepts it, `append-pool` or `append-calling` writes and syncs it, the ledger
 * tells its caller.
 */

import { types } from 'node:util';

import { assert } from '../base/assert.ts';
import { HoldfastError } from '../base/errors.ts';
import { AppendCalling } from './append-calling.ts';
import type { AppendGroup } from './append-group.ts';
import { AppendLedger } from './append-ledger.ts';
import { closeFiles, closeFilesSync, createFiles, createFilesSync } from './append-open.ts';
import { openFiles, openFilesSync } from './append-open.ts';
import type { AppendFiles } from './append-open.ts';
import { APPEND_BYTES_MAX, appendSettings } from './append-options.ts';
import type { AppendFileOptions, AppendSettings } from './append-options.ts';
import { AppendPool } from './append-pool.ts';
import { BytesSource } from './append-source.ts';
import type { AppendSource } from './append-source.ts';
import { Preallocation } from './preallocation.ts';
import { toSyncPolicy } from './sync-policy.ts';
import type { SyncOption, SyncPolicy } from './sync-policy.ts';

/**
 * What a call leaves, by policy (`sync-policy.ts`):
 *
 * - Appends take effect in the order of the calls, synchronous and asynchronous ones mixed as they
 *   may be. After a crash the file holds a prefix of them, then possibly torn pieces of later ones,
 *   or zeros.
 * - A call that resolves or returns under `'sync'` is durable together with everything appended
 *   before it.
 * - Under `'batch'`, less than a window of resolved appends is not durable; an append that would
 *   fill the window waits for its sync. An idle file is synced when its time is over.
 * - Asynchronous calls made in one turn of the event loop share one write and one flush; those made
 *   while that is under way share the next. None waits for a device on the calling thread.
 * - No room at a *write* (ENOSPC, EDQUOT; also ENOMEM and the like) refuses the appends that are
 *   not written yet with a `FileChangeError`, outcome `'old'`: when it is thrown, the disk holds
 *   nothing of them, also after a crash. Nothing else is lost, and appending goes on once there is
 *   room.
 * - Every other failed write and every failed sync ends writing: `PoisonedError` with the first
 *   cause, from then on. Appends under way get outcome `'unknown'`.
 */
export class AppendFile {
  readonly path: string;
  readonly #files: AppendFiles;
  readonly #settings: AppendSettings;
  readonly #ledger: AppendLedger;
  readonly #pool: AppendPool;
  readonly #calling: AppendCalling;
  readonly #preallocation: Preallocation | null;
  readonly #plain = new BytesSource();
  #closing: Promise<void> | null = null;

  private constructor(path: string, files: AppendFiles, length: number, settings: AppendSettings) {
    this.path = path;
    this.#files = files;
    this.#settings = settings;
    this.#preallocation =
      files.zeros === null
        ? null
        : new Preallocation(
            settings.dispatch,
            files.zeros,
            length,
            settings.preallocateBytes,
            (cause) => this.#ledger.fail(cause),
          );
    const descriptors = { ...files, preallocation: this.#preallocation };
    this.#ledger = new AppendLedger(
      length,
      settings,
      () => this.#pool.startSync(),
      (group) => {
        // A sync without bytes is no sign that more synced appends will come.
        if (group.policy !== 'sync' || group.length === 0) return;
        this.#preallocation?.keepAhead(this.#ledger.accepted, group.length);
      },
    );
    this.#pool = new AppendPool(descriptors, this.#ledger, settings);
    this.#calling = new AppendCalling(descriptors, this.#ledger, this.#pool, settings);
  }

  /**
   * Makes a new, empty file. When it resolves, the name is durable.
   * @throws FileChangeError EEXIST when there is one; see `createFiles` for its outcomes
   */
  static async create(path: string, options: AppendFileOptions = {}): Promise<AppendFile> {
    const settings = appendSettings(path, options);
    const withZeros = settings.preallocateBytes > 0;
    const files = await createFiles(settings.dispatch, path, withZeros);
    return new AppendFile(path, files, 0, settings);
  }

  /** As `create`, on the calling thread. */
  static createSync(path: string, options: AppendFileOptions = {}): AppendFile {
    const settings = appendSettings(path, options);
    const withZeros = settings.preallocateBytes > 0;
    const files = createFilesSync(settings.dispatch, path, withZeros);
    return new AppendFile(path, files, 0, settings);
  }

  /**
   * Goes on behind the first `length` bytes of a file; what follows them is gone for good when it
   * resolves. REQUIRES: those bytes are durable. That they can be read is no proof: the page cache
   * may hold what the disk never got, and no sync brings it there. Rewrite what is in doubt into a
   * new file instead.
   */
  static async open(
    path: string,
    length: number,
    options: AppendFileOptions = {},
  ): Promise<AppendFile> {
    const settings = appendSettings(path, options);
    const withZeros = settings.preallocateBytes > 0;
    const files = await openFiles(settings.dispatch, path, length, withZeros);
    return new AppendFile(path, files, length, settings);
  }

  /** As `open`, on the calling thread. */
  static openSync(path: string, length: number, options: AppendFileOptions = {}): AppendFile {
    const settings = appendSettings(path, options);
    const withZeros = settings.preallocateBytes > 0;
    const files = openFilesSync(settings.dispatch, path, length, withZeros);
    return new AppendFile(path, files, length, settings);
  }

  /**
   * Where the next append goes: everything accepted, in bytes. Goes back when appends are refused.
   */
  get length(): number {
    return this.#ledger.accepted;
  }

  /**
   * Everything below is with the operating system: other readers see it, a killed process keeps it.
   */
  get writtenLength(): number {
    return this.#ledger.written;
  }

  /** Everything below is on stable storage. Never goes back. */
  get durableLength(): number {
    return this.#ledger.durable;
  }

  /**
   * The mark that the last accepted append brought along (0: none did). Goes back with `length`.
   */
  get mark(): number {
    return this.#ledger.acceptedMark;
  }

  /** The mark at `writtenLength`. */
  get writtenMark(): number {
    return this.#ledger.writtenMark;
  }

  /** The mark at `durableLength`. */
  get durableMark(): number {
    return this.#ledger.durableMark;
  }

  /** Whether writing has ended because of a failure. */
  get poisoned(): boolean {
    return this.#settings.poison.poisoned;
  }

  /**
   * Appends bytes, which are copied before it returns. Resolves as the policy says (default: the
   * file's). All calls that share a write get the same promise.
   * @throws FileChangeError, HOLDFAST_POISONED, HOLDFAST_CLOSED, as rejections
   */
  append(bytes: Uint8Array, sync?: SyncOption): Promise<void> {
    try {
      checkBytes(bytes);
      return this.appendFrom(this.#plain.of(bytes), this.mark, this.policyOf(sync));
    } catch (error) {
      // One way to hear of failures: the promise.
      return Promise.reject(error);
    }
  }

  /**
   * Appends bytes and returns when what the policy promises holds. May come while asynchronous
   * appends are under way: their bytes go before, so that there is no hole.
   */
  appendSync(bytes: Uint8Array, sync?: SyncOption): void {
    checkBytes(bytes);
    this.appendFromSync(this.#plain.of(bytes), this.mark, this.policyOf(sync));
  }

  /**
   * As `append`, for a source, which is asked for its bytes before it returns: they go to `length`.
   * `mark` is a number that says how far the file is with them.
   */
  appendFrom(source: AppendSource, mark: number, policy: SyncPolicy): Promise<void> {
    try {
      return this.#accept(source, mark, policy).promise;
    } catch (error) {
      // As in `append`.
      return Promise.reject(error);
    }
  }

  /** As `appendFrom`, on the calling thread; the bytes go to where `length` is at the call. */
  appendFromSync(source: AppendSource, mark: number, policy: SyncPolicy): void {
    this.#checkAppend(source);
    assert(!this.#pool.held, 'a file that is held is released before it is written');
    this.#calling.append(source, policy, mark);
  }

  /**
   * As `appendFrom`, for whoever need not hear of it. Nothing happens, and the answer is false, when
   * the file takes no more appends.
   */
  enqueue(source: AppendSource, mark: number, policy: SyncPolicy): boolean {
    if (this.#closing !== null || this.poisoned) return false;
    this.#accept(source, mark, policy);
    return true;
  }

  /** Begins to write what was accepted since the file was opened with `held`. */
  release(): void {
    this.#pool.release();
  }

  /** Rejects with `reason` all that was accepted. REQUIRES: the file is held. */
  discard(reason: Error): void {
    assert(this.#pool.held, 'only what waits can be discarded');
    this.#ledger.rejectQueue(reason);
  }

  /** The policy of an append that is given `sync`. @throws TypeError */
  policyOf(sync: SyncOption | undefined): SyncPolicy {
    return sync === undefined ? this.#settings.policy : toSyncPolicy(sync);
  }

  /**
   * Resolves when everything appended before the call is durable, under whichever policy it was.
   */
  sync(): Promise<void> {
    try {
      this.#checkOpen();
      const quiet = this.#pool.cutting === null;
      if (quiet && this.#ledger.durable === this.#ledger.accepted) return Promise.resolve();
      const group = this.#ledger.accept(null, 'sync', 0);
      this.#pool.wake();
      return group.promise;
    } catch (error) {
      // As in `append`.
      return Promise.reject(error);
    }
  }

  /** As `sync`, on the calling thread. Throws a refusal whose callers are about to hear of it. */
  syncSync(): void {
    this.#checkOpen();
    this.#calling.sync();
  }

  /**
   * Makes everything durable, cuts preallocated zeros and releases the descriptors, also when it
   * rejects. Later calls get the same promise.
   * @throws HOLDFAST_POISONED when not everything accepted is known to be durable
   */
  close(): Promise<void> {
    this.#closing ??= this.#finish().finally(() => closeFiles(this.#files));
    return this.#closing;
  }

  /**
   * As `close`, on the calling thread. With calls under way on the thread pool the descriptors go
   * when those end, and zeros that one of them is writing stay at the end of the file.
   */
  closeSync(): void {
    if (this.#closing !== null) return;
    this.#closing = Promise.resolve();
    try {
      this.#finishSync();
    } catch (error) {
      // A later `close` must not say that all is well.
      this.#closing = Promise.reject(error);
      this.#closing.catch(() => 'thrown here');
      throw error;
    } finally {
      if (this.#pool.busy) {
        this.#preallocation?.abandon();
        void closeFiles(this.#files);
      } else {
        closeFilesSync(this.#files);
      }
    }
  }

  async #finish(): Promise<void> {
    const { poison } = this.#settings;
    await this.#pool.idle();
    this.#ledger.window.stopTimer();
    if (!poison.poisoned && this.#preallocation?.used === true) await this.#pool.cut();
    if (!poison.poisoned && this.#ledger.durable < this.#ledger.written) await this.#pool.syncNow();
    if (poison.poisoned) throw poison.error('unknown');
  }

  #finishSync(): void {
    try {
      if (this.#settings.poison.poisoned) throw this.#settings.poison.error('unknown');
      this.#calling.sync();
      if (this.#preallocation?.used === true) this.#calling.cut();
    } catch (error) {
      // Whoever still waits hears of it as the caller does, because nothing is written any more.
      this.#ledger.rejectQueue(error as Error);
      throw error;
    } finally {
      this.#ledger.window.stopTimer();
    }
  }

  #accept(source: AppendSource, mark: number, policy: SyncPolicy): AppendGroup {
    this.#checkAppend(source);
    const group = this.#ledger.accept(source, policy, mark);
    this.#pool.wake();
    return group;
  }

  #checkAppend({ length }: AppendSource): void {
    this.#checkOpen();
    if (length > APPEND_BYTES_MAX) {
      throw new TypeError(`an append takes at most ${APPEND_BYTES_MAX} bytes, not ${length}`);
    }
  }

  #checkOpen(): void {
    if (this.#closing !== null)
      throw new HoldfastError('HOLDFAST_CLOSED', `${this.path} is closed`);
    this.#settings.poison.check();
  }
}

function checkBytes(bytes: Uint8Array): void {
  if (!types.isUint8Array(bytes)) throw new TypeError('an append takes a Uint8Array');
}
