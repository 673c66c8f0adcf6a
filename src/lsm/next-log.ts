/**
 * The log that is written to next, made ahead of need so that nobody waits for its name to become
 * durable. Not here: when the change to it is made (`write-path`).
 */

import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { LsmLog } from './lsm-log.ts';
import type { LsmLogSettings } from './lsm-log.ts';

/** After a log could not be made, the next attempt. */
const RETRY_MS = 200;

export class NextLog {
  readonly #settings: LsmLogSettings;
  readonly #clock: Clock;
  readonly #takeNumber: () => number;
  #log: LsmLog | null = null;
  #making: Promise<void> | null = null;
  #failure: unknown = null;
  #retryAtMs = 0;
  /** A log with a number up to here comes too late. */
  #leastNumber = 0;

  constructor(settings: LsmLogSettings, clock: Clock, takeNumber: () => number) {
    this.#settings = settings;
    this.#clock = clock;
    this.#takeNumber = takeNumber;
  }

  get isReady(): boolean {
    return this.#log !== null;
  }

  get isBeingMade(): boolean {
    return this.#making !== null;
  }

  /** Why the last attempt failed; null when it did not. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Begins to make one, unless that failed just now. */
  prepare(): void {
    if (this.#log !== null || this.#making !== null) return;
    if (this.#clock.monotonicMs() >= this.#retryAtMs) void this.make();
  }

  /**
   * Resolves when one is ready, or could not be made: `failure` says why. A synchronous writer may
   * take it before the caller goes on.
   */
  make(): Promise<void> {
    if (this.#log !== null) return Promise.resolve();
    this.#making ??= this.#make();
    return this.#making;
  }

  /** Makes one on the calling thread, whatever is under way. */
  makeSync(): void {
    const number = this.#takeNumber();
    this.#log = LsmLog.createSync(number, this.#settings);
    this.#failure = null;
    this.#leastNumber = number;
  }

  /** REQUIRES: one is ready. */
  take(): LsmLog {
    const log = this.#log;
    assert(log !== null, 'a log is ready before the change to it');
    this.#log = null;
    this.#leastNumber = log.number;
    return log;
  }

  /** Lets go of what is not used. */
  async close(): Promise<void> {
    await this.#making;
    await this.#log?.close().catch(() => 'nothing is in it');
  }

  /** A synchronous writer did not wait for it. */
  async #drop(log: LsmLog): Promise<void> {
    await log.close();
    // Left there it is an empty log, which the next open removes.
    await this.#settings.dispatch.vfs.unlink(log.path).catch(() => undefined);
  }

  async #make(): Promise<void> {
    try {
      while (this.#log === null) {
        const log = await LsmLog.create(this.#takeNumber(), this.#settings);
        if (log.number > this.#leastNumber) this.#log = log;
        else await this.#drop(log);
      }
      this.#failure = null;
    } catch (error) {
      // Writing goes on in the log there is; the attempt is repeated.
      this.#failure = error;
      this.#retryAtMs = this.#clock.monotonicMs() + RETRY_MS;
    } finally {
      this.#making = null;
    }
  }
}
