/** What an exploration of one model comes to: the certificate's numbers, and what failed. Types only. */

import type { CrashModel } from '../model/crash-model.ts';
import type { ExploredPart } from './explored-part.ts';
import type { Violation } from './violation-list.ts';

export interface Exploration {
  readonly model: CrashModel;
  /** Places at which the power can fail. */
  readonly crashPoints: number;
  /** Those that were walked, or sampled where that was too much; of a complete walk they have every disk. */
  readonly walkedPoints: number;
  /** Those that have to be walked. */
  readonly decidingPoints: number;
  /**
   * States that the model allows over all crash points; null when they were too many, or time or an interrupt
   * ended the count.
   */
  readonly rawStates: bigint | null;
  /** States walked, equal disks included. */
  readonly walked: number;
  /** States drawn at random, where walking all was too much. */
  readonly sampled: number;
  /** What the samples were drawn with. */
  readonly seed: number;
  /**
   * At the crash points that were not walked whole: distinct disks looked at, of the states that the model allows
   * there. Null where every point was walked whole, or where the states could not be counted.
   */
  readonly sampledShare: number | null;
  /**
   * Distinct disks; with a checker that reads lazily, distinct things that it saw: each stands for every disk that
   * differs from it only in what the checker never looks at.
   */
  readonly distinct: number;
  readonly decidedBy: 'disks' | 'reads';
  /** Disks handed to the checker; a lazy one is asked once for each thing that it could see. */
  readonly checked: number;
  /** Disks whose verdict was known from another model or an earlier exploration. */
  readonly reused: number;
  /** The first violations of the walk; `violationCount` has them all. */
  readonly violations: readonly Violation[];
  /** Disks that failed. */
  readonly violationCount: number;
  /** False when the budget ended before the walk did: what was sampled is not complete. */
  readonly complete: boolean;
  /** False when blocks had more outcomes than are told apart, so that going on would not help. */
  readonly whole: boolean;
  /** Runs that it took: more than one where an interrupted run was gone on with. */
  readonly runs: number;
  /** True when the checker did not read the same when it was asked again. */
  readonly unsteady: boolean;
  /** To go on from; null where nobody asked for it. */
  readonly part: ExploredPart | null;
}
