/**
 * One run of the laboratory over a trace: explore each model, explain what fails, and say what the result is
 * worth. Recording comes before (`record/`), words and files after (`report/`).
 */

import type { Checker } from './check/checker.ts';
import { OldOrNewOracle } from './check/old-or-new-oracle.ts';
import type { RebuiltFiles } from './check/rebuilt-files.ts';
import type { RedundantSync } from './explain/redundant-syncs.ts';
import { redundantSyncs } from './explain/redundant-syncs.ts';
import { ContentStore } from './explore/content-store.ts';
import { ExploreDeadline } from './explore/explore-budget.ts';
import type { ExploreProgress } from './explore/explore-options.ts';
import type { ExploredPart } from './explore/explored-part.ts';
import { overlapsNotModelled } from './explore/open-overlaps.ts';
import { VerdictCache } from './explore/verdict-cache.ts';
import {
  type ModelRun,
  type ModelTask,
  type ModelTools,
  exploreOptions,
  runModel,
} from './model-run.ts';
import { runInWorkers } from './model-workers.ts';
import type { CrashModel } from './model/crash-model.ts';
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
   * Seconds for exploring all models together; explaining what was found comes on top, and may take as long again.
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
  /**
   * Models explored at the same time, each in a thread: with the built-in oracle only, because other checkers
   * cannot be taken to a thread. The result is the same for any number. @default 1
   */
  readonly jobs?: number;
  /** What earlier runs of the same trace, checker and seed came to, by model: this run goes on with it. */
  readonly from?: ReadonlyMap<string, ExploredPart> | null;
  /** Files that the program rebuilds: how they are mapped does not matter. Their checker is `RebuiltChecker`. */
  readonly rebuilt?: RebuiltFiles | null;
  /** True gives `Exploration.part` for each model, for a run to come. @default false */
  readonly keep?: boolean;
}

export interface LabResult {
  readonly checker: string;
  readonly runs: readonly ModelRun[];
  /** Syncs that protect nothing in this trace; null when it was not asked, something failed, or an interrupt came first. */
  readonly redundant: readonly RedundantSync[] | null;
  /**
   * What the recorder saw and could not model, and why the checker's word is not enough, by name, each once: with
   * one of them the verdict is never `'passed'`.
   */
  readonly unmodelled: readonly string[];
  /** Those of `unmodelled` that are about the checker: it decides by something else than the disk. */
  readonly doubts: readonly string[];
  /** What samples are drawn with. */
  readonly seed: number;
  /** Disks that an external checker was not run on, because a run on another one had read the same; null for others. */
  readonly remembered: number | null;
  /**
   * `'found'`: some disk failed. `'incomplete'`: none did, but something could not be modelled or the budget
   * ended first. `'passed'`: every disk that the models allow was checked, or equals one that was.
   */
  readonly verdict: 'passed' | 'found' | 'incomplete';
}

/** @throws whatever the checker throws. */
export async function runLab(trace: Trace, options: LabRunOptions): Promise<LabResult> {
  const { checker, models, signal, onProgress, from = null, keep = false } = options;
  const bounds = { disksMax: options.disksMax ?? DISKS_MAX_DEFAULT, seed: options.seed ?? 1 };
  const seconds = options.disksMax === undefined ? SECONDS_MAX_DEFAULT : null;
  const deadline = new ExploreDeadline(options.secondsMax ?? seconds, signal ?? null);
  const tools = { checker, store: new ContentStore(), verdicts: new VerdictCache(), onProgress };
  const tasks = models.map((model) => {
    return { ...bounds, model, from: from?.get(model.name) ?? null, keep };
  });
  const jobs = checker instanceof OldOrNewOracle ? (options.jobs ?? 1) : 1;
  const runs =
    Math.min(jobs, tasks.length) > 1
      ? await runInWorkers(trace, tasks, { jobs, deadline, signal: signal ?? null, onProgress })
      : await runInTurn(trace, tasks, tools, deadline);
  const doubts = doubtsOf(runs, checker);
  const seen = unmodelledIn(trace).filter((what) => options.rebuilt?.explains(what) !== true);
  const unmodelled = [...seen, ...doubts];
  const found = runs.some(({ exploration }) => exploration.violationCount > 0);
  const complete = unmodelled.length === 0 && runs.every(({ exploration }) => exploration.complete);
  const verdict = found ? 'found' : complete ? 'passed' : 'incomplete';
  const asked = options.redundant === true && verdict === 'passed';
  const redundant = asked
    ? await redundantSyncs(trace, models, {
        ...exploreOptions(bounds, tools),
        deadline: deadline.renewed(null),
      })
    : null;
  const { seed } = bounds;
  const remembered = checker.remembered ?? null;
  const { name } = checker;
  return { checker: name, runs, redundant, unmodelled, doubts, verdict, seed, remembered };
}

async function runInTurn(
  trace: Trace,
  tasks: readonly ModelTask[],
  tools: ModelTools,
  whole: ExploreDeadline,
): Promise<ModelRun[]> {
  const runs: ModelRun[] = [];
  for (const [index, task] of tasks.entries()) {
    runs.push(await runModel(trace, task, tools, whole.partOf(tasks.length - index)));
  }
  return runs;
}

/** Why the checker's word is not enough, each once. */
function doubtsOf(runs: readonly ModelRun[], checker: Checker): string[] {
  const doubts = new Set(checker.doubts);
  if (runs.some(({ exploration }) => exploration.unsteady)) {
    doubts.add(`${checker.name} does not look at the same when it gets the same answers again`);
  }
  return [...doubts];
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
