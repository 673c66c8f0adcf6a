/**
 * Writers that wait for the background, in the order of their calls. Not here: what they wait for
 * (`write-path`).
 */

import type { SyncPolicy } from '../durable/sync-policy.ts';
import type { WriteBatch } from '../engine/write-batch.ts';

/** A batch that is not in a log yet. */
export interface Queued {
  readonly batch: WriteBatch;
  readonly policy: SyncPolicy;
  readonly resolve: (done: Promise<void> | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Where the line leads. */
export interface LineEnd {
  /** What the first in line waits for; null when nothing. Throws or rejects for a writer refused. */
  obstacle(): Promise<void> | null;
  /** Settles as the write does; throws nothing. */
  accept(batch: WriteBatch, policy: SyncPolicy): Promise<void>;
}

/** Puts a writer at the end of a queue. */
export function queued(queue: Queued[], batch: WriteBatch, policy: SyncPolicy): Promise<void> {
  return new Promise((resolve, reject) => {
    queue.push({ batch, policy, resolve, reject });
  });
}

export class WriteLine {
  readonly #end: LineEnd;
  readonly #queue: Queued[] = [];
  #isMoving = false;

  constructor(end: LineEnd) {
    this.#end = end;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  /** Settles as the write does. */
  join(batch: WriteBatch, policy: SyncPolicy): Promise<void> {
    const done = queued(this.#queue, batch, policy);
    if (!this.#isMoving) void this.#move();
    return done;
  }

  /** Lets all go on, whatever they wait for. */
  empty(): void {
    for (const one of this.#queue.splice(0)) this.#letGoOn(one);
  }

  /** One after the other, as fast as the background allows. */
  async #move(): Promise<void> {
    this.#isMoving = true;
    // `empty` may take them all away at each wait.
    while (this.#queue.length > 0) {
      try {
        const obstacle = this.#end.obstacle();
        if (obstacle === null) this.#letGoOn(this.#queue.shift()!);
        else await obstacle;
      } catch (error) {
        this.#queue.shift()?.reject(error);
      }
    }
    this.#isMoving = false;
  }

  #letGoOn({ batch, policy, resolve }: Queued): void {
    resolve(this.#end.accept(batch, policy));
  }
}
