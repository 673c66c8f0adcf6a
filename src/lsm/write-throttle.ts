/**
 * Slows writers down while the background is behind, the more the further: so that nobody is
 * stopped for long at once. Not here: the limits at which writers do wait.
 */

/** Bytes a second that writers get when the background is only just behind. */
const RATE_MAX = 64 << 20;
/** However far behind the background is, writers get this part of the rate. */
const RATE_PART_MIN = 0.05;
/** Debts below this are carried on: no timer is that exact. */
const WAIT_MS_MIN = 1;
/** No single write is held back for longer. */
const WAIT_MS_MAX = 20;

/** Counts what writers write against what they may. */
export class WriteThrottle {
  /** The time at which the debt of the writers so far is paid. */
  #paidMs = 0;

  /** Whether anybody may have to wait: to ask the time for nothing costs more than to ask this. */
  get hasDebt(): boolean {
    return this.#paidMs !== 0;
  }

  /** The background keeps up. */
  forgive(): void {
    this.#paidMs = 0;
  }

  /** Counts `bytes` accepted at `nowMs` under a pressure above 0 (none), up to 1 (stop). */
  debit(bytes: number, pressure: number, nowMs: number): void {
    if (pressure <= 0) {
      this.forgive();
      return;
    }
    const rate = RATE_MAX * Math.max(RATE_PART_MIN, 1 - pressure);
    const paidMs = Math.max(this.#paidMs, nowMs) + (bytes / rate) * 1000;
    this.#paidMs = Math.min(paidMs, nowMs + WAIT_MS_MAX);
  }

  /** How many milliseconds the next writer waits. */
  waitMs(nowMs: number): number {
    const waitMs = this.#paidMs - nowMs;
    return waitMs < WAIT_MS_MIN ? 0 : waitMs;
  }
}
