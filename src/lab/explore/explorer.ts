/**
 * Walks every disk that one model allows for one trace and has each distinct one checked once, under the
 * strongest promises under which it can appear: crash points are walked from the last to the first.
 */

import type { CrashModel } from '../model/crash-model.ts';
import type { Trace } from '../record/operation.ts';
import { countAllStates, crashPointPositions } from './count-states.ts';
import { decidingPositions, eventTimes } from './crash-positions.ts';
import type { Exploration } from './exploration.ts';
import { ExplorationRun } from './exploration-run.ts';
import type { ExploreOptions } from './explore-options.ts';
import { prepareHistory } from './prepared-history.ts';

export async function exploreModel(
  trace: Trace,
  model: CrashModel,
  options: ExploreOptions,
): Promise<Exploration> {
  const prepared = prepareHistory(trace, model, options.store);
  const run = new ExplorationRun(prepared, options);
  const positions = options.without?.includes('points')
    ? [...eventTimes(trace).toReversed(), -1]
    : decidingPositions(trace, prepared.floorTimes);
  for (const [index, position] of positions.entries()) {
    if (run.spent) break;
    await run.walk(position, [index, positions.length]);
  }
  await run.settle();
  const ended = run.isWhole(positions) && !run.unsteady;
  const counts = options.countStates !== false;
  const counting = options.deadline?.forCounting();
  return {
    model,
    crashPoints: crashPointPositions(trace).length,
    walkedPoints: run.pointsBegun,
    decidingPoints: positions.length,
    rawStates: counts ? await countAllStates(prepared, counting) : null,
    walked: run.walked,
    sampled: run.sampled,
    seed: options.seed ?? 1,
    sampledShare: counts ? await run.sampledShare(counting) : null,
    distinct: run.distinct,
    decidedBy: options.checker.reads === 'lazy' ? 'reads' : 'disks',
    checked: run.checked,
    reused: run.reused,
    violations: run.violations,
    violationCount: run.violationCount,
    complete: ended && prepared.cache.whole,
    whole: prepared.cache.whole,
    runs: run.runs,
    unsteady: run.unsteady,
    part: options.keep === true ? run.part() : null,
  };
}
