/** A clock that goes only when a test says so. */

import type { Clock, Timer } from '../../src/base/clock.ts';

export class ManualClock implements Clock {
  #nowMs = 0;
  #timers: { readonly atMs: number; readonly run: () => void }[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Timer {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((each) => each !== timer);
      },
    };
  }

  async sleep(delayMs: number): Promise<void> {
    this.pass(delayMs);
  }

  sleepSync(delayMs: number): void {
    this.pass(delayMs);
  }

  /** How many calls are to come. */
  get pending(): number {
    return this.#timers.length;
  }

  /** Time passes, and what is due runs. */
  pass(ms: number): void {
    this.#nowMs += ms;
    const due = this.#timers.filter((timer) => timer.atMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => timer.atMs > this.#nowMs);
    for (const timer of due) timer.run();
  }
}
