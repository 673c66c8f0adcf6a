/**
 * How far an exploration of one model came, as plain data: enough to go on where it ended, in this process or in
 * another one, so that both together are one exploration. Written to a file by `resume-file.ts`.
 */

import type { ChoicePlace } from './choice-path.ts';
import type { SeenDisk } from './seen-disks.ts';
import type { PlacedViolation } from './violation-list.ts';

/** One crash point that was begun. */
export interface ExploredPoint {
  readonly position: number;
  /** Where the walk of its states stands; null when it was walked whole. */
  readonly place: ChoicePlace | null;
  /** Disks that were new at this point. */
  readonly distinct: number;
}

export interface ExploredPart {
  readonly points: readonly ExploredPoint[];
  readonly seen: readonly SeenDisk[];
  readonly walked: number;
  readonly sampled: number;
  readonly checked: number;
  readonly reused: number;
  readonly visited: number;
  readonly violations: readonly PlacedViolation[];
  /** Runs so far, the first one included. */
  readonly runs: number;
}
