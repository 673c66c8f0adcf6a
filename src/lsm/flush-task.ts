/**
 * A full memtable on its way into a table: what the write path asks of the maintenance, and how far
 * that is. Not here: writing the table (`run-job`) and naming it (`version-set`).
 */

import type { Memtable } from './memtable.ts';

/** How far a flush is: its table is being made; the edit that names it is on its way; it counts. */
export type FlushStage = 'table' | 'edit' | 'done';

/** One flush. Whoever finishes it says `finish`: the background, or a writer that cannot wait. */
export class FlushTask {
  /** The log that goes on: those before it are not needed once this is done. */
  readonly logNumber: number;
  /** The number of the newest operation in the memtable. */
  readonly lastSequence: number;
  stage: FlushStage = 'table';
  #memtable: Memtable | null;
  #refusal: Error | null = null;
  /** Those who want to hear of the next refusal. */
  #waiting: ((error: Error) => void)[] = [];

  constructor(memtable: Memtable, logNumber: number, lastSequence: number) {
    this.#memtable = memtable;
    this.logNumber = logNumber;
    this.lastSequence = lastSequence;
  }

  /** Null when it is done: a task that waits for the background must not hold the memory. */
  get memtable(): Memtable | null {
    return this.#memtable;
  }

  get isDone(): boolean {
    return this.stage === 'done';
  }

  /** The table counts. */
  finish(): void {
    this.stage = 'done';
    this.#memtable = null;
    this.#refusal = null;
  }

  /** An attempt could not be done for now (a full disk); another follows. */
  refuse(error: Error): void {
    this.stage = 'table';
    this.#refusal = error;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const tell of waiting) tell(error);
  }

  /** Why it could not be done so far; without an answer yet, why the next attempt is not. */
  refusal(): Promise<Error> {
    return this.#refusal === null ? this.nextRefusal() : Promise.resolve(this.#refusal);
  }

  /** Why the next attempt could not be done. Never settles when it could. */
  nextRefusal(): Promise<Error> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
