/**
 * Runs asynchronous jobs one at a time, in the order in which they came. It knows no priorities.
 */

/** A queue of jobs. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  /** Jobs that have not settled yet, the running one included. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Runs `job` when all jobs before it have settled, however they ended, and settles as it does. A
   * job that waits for a later job of the same queue waits for ever.
   */
  run<T>(job: () => T | Promise<T>): Promise<T> {
    this.#pending++;
    const result = this.#last.then(job).finally(() => {
      this.#pending--;
    });
    // Who called sees the rejection; the next job must not.
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when every job that came before this call has settled. Never rejects. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
