/** What the write path of an LSM store is given: the store around it, and where it goes on. */

import type { Clock } from '../base/clock.ts';
import type { Poison } from '../durable/poison.ts';
import type { FlushTask } from './flush-task.ts';
import type { LsmLog, LsmLogSettings } from './lsm-log.ts';

/** What the write path needs of the store around it. */
export interface WriteSurroundings {
  readonly poison: Poison;
  readonly clock: Clock;
  readonly log: Omit<LsmLogSettings, 'onRefused'>;
  /** Bytes of a memtable at which it is full. */
  readonly bufferBytes: number;
  takeFileNumber(): number;
  /** Throws why nothing is written any more, if so: HOLDFAST_POISONED, HOLDFAST_CORRUPTION. */
  check(): void;
  /** Makes a table of a memtable and lets the logs before it go. Rejects when it is given up. */
  flush(task: FlushTask): Promise<void>;
  /** As `flush`, on the calling thread, whatever is under way. Throws when it cannot be done now. */
  flushSync(task: FlushTask): void;
  /** How far the background is behind, from 0 to 1. */
  pressure(): number;
}

/** Where a new store goes on. */
export interface WriteStart {
  readonly log: LsmLog;
  /** The number of the first operation to come. */
  readonly nextSequence: number;
}
