/** What an exploration of one model is asked for, and what it tells while it goes on. Types only. */

import type { Checker } from '../check/checker.ts';
import type { ContentStore } from './content-store.ts';
import type { ExploreDeadline } from './explore-budget.ts';
import type { ExploredPart } from './explored-part.ts';
import type { VerdictCache } from './verdict-cache.ts';

/**
 * What an exploration leaves out because it tells nothing new: crash points, disks that were checked under the same
 * or stronger marks, names that show nothing new. Switched off one by one to see that it is so.
 */
export type Reduction = 'points' | 'disks' | 'names';

export interface ExploreOptions {
  readonly checker: Checker;
  readonly store: ContentStore;
  readonly verdicts: VerdictCache;
  /** Distinct disks after which the walk ends, unfinished; of this run, where an earlier one is gone on with. */
  readonly disksMax: number;
  /** Visible states, equal ones included, after which the rest is sampled. */
  readonly walkedMax: number;
  /** States drawn at random, shared among the crash points where not all were walked. @default 2048 at each */
  readonly samplesMax?: number | undefined;
  /** Seed of the samples. @default 1 */
  readonly seed?: number;
  /** False leaves `rawStates` null: for explorations whose certificate nobody reads. @default true */
  readonly countStates?: boolean;
  /** When to end. @default never */
  readonly deadline?: ExploreDeadline;
  readonly onProgress?: (progress: ExploreProgress) => void;
  /** What an earlier run of the same exploration came to. */
  readonly from?: ExploredPart | null;
  /** True gives `Exploration.part`, for a run to come. @default false */
  readonly keep?: boolean;
  /** Reductions that are left out. @default none */
  readonly without?: readonly Reduction[];
}

export interface ExploreProgress {
  readonly model: string;
  readonly walked: number;
  readonly distinct: number;
  /** Crash points done, of those to walk. */
  readonly points: readonly [number, number];
}
