/**
 * One run of the laboratory over a trace: explore each model, explain what fails, and say what the result is
 * worth. Recording comes before (`record/`), words and files after (`report/`).
 */

import type { Checker } from './check/checker.ts';
import type { Finding } from './explain/finding.ts';
import type { RedundantSync } from './explain/redundant-syncs.ts';
import { redundantSyncs } from './explain/redundant-syncs.ts';
import { explainViolations } from './explain/repair.ts';
import { ContentStore } from './explore/content-store.ts';
import { ExploreDeadline } from './explore/explore-budget.ts';
import type { Exploration } from './explore/exploration.ts';
import type { ExploreOptions, ExploreProgress } from './explore/explore-options.ts';
import { exploreModel } from './explore/explorer.ts';
import { VerdictCache } from './explore/verdict-cache.ts';
import type { CrashModel } from './model/crash-model.ts';
import { overlapsNotModelled } from './explore/open-overlaps.ts';
import { changesNothing, NOTHING_CHANGED } from './record/nothing-changed.ts';
import type { Trace } from './record/operation.ts';

/** Distinct disks per model after which a walk ends, unless the caller says otherwise. */
export const DISKS_MAX_DEFAULT = 1_000_000;

/** Seconds for exploring all models, unless the caller names a number of disks or seconds. */
export const SECONDS_MAX_DEFAULT = 300;

export interface LabRunOptions {
  readonly models: readonly CrashModel[];
  readonly checker: Checker;
  /** Distinct disks per model. @default DISKS_MAX_DEFAULT */
  readonly disksMax?: number;
  /**
   * Seconds for exploring all models together; explaining what was found comes on top.
   * @default SECONDS_MAX_DEFAULT, or no limit where `disksMax` is given
   */
  readonly secondsMax?: number;
  /** Ends the exploration early: the result says what was covered. Nothing is explained then. */
  readonly signal?: AbortSignal;
  /** Seed of the samples, where there are too many states. @default 1 */
  readonly seed?: number;
  /** Also ask which syncs protect nothing in this trace. Answered only where nothing failed. */
  readonly redundant?: boolean;
  readonly onProgress?: (progress: ExploreProgress) => void;
}

/** What was walked under one model, and what it found. */
export interface ModelRun {
  readonly exploration: Exploration;
  readonly findings: readonly Finding[];
}

export interface LabResult {
  readonly checker: string;
  readonly runs: readonly ModelRun[];
  /** Syncs that protect nothing in this trace; null when it was not asked, or something failed. */
  readonly redundant: readonly RedundantSync[] | null;
  /** What the recorder saw and could not model, by name, each once. */
  readonly unmodelled: readonly string[];
  /**
   * `'found'`: some disk failed. `'incomplete'`: none did, but something could not be modelled or the budget
   * ended first. `'passed'`: every disk that the models allow was checked, or equals one that was.
   */
  readonly verdict: 'passed' | 'found' | 'incomplete';
}

/** @throws whatever the checker throws. */
export async function runLab(trace: Trace, options: LabRunOptions): Promise<LabResult> {
  const disksMax = options.disksMax ?? DISKS_MAX_DEFAULT;
  const explore: ExploreOptions = {
    checker: options.checker,
    store: new ContentStore(),
    verdicts: new VerdictCache(),
    disksMax,
    walkedMax: disksMax * 10,
    seed: options.seed ?? 1,
    countStates: false,
    ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
  };
  const runs: ModelRun[] = [];
  const seconds = options.disksMax === undefined ? SECONDS_MAX_DEFAULT : null;
  const whole = new ExploreDeadline(options.secondsMax ?? seconds, options.signal ?? null);
  for (const [index, model] of options.models.entries()) {
    const deadline = whole.partOf(options.models.length - index);
    const counted = { ...explore, countStates: true, deadline };
    const exploration = await exploreModel(trace, model, counted);
    const failed = exploration.violationCount > 0 && !whole.interrupted;
    const findings = failed ? await explainViolations(trace, model, exploration, explore) : [];
    runs.push({ exploration, findings });
  }
  const unmodelled = unmodelledIn(trace);
  const found = runs.some(({ exploration }) => exploration.violationCount > 0);
  const complete = unmodelled.length === 0 && runs.every(({ exploration }) => exploration.complete);
  const verdict = found ? 'found' : complete ? 'passed' : 'incomplete';
  const asked = options.redundant === true && verdict === 'passed';
  const redundant = asked ? await redundantSyncs(trace, options.models, explore) : null;
  return { checker: options.checker.name, runs, redundant, unmodelled, verdict };
}

function unmodelledIn(trace: Trace): string[] {
  const names = new Set<string>();
  for (const operation of trace.operations) {
    if (operation.kind === 'unmodelled') names.add(operation.what);
  }
  for (const what of overlapsNotModelled(trace)) names.add(what);
  if (changesNothing(trace)) names.add(NOTHING_CHANGED);
  return [...names];
}
