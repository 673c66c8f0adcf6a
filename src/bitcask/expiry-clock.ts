/**
 * The clock that decides what has expired: never behind the highest time ever seen, also across
 * restarts with the clock set back. A time counts for an answer "expired" only once it is stored:
 * before that the answer could be taken back by a crash.
 */

export class ExpiryClock {
  readonly #timeOfDay: () => number;
  #highest: number;
  #stored: number;

  /** `stored`: the highest time that the disk has. */
  constructor(timeOfDay: () => number, stored: number) {
    this.#timeOfDay = timeOfDay;
    this.#highest = stored;
    this.#stored = stored;
  }

  /** Milliseconds since the epoch; never goes back. */
  now(): number {
    const now = Math.floor(this.#timeOfDay());
    if (now > this.#highest) this.#highest = now;
    return this.#highest;
  }

  /** The highest time that is durable. */
  get stored(): number {
    return this.#stored;
  }

  /** Whether an entry with this expiry is not to be seen any more; 0 never expires. */
  isOver(expiry: number): boolean {
    return expiry !== 0 && (expiry <= this.#stored || expiry <= this.now());
  }

  /** Whether nobody may hear yet that this expiry is over: the time must be stored first. */
  mustStore(expiry: number): boolean {
    return expiry > this.#stored;
  }

  /** This time is durable now. */
  noteStored(time: number): void {
    if (time > this.#stored) this.#stored = time;
    if (time > this.#highest) this.#highest = time;
  }

  /**
   * The disk does not take the time. Answers are given all the same: until a later time is stored,
   * a clock that is set back and a crash could together take them back.
   */
  noteUnstored(): void {
    this.#stored = Math.max(this.#stored, this.#highest);
  }
}
