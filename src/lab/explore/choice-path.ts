/**
 * Walks every combination of choices that a deterministic run asks for. The run calls `choose(n)` whenever it
 * needs a decision; after the run, `next()` moves to the next combination, the deepest choice first. A run that
 * asks for nothing has one combination.
 */

import { assert } from '../../base/assert.ts';

/** Something that decides between `count` options, numbered from 0. */
export interface Chooser {
  choose(count: number): number;
}

export class ChoicePath implements Chooser {
  readonly #taken: number[] = [];
  readonly #counts: number[] = [];
  #depth = 0;

  /** REQUIRES: called before every run. */
  begin(): void {
    this.#depth = 0;
  }

  choose(count: number): number {
    const depth = this.#depth++;
    if (depth === this.#taken.length) {
      this.#taken.push(0);
      this.#counts.push(count);
      return 0;
    }
    assert(this.#counts[depth] === count, 'a run asks for the same choices when it is repeated');
    return this.#taken[depth] ?? 0;
  }

  /** @returns false when every combination has been walked. */
  next(): boolean {
    this.#taken.length = this.#depth;
    this.#counts.length = this.#depth;
    for (let last = this.#depth - 1; last >= 0; last--) {
      const taken = (this.#taken[last] ?? 0) + 1;
      if (taken < (this.#counts[last] ?? 0)) {
        this.#taken[last] = taken;
        return true;
      }
      this.#taken.pop();
      this.#counts.pop();
    }
    return false;
  }
}
