/**
 * One model of a run: explored, and explained where something failed. The same in the thread of the caller and in a
 * worker (`model-workers.ts`).
 */

import { systemClock } from '../base/clock.ts';
import type { Checker } from './check/checker.ts';
import type { Finding } from './explain/finding.ts';
import { explainViolations } from './explain/repair.ts';
import type { ContentStore } from './explore/content-store.ts';
import type { Exploration } from './explore/exploration.ts';
import type { ExploreDeadline } from './explore/explore-budget.ts';
import type { ExploreOptions, ExploreProgress } from './explore/explore-options.ts';
import type { ExploredPart } from './explore/explored-part.ts';
import { exploreModel } from './explore/explorer.ts';
import type { VerdictCache } from './explore/verdict-cache.ts';
import type { CrashModel } from './model/crash-model.ts';
import type { Trace } from './record/operation.ts';

/** Where time is limited, explaining one model may take as long as exploring it did, and at least this long. */
const EXPLAIN_SECONDS_MIN = 5;

/** States that an exploration with syncs added may always walk. */
const EXPLAIN_STATES_MIN = 50_000;

/** What was walked under one model, and what it found. */
export interface ModelRun {
  readonly exploration: Exploration;
  readonly findings: readonly Finding[];
}

/** What to do, as plain data. */
export interface ModelTask {
  readonly model: CrashModel;
  readonly disksMax: number;
  readonly seed: number;
  /** What an earlier run came to; null for none. */
  readonly from: ExploredPart | null;
  /** Whether to tell how far this one came. */
  readonly keep: boolean;
}

/** What it takes beside that. Models explored in one thread share it. */
export interface ModelTools {
  readonly checker: Checker;
  readonly store: ContentStore;
  readonly verdicts: VerdictCache;
  readonly onProgress?: ((progress: ExploreProgress) => void) | undefined;
}

/** @throws whatever the checker throws. */
export async function runModel(
  trace: Trace,
  task: ModelTask,
  tools: ModelTools,
  deadline: ExploreDeadline,
): Promise<ModelRun> {
  const { model, from, keep } = task;
  const plain = exploreOptions(task, tools);
  const counted = { ...plain, countStates: true, deadline, from, keep };
  const startMs = systemClock.monotonicMs();
  const exploration = await exploreModel(trace, model, counted);
  const failed = exploration.violationCount > 0 && !deadline.interrupted;
  if (!failed) return { exploration, findings: [] };
  const tookSeconds = (systemClock.monotonicMs() - startMs) / 1000;
  const bounds = explainBounds(exploration, plain);
  const timed = deadline.secondsLeft !== null;
  const own = deadline.renewed(timed ? Math.max(EXPLAIN_SECONDS_MIN, tookSeconds) : null);
  const options = { ...plain, ...bounds, deadline: own };
  return { exploration, findings: await explainViolations(trace, model, exploration, options) };
}

/** Added syncs leave fewer states, if not at each crash point: a repair that takes far more is cut. */
function explainBounds(
  { distinct, walked }: Exploration,
  { disksMax, walkedMax }: ExploreOptions,
): Pick<ExploreOptions, 'disksMax' | 'walkedMax'> {
  return {
    disksMax: Math.min(disksMax, distinct * 2 + EXPLAIN_STATES_MIN),
    walkedMax: Math.min(walkedMax, walked * 2 + EXPLAIN_STATES_MIN),
  };
}

/** For explorations that nobody reads the certificate of. */
export function exploreOptions(
  { disksMax, seed }: Pick<ModelTask, 'disksMax' | 'seed'>,
  { checker, store, verdicts, onProgress }: ModelTools,
): ExploreOptions {
  const walkedMax = disksMax * 10;
  const bounds = { disksMax, walkedMax, seed, countStates: false };
  return {
    checker,
    store,
    verdicts,
    ...bounds,
    ...(onProgress === undefined ? {} : { onProgress }),
  };
}
