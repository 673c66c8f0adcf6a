/**
 * Turns for whatever else waits in a thread that computes for long: signals, timers, messages. Without them an
 * interrupt is not heard before the computation ends.
 */

import { systemClock } from '../../base/clock.ts';

/** After so many milliseconds others get a turn. */
const TURN_MS = 100;

export class Turns {
  #lastMs = systemClock.monotonicMs();

  /** Asked for often. @returns now and then a promise after which others have had their turn, otherwise null. */
  next(): Promise<void> | null {
    const now = systemClock.monotonicMs();
    if (now - this.#lastMs < TURN_MS) return null;
    return systemClock.sleep(0).then(() => void (this.#lastMs = systemClock.monotonicMs()));
  }
}
