/**
 * Many disks of one workload, whatever its recovery reads: for large counts, where the crash test of the suite would
 * spend half of its checks on classes. They are judged by classes (`wide-judge`). Crashes inside recovery are
 * `nested-exploration`'s.
 */

import { ContentStore } from '../../src/lab/explore/content-store.ts';
import type { Exploration } from '../../src/lab/explore/exploration.ts';
import type { ExploreOptions } from '../../src/lab/explore/explore-options.ts';
import { exploreModel } from '../../src/lab/explore/explorer.ts';
import { VerdictCache } from '../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../src/lab/model/model-list.ts';
import type { Trace } from '../../src/lab/record/operation.ts';
import type { CrashTest, Recover } from '../../src/lab/suite/crash-test.ts';
import { recordRun, requireSuccess } from '../../src/lab/suite/record-workload.ts';
import { ClassMismatch, WideJudge, WideTally, type ClassOf } from './wide-judge.ts';

/**
 * States that are looked at for each disk that is wanted: one after the other, of which most are different but small
 * crash points have fewer than their share; and at random, of which most are equal to some.
 */
const WALKED_A_DISK = 3;
const DRAWN_A_DISK = 0.5;

/**
 * About so many disks of a trace, where the model allows so many. The states are the bound, and shared among the crash
 * points: the first ones have some too.
 */
export function boundsFor(
  disks: number,
): Pick<ExploreOptions, 'disksMax' | 'walkedMax' | 'samplesMax'> {
  return {
    disksMax: (WALKED_A_DISK + DRAWN_A_DISK) * disks,
    walkedMax: Math.ceil(WALKED_A_DISK * disks),
    samplesMax: Math.floor(DRAWN_A_DISK * disks),
  };
}

/** The trace of the test's workload. */
export async function traceOfWorkload({ tree, workload }: CrashTest): Promise<Trace> {
  const recorded = await recordRun({ tree, run: (vfs, mark) => workload(vfs, { mark }) });
  requireSuccess(recorded);
  return recorded.trace;
}

/** Explores the disks of one workload under one model after the other; `disks`: about so many of each. */
export async function exploreWidely(
  test: CrashTest,
  judge: Recover,
  models: readonly string[],
  disks: number,
  counted: { readonly tally?: WideTally; readonly classOf?: ClassOf } = {},
): Promise<Exploration[]> {
  const { tally = new WideTally(), classOf } = counted;
  const checker = new WideJudge({ judge, classOf }).checker({ tally });
  const store = new ContentStore();
  const trace = await traceOfWorkload(test);
  const explorations: Exploration[] = [];
  for (const name of models) {
    const verdicts = new VerdictCache();
    const options = { checker, store, verdicts, ...boundsFor(disks) };
    explorations.push(await exploreModel(trace, modelByName(name), options));
  }
  return explorations;
}

/** Disks of each model that a mutant is looked for on: first few, which catch nearly all. */
const MUTANT_DISKS = [150, 1000];

/** Whether some disk that the workload can leave fails in this recovery: for mutation runs. */
export async function findsWidely(
  test: CrashTest,
  judge: Recover,
  classOf: ClassOf,
): Promise<boolean> {
  const models = (test.models ?? []).map(String);
  try {
    for (const disks of MUTANT_DISKS) {
      const all = await exploreWidely(test, judge, models, disks, { classOf });
      if (all.some(({ violations }) => violations.length > 0)) return true;
    }
    return false;
  } catch (error) {
    // The mutant does not even work, unless it is the class that is wrong.
    if (error instanceof ClassMismatch) throw error;
    return true;
  }
}
