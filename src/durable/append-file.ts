/**
 * An append-only file with group commit: what a log, a data file or a journal stands on. It knows
 * bytes, not records: framing, checksums and recovery belong to the layer above. Life of an append:
 * `append-ledger` accepts it, `append-pool` or `append-calling` writes and syncs it, the ledger
 * tells its caller.
 */

import { types } from 'node:util';

import { HoldfastError } from '../base/errors.ts';
import { AppendCalling } from './append-calling.ts';
import { AppendLedger } from './append-ledger.ts';
import { closeFiles, closeFilesSync, createFiles, createFilesSync } from './append-open.ts';
import { openFiles, openFilesSync } from './append-open.ts';
import type { AppendFiles } from './append-open.ts';
import { APPEND_BYTES_MAX, appendSettings } from './append-options.ts';
import type { AppendFileOptions, AppendSettings } from './append-options.ts';
import { AppendPool } from './append-pool.ts';
import { Preallocation } from './preallocation.ts';
import { toSyncPolicy } from './sync-policy.ts';
import type { SyncOption } from './sync-policy.ts';

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
        if (group.policy !== 'sync') return;
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
      const policy = sync === undefined ? this.#settings.policy : toSyncPolicy(sync);
      this.#check(bytes);
      const { group, isNew } = this.#ledger.accept(bytes, policy);
      if (isNew) this.#pool.wake();
      return group.promise;
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
    const policy = sync === undefined ? this.#settings.policy : toSyncPolicy(sync);
    this.#check(bytes);
    this.#calling.append(bytes, policy);
  }

  /**
   * Resolves when everything appended before the call is durable, under whichever policy it was.
   */
  sync(): Promise<void> {
    try {
      this.#checkOpen();
      const quiet = this.#pool.cutting === null;
      if (quiet && this.#ledger.durable === this.#ledger.accepted) return Promise.resolve();
      const { group, isNew } = this.#ledger.accept(null, 'sync');
      if (isNew) this.#pool.wake();
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

  #check(bytes: Uint8Array): void {
    this.#checkOpen();
    if (!types.isUint8Array(bytes)) throw new TypeError('an append takes a Uint8Array');
    if (bytes.length > APPEND_BYTES_MAX) {
      throw new TypeError(`an append takes at most ${APPEND_BYTES_MAX} bytes, not ${bytes.length}`);
    }
  }

  #checkOpen(): void {
    if (this.#closing !== null)
      throw new HoldfastError('HOLDFAST_CLOSED', `${this.path} is closed`);
    this.#settings.poison.check();
  }
}
