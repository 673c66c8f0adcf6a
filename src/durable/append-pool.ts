/**
 * The asynchronous side of an append file: takes group after group to the thread pool and syncs
 * there. One call per group where a write can be durable by itself, else a write and a sync. Not
 * here: the twins on the calling thread.
 */

import { errorCode } from '../vfs/errno.ts';
import { assert } from '../base/assert.ts';
import { FileChangeError } from '../base/errors.ts';
import { writeFully } from '../vfs/transfer.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import type { AppendGroup } from './append-group.ts';
import type { AppendLedger } from './append-ledger.ts';
import type { AppendSettings } from './append-options.ts';
import { meaningOf } from './poison.ts';
import type { Preallocation } from './preallocation.ts';

/**
 * The open descriptions of one append file. Linux reports a failed write-back once to every open
 * description. A sync on the calling thread may run beside one on the thread pool, and on one
 * description either could swallow the other's error: so there are two.
 * @see https://lwn.net/Articles/724307/ (errseq_t, Linux 4.13)
 */
export interface AppendDescriptors {
  /** Plain writes and cuts of both sides, and syncs on the calling thread. */
  readonly calling: VfsFile;
  /**
   * Syncs on the thread pool; its writes are durable when they return where `durableWriteFlag` is
   * given.
   */
  readonly pooled: VfsFile;
  readonly preallocation: Preallocation | null;
}

export class AppendPool {
  readonly #descriptors: AppendDescriptors;
  readonly #ledger: AppendLedger;
  readonly #settings: AppendSettings;
  /**
   * A sync or a durable write through `pooled`. No second one may run, each could miss the other's
   * error.
   */
  #pooledCall: Promise<void> | null = null;
  /** A sync was asked for while one ran. */
  #syncWanted = false;
  #cutting: FileChangeError | null = null;
  #pumping = false;
  /** Nothing of the queue is begun. */
  #held = false;
  #whenIdle: (() => void)[] = [];

  constructor(descriptors: AppendDescriptors, ledger: AppendLedger, settings: AppendSettings) {
    this.#descriptors = descriptors;
    this.#ledger = ledger;
    this.#settings = settings;
    this.#held = settings.held;
  }

  /** Whether a call on the thread pool uses the descriptors. */
  get busy(): boolean {
    const zeros = this.#descriptors.preallocation?.running === true;
    const calls = this.#ledger.inFlight !== null || this.#pooledCall !== null;
    return calls || this.#cutting !== null || zeros;
  }

  /**
   * The refusal whose traces are being cut off, or null. Until that is done the end of the file is
   * in motion.
   */
  get cutting(): FileChangeError | null {
    return this.#cutting;
  }

