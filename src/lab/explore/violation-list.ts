/**
 * The first disks that a checker refused, in the order in which the walk met them: checks that run side by side end
 * in any order, and the result must not depend on it.
 */

import type { CrashState } from './crash-state.ts';

/** A crash state whose disk the checker refused. */
export interface Violation {
  readonly state: CrashState;
  readonly message: string;
}

/** With its place in the walk. */
export interface PlacedViolation extends Violation {
  readonly place: number;
}

/** More are counted, not kept. */
const VIOLATIONS_KEPT = 256;

export class ViolationList {
  readonly #kept: PlacedViolation[];

  constructor(kept: readonly PlacedViolation[] = []) {
    this.#kept = [...kept];
  }

  /** `state` is called only where the violation is kept. */
  add(place: number, message: string, state: () => CrashState): void {
    const last = this.#kept.at(-1);
    const isFull = this.#kept.length >= VIOLATIONS_KEPT;
    if (isFull && last !== undefined && last.place < place) return;
    const after = this.#kept.findLastIndex((other) => other.place < place);
    this.#kept.splice(after + 1, 0, { place, message, state: state() });
    if (isFull) this.#kept.pop();
  }

  get all(): readonly PlacedViolation[] {
    return this.#kept;
  }
}
