/**
 * Whether a read on the calling thread is likely to find its bytes in the page cache: then it takes
 * microseconds, and a trip to the thread pool would take fifty times as long. Nobody can be asked,
 * so it goes by experience: after a slow read, the next ones go to the pool, the more the more
 * often that happens, before one is tried again.
 */

import type { Clock } from './clock.ts';

/** A read that took longer has waited for a device, or for its turn. */
const SLOW_MS = 0.5;
const POOL_READS_MIN = 16;
const POOL_READS_MAX = 4096;

/** The experience of one store. */
export class ReadSpeed {
  readonly #clock: Clock | null;
  /** Reads that go to the pool before the next is tried here. */
  #poolReads = 0;
  #nextPoolReads = POOL_READS_MIN;

  /** `clock` null: reads of calls that answer later always go to the pool. */
  constructor(clock: Clock | null) {
    this.#clock = clock;
  }

  get isFast(): boolean {
    return this.#clock !== null && this.#poolReads === 0;
  }

  /** Before a read on the calling thread: what `end` wants. */
  begin(): number {
    return this.#clock === null ? 0 : this.#clock.monotonicMs();
  }

  /** After it. */
  end(startMs: number): void {
    if (this.#clock === null) return;
    if (this.#clock.monotonicMs() - startMs > SLOW_MS) {
      this.#poolReads = this.#nextPoolReads;
      this.#nextPoolReads = Math.min(POOL_READS_MAX, 2 * this.#nextPoolReads);
    } else if (this.#nextPoolReads > POOL_READS_MIN) {
      this.#nextPoolReads--;
    }
  }

  /** A read went to the pool. */
  noteLater(): void {
    if (this.#poolReads > 0) this.#poolReads--;
  }
}