  /**
   * A group is in the queue. It starts after all that runs at this moment, so that it takes every
   * caller along.
   */
  wake(): void {
    if (this.#pumping || this.#held) return;
    this.#pumping = true;
    process.nextTick(() => void this.#pump());
  }

  /** The queue may be begun. */
  release(): void {
    this.#held = false;
    if (this.#ledger.next !== undefined) this.wake();
  }

  get held(): boolean {
    return this.#held;
  }

  /** Makes what is written durable soon. */
  startSync(): void {
    if (this.#ledger.poison.poisoned) return;
    if (this.#pooledCall !== null) this.#syncWanted = true;
    else if (this.#ledger.durable < this.#ledger.written) void this.syncNow();
  }

  /**
   * Whether one durable write at `start` does the work of a write and a sync: it makes only its own
   * bytes durable.
   */
  canWriteDurably(start: number): boolean {
    const nothingBefore = this.#ledger.durable === start && this.#pooledCall === null;
    return nothingBefore && this.#settings.dispatch.durableWriteFlag !== undefined;
  }

  /** Resolves when nothing waits and nothing runs. */
  async idle(): Promise<void> {
    for (;;) {
      await this.#descriptors.preallocation?.idle();
      if (!this.#pumping && !this.busy) return;
      if (this.#descriptors.preallocation?.running === true) continue;
      await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    }
  }

  /** One sync on the thread pool, and another when more waits for it by then. Never rejects. */
  async syncNow(): Promise<void> {
    const { written, writtenMark } = this.#ledger;
    this.#ledger.window.syncStarted();
    try {
      await this.#throughPooled(this.#settings.dispatch.bytes(this.#descriptors.pooled));
      this.#ledger.window.syncEnded();
      this.#ledger.durableTo(written, writtenMark);
    } catch (error) {
      // A failed sync is never tried again: fail-stop.
      this.#ledger.fail(error);
    }
    this.#afterPooledCall();
    this.#noteIdle();
  }

  /** Removes what lies past `written`. Never rejects. */
  async cut(): Promise<void> {
    const length = this.#ledger.written;
    try {
      await this.#descriptors.calling.truncate(length);
      this.#descriptors.preallocation?.cutTo(length);
    } catch (error) {
      // What should go may still be there: nothing may be appended to it.
      this.#ledger.fail(error);
    }
  }

  async #pump(): Promise<void> {
    // A blocking call may have written what was waiting, and a close may have come after it.
    if (this.#ledger.next !== undefined) this.#settings.onGroup();
    const group = this.#ledger.shift();
    if (group !== undefined) await this.#commit(group);
    this.#pumping = false;
    if (this.#ledger.next !== undefined) this.wake();
    this.#noteIdle();
  }

  /** Writes one group and decides what becomes of it. Never rejects. */
  async #commit(group: AppendGroup): Promise<void> {
    const ledger = this.#ledger;
    if (ledger.poison.poisoned) {
      group.reject(ledger.poison.error('old'));
      return;
    }
    ledger.inFlight = group;
    try {
      if (group.length > 0) await this.#write(group);
    } catch (error) {
      // Told to every caller of the group, by what the failure means.
      ledger.inFlight = null;
      await this.#writeFailed(group, error);
      return;
    }
    ledger.inFlight = null;
    if (ledger.settle(group)) this.startSync();
    this.#afterPooledCall();
  }

  async #write(group: AppendGroup): Promise<void> {
    const { calling, pooled } = this.#descriptors;
    const { buffer, start, length } = group;
    if (group.policy === 'sync' && this.canWriteDurably(start)) {
      try {
        await this.#throughPooled(writeFully(pooled, buffer, start, 0, length));
        this.#ledger.wrote(group);
        this.#ledger.durableTo(group.end, group.mark);
        return;
      } catch (error) {
        // One call for write and sync cannot say which of them lacked room. All earlier bytes were
        // durable, and the group's are written anew below, in two steps: the one that fails says
        // what it means.
        if (meaningOf('write', error) === 'poisoned') throw error;
      }
    }
    await writeFully(calling, buffer, start, 0, length);
    this.#ledger.wrote(group);
  }

  async #throughPooled(call: Promise<void>): Promise<void> {
    assert(this.#pooledCall === null, 'one call at a time goes through this description');
    this.#pooledCall = call;
    try {
      await call;
    } finally {
      this.#pooledCall = null;
    }
  }

  #afterPooledCall(): void {
    if (!this.#syncWanted && !this.#ledger.awaitsSync) return;
    this.#syncWanted = false;
    this.startSync();
  }

  /**
   * What the failed write of a group means for it, for those behind it and for the file. Never
   * rejects.
   */
  async #writeFailed(group: AppendGroup, error: unknown): Promise<void> {
    const ledger = this.#ledger;
    // A close on the calling thread has made these bytes durable and taken the descriptors.
    const closed = group.end <= ledger.durable && errorCode(error) === 'EBADF';
    if (!closed && meaningOf('write', error) === 'poisoned') {
      ledger.fail(error);
      ledger.settle(group);
    } else if (group.end <= ledger.written) {
      // A call on the calling thread has written these bytes meanwhile.
      if (ledger.settle(group)) this.startSync();
    } else {
      await this.#takeBack(group, error as Error & { code: string });
    }
  }

  /** Refuses a group and all behind it, once the disk holds nothing of them. */
  async #takeBack(group: AppendGroup, error: Error & { code: string }): Promise<void> {
    const { poison } = this.#ledger;
    const { path } = this.#descriptors.calling;
    assert(this.#ledger.written <= group.start, 'a group is written as a whole or not at all');
    const refused = [group, ...this.#ledger.takeBack()];
    const refusal = new FileChangeError('append to', path, 'old', error);
    this.#cutting = refusal;
    this.#settings.onRefused(this.#ledger.accepted, refusal);
    await this.cut();
    while (this.#pooledCall !== null) await this.#pooledCall.catch(() => 'told to its own caller');
    if (!poison.poisoned) await this.syncNow();
    this.#cutting = null;
    const reason = poison.poisoned ? poison.error('unknown') : refusal;
    for (const each of refused) each.reject(reason);
  }

  #noteIdle(): void {
    const waiting = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of waiting) resolve();
  }
}
