/**
 * Lets timers and sockets have their turn. An engine answers at once what it has at hand, and a
 * program that awaits a million such answers in a row would keep the event loop from going round:
 * promises alone never let it.
 */

import { nextTurn } from '../base/clock.ts';

/** Cost of answers, in entries, after which the event loop goes round: about a millisecond. */
const TURN_COST = 2000;

/** Counts what was answered at once. One a store. */
export class FairTurns {
  #cost = 0;

  /**
   * The answer, as it is or, now and then, after the event loop has gone round. `cost`: about how
   * many entries of a scan took the same time.
   */
  answer<T>(answer: T, cost: number): T | Promise<T> {
    this.#cost += cost;
    if (this.#cost < TURN_COST) return answer;
    this.#cost = 0;
    return nextTurn().then(() => answer);
  }
}
