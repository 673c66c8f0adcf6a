/**
 * How much an exploration may cost, shared by the models of one run: distinct disks for each model, and time for
 * all together. What is left is shared out over the walks to come, so that the last one is not the one that gets
 * nothing.
 */

import type { Clock } from '../../base/clock.ts';
import { systemClock } from '../../base/clock.ts';

/** Of the time of one crash point, what goes into walking in order before the rest is sampled. */
const WALKED_SHARE = 0.8;

/** Where time is limited, counting the states of one model may take what is left, and at least so many seconds. */
const COUNT_SECONDS_MIN = 5;

/** The part of an `AbortSignal` that is looked at. */
export interface InterruptSignal {
  readonly aborted: boolean;
}

export class ExploreDeadline {
  readonly #clock: Clock;
  readonly #endMs: number;
  readonly #signal: InterruptSignal | null;

  /** @param secondsMax null for no limit. */
  constructor(
    secondsMax: number | null,
    signal: InterruptSignal | null = null,
    clock: Clock = systemClock,
  ) {
    this.#clock = clock;
    this.#signal = signal;
    this.#endMs = secondsMax === null ? Infinity : clock.monotonicMs() + secondsMax * 1000;
  }

  /** The user asked for an end. */
  get interrupted(): boolean {
    return this.#signal?.aborted === true;
  }

  get passed(): boolean {
    return this.interrupted || this.#clock.monotonicMs() >= this.#endMs;
  }

  /** Null for no limit. */
  get secondsLeft(): number | null {
    const ms = this.#endMs - this.#clock.monotonicMs();
    return ms === Infinity ? null : Math.max(0, ms / 1000);
  }

  /** With the same interruption, from now on so many seconds; null for no limit. */
  renewed(secondsMax: number | null): ExploreDeadline {
    return new ExploreDeadline(secondsMax, this.#signal, this.#clock);
  }

  /** A deadline for the next of `parts` equal parts of what is left. */
  partOf(parts: number): ExploreDeadline {
    return this.#after((this.#endMs - this.#clock.monotonicMs()) / Math.max(1, parts));
  }

  /** Where walking in order has to end so that there is time for samples. */
  forWalking(): ExploreDeadline {
    return this.#after((this.#endMs - this.#clock.monotonicMs()) * WALKED_SHARE);
  }

  /** From now on, for what counts states without walking them. */
  forCounting(): ExploreDeadline {
    const left = this.secondsLeft;
    return this.renewed(left === null ? null : Math.max(left, COUNT_SECONDS_MIN));
  }

  #after(ms: number): ExploreDeadline {
    return new ExploreDeadline(ms === Infinity ? null : ms / 1000, this.#signal, this.#clock);
  }
}
