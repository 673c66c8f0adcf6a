/**
 * The window of policy `'batch'`: how many records and bytes have resolved and are not durable yet,
 * and when the oldest of them is due. Only counts and asks; the sync is its owner's.
 */

import { assert } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { BatchBounds } from './append-options.ts';

export class AppendWindow {
  readonly #bounds: BatchBounds;
  readonly #clock: Clock;
  readonly #onDue: () => void;
  /** Written and not durable. */
  #records = 0;
  #bytes = 0;
  /** The part of them that the sync under way covers. */
  #syncingRecords = 0;
  #syncingBytes = 0;
  /** Runs from the first record that no sync under way covers. */
  #timer: Timer | null = null;

  /** `onDue` is called when the time bound of the oldest uncovered record has passed. */
  constructor(bounds: BatchBounds, clock: Clock, onDue: () => void) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /**
   * Whether the window has reached a bound: what was added last must not resolve before it is
   * durable.
   */
  get full(): boolean {
    return this.#records >= this.#bounds.records || this.#bytes >= this.#bounds.bytes;
  }

  /** These records are with the operating system. */
  add(records: number, bytes: number): void {
    this.#records += records;
    this.#bytes += bytes;
    this.#timer ??= this.#clock.after(this.#bounds.ms, () => {
      this.#timer = null;
      this.#onDue();
    });
  }

  /** A sync begins that covers everything added so far. */
  syncStarted(): void {
    this.stopTimer();
    this.#syncingRecords = this.#records;
    this.#syncingBytes = this.#bytes;
  }

  /** That sync has succeeded. */
  syncEnded(): void {
    this.#records -= this.#syncingRecords;
    this.#bytes -= this.#syncingBytes;
    this.#syncingRecords = 0;
    this.#syncingBytes = 0;
    assert(this.#records >= 0, 'the batch window counts no records twice');
    assert(this.#bytes >= 0, 'the batch window counts no bytes twice');
  }

  /** Everything added so far is durable. */
  clear(): void {
    this.syncStarted();
    this.syncEnded();
  }

  /** No call will come for what was added so far. */
  stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
