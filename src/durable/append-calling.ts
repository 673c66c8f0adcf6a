/**
 * The synchronous side of an append file. Its calls may come while the thread pool is in the middle
 * of a group: then that group's bytes are written again at their places, and those that wait behind
 * it, before the caller's own, so that whatever becomes of the call under way there is no hole
 * below the new record.
 */

import { assert } from '../base/assert.ts';
import { FileChangeError } from '../base/errors.ts';
import { writeFullySync } from '../vfs/transfer.ts';
import type { AppendGroup } from './append-group.ts';
import type { AppendLedger } from './append-ledger.ts';
import type { AppendSettings } from './append-options.ts';
import type { AppendDescriptors, AppendPool } from './append-pool.ts';
import type { AppendSource } from './append-source.ts';
import { meaningOf } from './poison.ts';
import type { SyncPolicy } from './sync-policy.ts';

/** Longer records get a buffer of their own. */
const BUFFER_BYTES = 64 << 10;

export class AppendCalling {
  readonly #descriptors: AppendDescriptors;
  readonly #ledger: AppendLedger;
  readonly #pool: AppendPool;
  readonly #settings: AppendSettings;
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(
    descriptors: AppendDescriptors,
    ledger: AppendLedger,
    pool: AppendPool,
    settings: AppendSettings,
  ) {
    this.#descriptors = descriptors;
    this.#ledger = ledger;
    this.#pool = pool;
    this.#settings = settings;
  }

  /** Writes a record after all that was accepted before it, and syncs as the policy says. */
  append(source: AppendSource, policy: SyncPolicy, mark: number): void {
    const ledger = this.#ledger;
    let bytes = this.#bufferFor(source.length);
    source.putInto(bytes, 0);
    if (source.length > bytes.length) {
      bytes = this.#bufferFor(source.length);
      source.putInto(bytes, 0);
    }
    const { length } = source;
    const quiet = ledger.inFlight === null && ledger.next === undefined && !this.#pool.cutting;
    if (quiet) this.#appendNow(bytes, length, policy, mark);
    else this.#behindOthers(() => this.#appendNow(bytes, length, policy, mark));
    if (policy === 'sync') {
      this.#descriptors.preallocation?.keepAheadSync(ledger.accepted, length);
    }
  }

  /** Makes everything that was accepted durable. */
  sync(): void {
    const quiet = this.#pool.cutting === null;
    if (quiet && this.#ledger.durable === this.#ledger.accepted) return;
    this.#behindOthers(() => this.#sync());
  }

  /** Removes what lies past `written`. */
  cut(): void {
    const { written } = this.#ledger;
    try {
      this.#descriptors.calling.truncateSync(written);
      this.#descriptors.preallocation?.cutTo(written);
    } catch (error) {
      // What should go may still be there: nothing may be appended to it.
      throw this.#failed(error);
    }
  }

  #bufferFor(length: number): Uint8Array {
    if (length > BUFFER_BYTES) return new Uint8Array(length);
    if (this.#buffer.length === 0) this.#buffer = new Uint8Array(BUFFER_BYTES);
    return this.#buffer;
  }

  #appendNow(bytes: Uint8Array, length: number, policy: SyncPolicy, mark: number): void {
    const { window } = this.#ledger;
    if (policy === 'sync' && this.#appendDurably(bytes, length, mark)) return;
    this.#write(bytes, length);
    this.#ledger.wroteBehind(length, mark);
    if (policy === 'batch') window.add(1, length);
    if (policy === 'sync' || (policy === 'batch' && window.full)) this.#sync();
  }

  /** One durable write; false when it must be done in two steps (see `AppendPool`). */
  #appendDurably(bytes: Uint8Array, length: number, mark: number): boolean {
    const ledger = this.#ledger;
    if (!this.#pool.canWriteDurably(ledger.written)) return false;
    try {
      writeFullySync(this.#descriptors.pooled, bytes, ledger.written, 0, length);
    } catch (error) {
      // A refusal may be the write's or the sync's: the two steps apart will say.
      if (meaningOf('write', error) === 'refused') return false;
      throw this.#failed(error);
    }
    ledger.wroteBehind(length, mark);
    ledger.durableTo(ledger.written, mark);
    return true;
  }

  /** Runs `own` when all that is in memory has been written, and then settles that. */
  #behindOthers(own: () => void): void {
    const { cutting } = this.#pool;
    if (cutting !== null) throw this.#refusal(cutting.cause);
    const { inFlight } = this.#ledger;
    if (inFlight !== null && inFlight.length > 0) this.#rewrite(inFlight);
    const caughtUp: AppendGroup[] = [];
    try {
      for (let group = this.#ledger.next; group !== undefined; group = this.#ledger.next) {
        assert(group.start === this.#ledger.written, 'groups follow one another');
        this.#write(group.buffer, group.length);
        this.#ledger.wrote(group);
        this.#ledger.shift();
        caughtUp.push(group);
      }
      own();
    } finally {
      for (const group of caughtUp) if (this.#ledger.settle(group)) this.#pool.startSync();
    }
  }

  /**
   * When this is refused nothing is cut: the call under way at that place has the last word on the
   * group.
   */
  #rewrite(group: AppendGroup): void {
    try {
      writeFullySync(this.#descriptors.calling, group.buffer, group.start, 0, group.length);
      this.#ledger.wrote(group);
    } catch (error) {
      // Nothing was done for the caller, who hears of it by what the failure means.
      if (meaningOf('write', error) === 'refused') throw this.#refusal(error);
      this.#ledger.fail(error);
      throw this.#ledger.poison.error('old');
    }
  }

  /** Writes at `written`. A refused write leaves no trace, now or after a crash. */
  #write(bytes: Uint8Array, length: number): void {
    try {
      writeFullySync(this.#descriptors.calling, bytes, this.#ledger.written, 0, length);
    } catch (error) {
      // As in `#rewrite`, with the bytes that did get there.
      if (meaningOf('write', error) === 'poisoned') throw this.#failed(error);
      this.cut();
      this.#sync();
      throw this.#refusal(error);
    }
  }

  #sync(): void {
    const { written, writtenMark } = this.#ledger;
    try {
      this.#settings.dispatch.bytesSync(this.#descriptors.calling);
    } catch (error) {
      // A failed sync is never tried again: fail-stop.
      throw this.#failed(error);
    }
    this.#ledger.window.clear();
    this.#ledger.durableTo(written, writtenMark);
  }

  /** What was being written may have been a group of the queue. */
  #failed(error: unknown): Error {
    this.#ledger.fail(error, 'unknown');
    return this.#ledger.poison.error('unknown');
  }

  #refusal(cause: unknown): FileChangeError {
    const { path } = this.#descriptors.calling;
    return new FileChangeError('append to', path, 'old', cause as Error & { code: string });
  }
}
