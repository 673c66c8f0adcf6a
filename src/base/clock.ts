/**
 * Time, passed in so that tests and the lab decide how it goes. The only module of `base` up to the
 * engines that uses timers. The time of day is apart from it:
 * only what expires depends on it.
 */

/** A source of time. All times are milliseconds. */
export interface Clock {
  /** Time since some fixed point; never goes back. */
  monotonicMs(): number;
  /**
   * Calls `run` once after the delay unless cancelled. A pending call does not keep the process
   * alive.
   */
  after(delayMs: number, run: () => void): Timer;
  /** Resolves after the delay, and keeps the process alive until then. */
  sleep(delayMs: number): Promise<void>;
  /** Blocks the calling thread. */
  sleepSync(delayMs: number): void;
}

/** A call to come. */
export interface Timer {
  /** The call will not happen. No effect when it has. */
  cancel(): void;
}

/** The clock of the machine. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),

  after(delayMs, run) {
    const timer = setTimeout(run, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },

  sleep: (delayMs) => new Promise((resolve) => void setTimeout(resolve, delayMs)),

  sleepSync(delayMs) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delayMs);
  },
};

/**
 * Resolves when the event loop has gone round once, so that timers and sockets had their turn: for
 * a long row of answers that never waited for anything.
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** The machine's time of day, in milliseconds since the epoch. May go back. */
export function timeOfDayMs(): number {
  return Date.now();
}
