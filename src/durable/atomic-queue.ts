/**
 * The order of asynchronous replacements in one process: those of one file one after the other, in
 * the order of the calls; those of different files side by side, as many as the limit allows, so
 * that a thousand calls at once do not take two thousand descriptors.
 */

import { assert } from '../base/assert.ts';

export class AtomicQueue {
  /** For each file the end of its last job. */
  readonly #ends = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #running = 0;

  constructor(jobsMax: number) {
    assert(jobsMax > 0, 'a queue must let at least one job run');
    this.#free = jobsMax;
  }

  /** True when no more than one job is under way. */
  get alone(): boolean {
    return this.#running <= 1;
  }

  /**
   * Runs `job` after all earlier jobs of the same key, whether they failed or not. A job that need
   * not wait begins before `run` returns; `waited` tells it whether time has gone by since the
   * call.
   */
  async run<T>(key: string, job: (waited: boolean) => Promise<T>): Promise<T> {
    const before = this.#ends.get(key);
    const { ended, end } = newEnd();
    this.#ends.set(key, ended);
    try {
      const waited = before !== undefined || this.#free === 0;
      if (before !== undefined) await before;
      const place = this.#enter();
      if (place !== undefined) await place;
      this.#running += 1;
      try {
        return await job(waited);
      } finally {
        this.#running -= 1;
        this.#leave();
      }
    } finally {
      if (this.#ends.get(key) === ended) this.#ends.delete(key);
      end();
    }
  }

  #enter(): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free -= 1;
      return undefined;
    }
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The place goes to the one that has waited longest, or back. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** A promise, and the function that resolves it. */
function newEnd(): { readonly ended: Promise<void>; readonly end: () => void } {
  let end: (() => void) | undefined;
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  assert(end !== undefined, 'a promise runs its executor at once');
  return { ended, end };
}
