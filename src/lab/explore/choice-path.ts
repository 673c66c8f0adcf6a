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

/** Where a walk stands, as plain data: what was taken of how many, choice by choice. */
export type ChoicePlace = readonly (readonly [taken: number, count: number])[];

export class ChoicePath implements Chooser {
  readonly #taken: number[] = [];
  readonly #counts: number[] = [];
  #depth = 0;
  /** Some run did not ask for what the run before it had asked for. */
  #unsteady = false;

  /** @param place where to go on: the next run is the one that would have come there. */
  constructor(place: ChoicePlace = []) {
    for (const [taken, count] of place) {
      this.#taken.push(taken);
      this.#counts.push(count);
    }
  }

  /** Choices made since the run began. */
  get depth(): number {
    return this.#depth;
  }

  /** The first choice that is another one than in the run before; valid after `next` until the run ends. */
  get changed(): number {
    return this.#taken.length - 1;
  }

  /** True when a run was not repeated as it was: then not every combination is walked. */
  get unsteady(): boolean {
    return this.#unsteady;
  }

  /** Plain data for the constructor. REQUIRES: called between `next` and the run. */
  get place(): ChoicePlace {
    return this.#taken.map((taken, index) => [taken, this.#counts[index] ?? 0] as const);
  }

  /** REQUIRES: called before every run, with as many choices as are known to stay as they were. */
  begin(depth = 0): void {
    assert(depth <= this.#taken.length, 'a run begins within the path');
    this.#depth = depth;
  }

  takenAt(depth: number): number {
    return this.#taken[depth] ?? 0;
  }

  choose(count: number): number {
    const depth = this.#depth++;
    if (depth === this.#taken.length) {
      this.#taken.push(0);
      this.#counts.push(count);
      return 0;
    }
    if (this.#counts[depth] !== count) this.#surprise(count, depth);
    return this.#taken[depth] ?? 0;
  }

  /** @returns false when every combination has been walked. */
  next(): boolean {
    if (this.#depth < this.#taken.length) this.#unsteady = true;
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

  /** The run went another way than before: what it asks for now is taken as new, and the walk is no proof. */
  #surprise(count: number, depth: number): void {
    this.#unsteady = true;
    this.#taken.length = depth;
    this.#counts.length = depth;
    this.#taken.push(0);
    this.#counts.push(count);
  }
}
