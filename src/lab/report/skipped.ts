/** What an exploration did not look at, and why: part of every certificate. */

import type { Exploration } from '../explore/exploration.ts';

export interface Skipped {
  readonly what: 'crash points' | 'states';
  /** A decimal number; null where states could not be counted. */
  readonly count: string | null;
  /**
   * `'same-disks'`: each of their disks is one that was looked at, or differs from it only in what the checker does
   * not read. `'budget'`: the budget ended first. `'outcomes'`: a block had more contents than are told apart.
   */
  readonly why: 'same-disks' | 'budget' | 'outcomes';
}

export function skippedIn(exploration: Exploration): Skipped[] {
  const { crashPoints, decidingPoints, walkedPoints, rawStates, walked, sampled } = exploration;
  const skipped: Skipped[] = [];
  const points = (count: number, why: Skipped['why']): void => {
    if (count > 0) skipped.push({ what: 'crash points', count: String(count), why });
  };
  points(crashPoints - decidingPoints, 'same-disks');
  points(decidingPoints - walkedPoints, 'budget');
  const looked = BigInt(walked + sampled);
  const left = rawStates === null ? null : rawStates > looked ? rawStates - looked : 0n;
  const why = exploration.complete ? 'same-disks' : exploration.whole ? 'budget' : 'outcomes';
  if (left !== 0n)
    skipped.push({ what: 'states', count: left === null ? null : String(left), why });
  return skipped;
}
