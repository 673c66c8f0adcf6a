/**
 * What a test suite hands to the laboratory and gets back: a workload written against `Vfs`, a check of what a
 * crash left, and how far to go. Types only; the run is `explore-crash-test.ts`.
 */

import type { FileTreeDirectory } from '../../vfs/file-tree.ts';
import type { Fault } from '../../vfs/fault.ts';
import type { Vfs } from '../../vfs/vfs.ts';
import type { CrashedDisk } from '../check/checker.ts';
import type { Finding } from '../explain/finding.ts';
import type { CrashModel } from '../model/crash-model.ts';
import type { Trace } from '../record/operation.ts';
import type { Skipped } from '../report/skipped.ts';

export interface WorkloadContext {
  /**
   * Says "this has been promised to the outside world": every crash after it must leave a disk that is consistent
   * with `text`, which `check` gets. The `mark` of `holdfast/lab` does the same for code that has no context.
   */
  readonly mark: (text: string) => void;
}

/**
 * The program under test, written against `Vfs`; its root is `/`. To be the same on every call: it runs once, and
 * once more for each fault. What it rejects with fails the test, except after an injected fault.
 */
export type Workload = (vfs: Vfs, context: WorkloadContext) => unknown;

export interface CheckContext {
  /** What had been promised by the crash, in order. */
  readonly marks: readonly string[];
  /** The same as plain data; its tree is as the crash left it or, with `recover`, as recovery left it. */
  readonly disk: CrashedDisk;
}

/** Recovery as the program does it at its next start. It may mark as a workload does. */
export type Recover = (vfs: Vfs, context: WorkloadContext & CheckContext) => unknown;

/** Looks at a private copy of the disk, which it may change, and throws or rejects when something is wrong. */
export type CheckFunction = (vfs: Vfs, context: CheckContext) => unknown;

/** A check that has to know the recorded trace first. */
export interface TraceOracle {
  readonly name: string;
  /** Called once per recorded trace, before any of its disks is checked. `recover` is the test's. */
  forTrace(trace: Trace, recover: Recover | undefined): CheckFunction;
}

export type Check = CheckFunction | TraceOracle;

export interface CrashTest {
  readonly workload: Workload;
  readonly check: Check;
  /**
   * Run before `check` on every crashed disk; throwing is a finding. With `nested` its own crashes are explored.
   * Without it, what `check` itself changes on the disk counts as recovery.
   */
  readonly recover?: Recover;
  /** Names, or models of one's own. @default DEFAULT_MODELS */
  readonly models?: readonly (string | CrashModel)[];
  /** The disk before the workload, all of it durable. @default an empty one */
  readonly tree?: FileTreeDirectory;
  /** Distinct disks that are checked at most, everything together. @default BUDGET_DEFAULT */
  readonly budget?: number;
  /** Decides what is drawn where there are too many states. @default 1 */
  readonly seed?: number;
  /**
   * How deep crashes go on: 1 also cuts the power inside recovery, 2 inside the recovery of that. @default 1
   */
  readonly nested?: number;
  /**
   * `true` runs the workload again for each fault of `FAULTS_DEFAULT` at each call it can hit, and explores the
   * crashes of each of those runs; a list says which faults. `nth` is filled in. @default false
   */
  readonly faults?: boolean | readonly Omit<Fault, 'nth'>[];
}

/** What was explored under one model, of the run without faults. */
export interface ModelCertificate {
  readonly model: string;
  readonly crashPoints: number;
  /** States that the model allows, exactly; null when they were too many to count. */
  readonly rawStates: bigint | null;
  readonly disksDistinct: number;
  readonly disksFailing: number;
  /** States built one after the other, equal disks included. */
  readonly statesWalked: number;
  /** States drawn at random where walking all was too much. */
  readonly statesSampled: number;
  /** At the crash points that were cut: disks looked at, of the states allowed there; null where none was cut. */
  readonly sampledShare: number | null;
  /** What was not looked at, and why. */
  readonly skipped: readonly Skipped[];
  /**
   * `'reads'`: the disks were too many to build each, so `disksDistinct` counts different things that recovery and
   * check saw; each stands for all disks that differ only in what they did not read.
   */
  readonly decidedBy: 'disks' | 'reads';
  readonly complete: boolean;
}

/** What was explored of the runs with a fault, over all models. */
export interface FaultCertificate {
  /** Runs with a fault; 0 when no faults were asked for. */
  readonly runs: number;
  /** Runs that ended with an error. */
  readonly threw: number;
  /** Explorations, one for each run and model, that were made. */
  readonly explored: number;
  /** Summed over runs and models; many are equal to disks of other runs. */
  readonly disksDistinct: number;
  readonly disksFailing: number;
  /** Explorations with a failing disk, and those of them whose findings were worked out: the first of each model. */
  readonly failed: number;
  readonly explained: number;
  readonly complete: boolean;
}

/** What was explored of crashes inside recovery, at one depth, over all models. */
export interface NestedCertificate {
  /** 1: the power fails inside recovery; 2: inside the recovery of that. */
  readonly depth: number;
  /** Disks whose recovery changes something, each once for each model. */
  readonly recoveries: number;
  /** How many of them were explored; the others are drawn out by the seed. */
  readonly explored: number;
  /** Summed over recoveries; most are equal to disks that were known. */
  readonly disksDistinct: number;
  readonly disksFailing: number;
  /** Recoveries with a failing disk, and those of them whose findings were worked out: the first of each model. */
  readonly failed: number;
  readonly explained: number;
  readonly complete: boolean;
}

/** What a result is worth. */
export interface CrashTestCertificate {
  readonly models: readonly ModelCertificate[];
  readonly faults: FaultCertificate;
  readonly nested: readonly NestedCertificate[];
  readonly budget: number;
  readonly seed: number;
  /** Disks handed to `recover` and `check`, everything together; no disk twice under the same marks. */
  readonly disksChecked: number;
  /** What the recorder saw and could not model, by name. */
  readonly unmodelled: readonly string[];
}

/** One cause of losses, on all models and in all runs where it showed. */
export interface CrashTestFinding {
  readonly models: readonly string[];
  /** 0: a crash of the workload; 1: inside recovery; 2: inside the recovery of that. */
  readonly depth: number;
  /** The failed call of the run that shows it, in words; null when no fault is needed. */
  readonly fault: string | null;
  /** The example that is shown. Its operations are those of the workload, or of recovery at depth 1 and more. */
  readonly example: Finding;
  /** Reproduces the example's disk: see `HOLDFAST_REPLAY`. Null where the state was not met again. */
  readonly token: string | null;
}

export interface CrashTestResult {
  /**
   * `'found'`: some disk failed. `'incomplete'`: none did, but the budget ended first or something could not be
   * modelled. `'passed'`: every disk that the models allow was checked, or equals one that was.
   */
  readonly verdict: 'passed' | 'found' | 'incomplete';
  readonly certificate: CrashTestCertificate;
  readonly findings: readonly CrashTestFinding[];
}

/** Distinct disks when no budget is given. */
export const BUDGET_DEFAULT = 50_000;

/** Failed syncs that leave pages clean, failed directory syncs, short writes, a full disk, failed writes. */
export const FAULTS_DEFAULT: readonly Omit<Fault, 'nth'>[] = [
  { kind: 'failed-sync' },
  { kind: 'EIO', calls: ['directory.sync'] },
  { kind: 'short-write' },
  { kind: 'ENOSPC' },
  { kind: 'EIO', calls: ['file.write'] },
];
