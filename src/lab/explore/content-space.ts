/** What the contents of files ask of the crash space that they belong to, and the choices that they leave to it. */

import type { BlockHistory, Change } from '../model/change.ts';
import type { ChangeHistory } from '../model/split-trace.ts';
import type { BlockOutcome } from './block-domain.ts';

/** The choice of one block's content among several that a reader could see. */
export interface BlockChoice {
  readonly kind: 'block';
  readonly history: BlockHistory;
  readonly outcomes: readonly BlockOutcome[];
}

/** The choice of the order in which calls came that overlapped in time. */
export interface OrderChoice {
  readonly kind: 'order';
  readonly change: Change;
}

/** What contents ask of the space they belong to: a `CrashSpace`. */
export interface ContentSpace {
  readonly history: ChangeHistory;
  /** The power fails when everything up to this time has happened. */
  readonly position: number;
  survives(change: Change): boolean;
  ask(count: number, choice: BlockChoice | OrderChoice): number;
  /** Whether the stream can have come as far as calls that started at `time`. */
  mayReach(time: number): boolean;
  /** It has. REQUIRES: `mayReach(time)`. */
  require(time: number): void;
}
