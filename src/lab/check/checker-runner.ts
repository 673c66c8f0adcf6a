/**
 * Keeps as many checks under way as a checker can use, and no more, so that memory stays bounded while the
 * explorer goes on building disks. A checker that answers at once costs no promise and no microtask.
 */

import { assert } from '../../base/assert.ts';
import type { Checker, CrashedDisk, Verdict } from './checker.ts';

/** Told every verdict with what was submitted for it; calls come in the order in which checks end. */
export type VerdictListener<T> = (tag: T, verdict: Verdict) => void;

export class CheckerRunner<T> {
  readonly #checker: Checker;
  readonly #listener: VerdictListener<T>;
  readonly #concurrency: number;
  #running = 0;
  #failure: { readonly error: unknown } | null = null;
  #wake: (() => void) | null = null;

  constructor(checker: Checker, listener: VerdictListener<T>) {
    this.#checker = checker;
    this.#listener = listener;
    this.#concurrency = Math.max(1, checker.concurrency ?? 1);
  }

  /**
   * Starts a check. Returns undefined when another may be submitted at once, otherwise a promise to await first.
   * Rejects or throws with the error of a check that threw, this one or an earlier one; the listener hears
   * nothing of that one.
   */
  submit(disk: CrashedDisk, tag: T): undefined | Promise<void> {
    this.#throwFailure();
    assert(this.#running < this.#concurrency, 'a check was submitted before there was room');
    const answer = this.#checker.check(disk);
    if (!(answer instanceof Promise)) {
      this.#listener(tag, answer);
      return undefined;
    }
    this.#running += 1;
    void answer.then(
      (verdict) => this.#settle(() => this.#listener(tag, verdict)),
      (error: unknown) => this.#settle(() => (this.#failure ??= { error })),
    );
    return this.#running < this.#concurrency ? undefined : this.#until(this.#concurrency - 1);
  }

  /** Resolves when no check is under way; rejects with the error of the first check that threw. */
  async drain(): Promise<void> {
    await this.#until(0);
  }

  async #until(running: number): Promise<void> {
    while (this.#running > running) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    this.#throwFailure();
  }

  #settle(report: () => void): void {
    this.#running -= 1;
    try {
      report();
    } catch (error) {
      // A listener that throws must not become an unhandled rejection: `submit` or `drain` passes it on.
      this.#failure ??= { error };
    }
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
