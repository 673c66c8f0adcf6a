/** What was found wrong with a program, grouped by cause. Plain data; formatting is in `report/`. */

import type { CrashState } from '../explore/crash-state.ts';
import type { StackFrame } from '../record/operation.ts';

/** An operation of the trace, told to people. */
export interface ToldOperation {
  /** Index in the trace. */
  readonly operation: number;
  /** e.g. `rename of a.json.tmp to a.json`. */
  readonly what: string;
  /** Where the program called it: the innermost frame first. */
  readonly stack: readonly StackFrame[];
  /** The frame to name: index into `stack`. */
  readonly site: number;
}

/** A sync that the program lacks. */
export interface MissingSync {
  readonly call: 'fsync' | 'fdatasync';
  readonly of: 'file' | 'directory';
  /** Relative to the root; `.` is the root itself. */
  readonly path: string;
  /** The call that it must follow. */
  readonly after: ToldOperation;
  /** A sync of the same thing that comes too late, or that started too early to cover the change. */
  readonly misplaced: ToldOperation | null;
}

/** The exploration again, with the missing syncs added. */
export interface RepairProof {
  /** How many syncs were added, this one included. */
  readonly added: number;
  readonly distinct: number;
  readonly complete: boolean;
}

export interface Finding {
  readonly model: string;
  /**
   * `'missing-sync'`: a sync added at one place repairs it. `'not-atomic'`: no sync does; the update passes
   * through states that recovery does not accept.
   */
  readonly kind: 'missing-sync' | 'not-atomic';
  /** The checker's words for the disk of `state`. */
  readonly message: string;
  /** What the crash took: the smallest set that still fails. Empty when the crash alone is enough. */
  readonly lost: readonly ToldOperation[];
  /** What had just happened at the earliest crash that shows it. */
  readonly crashAfter: ToldOperation | null;
  readonly sync: MissingSync | null;
  readonly state: CrashState;
  readonly proof: RepairProof | null;
}
