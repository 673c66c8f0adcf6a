/**
 * Faults, widely: a workload with one fault at each call that it can hit, and what a power cut at any moment of each of
 * these runs leaves. The workload says itself what is done about the fault; disks are judged by classes that all runs
 * share (`wide-judge`).
 */

import { ContentStore } from '../../src/lab/explore/content-store.ts';
import { exploreModel } from '../../src/lab/explore/explorer.ts';
import { VerdictCache } from '../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../src/lab/model/model-list.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { faultedRuns, tellFault } from '../../src/lab/suite/fault-runs.ts';
import type { Fault } from '../../src/vfs/fault.ts';
import { boundsFor } from './wide-exploration.ts';
import { WideJudge, WideTally, type Judging } from './wide-judge.ts';

/** EIO comes from every call, syncs among them: what a failed sync leaves clean may be lost. */
const FAULTS: readonly Omit<Fault, 'nth'>[] = [
  { kind: 'EIO' },
  { kind: 'ENOSPC' },
  { kind: 'short-write' },
];

export interface FaultedRuns {
  readonly tally: WideTally;
  /** Runs with a fault, and those of them of which every disk was looked at. */
  readonly runs: number;
  readonly whole: number;
  /** What was found, a line each. */
  readonly failures: readonly string[];
}

/** Each fault at each call, and about so many disks of each of these runs. */
export async function exploreFaults(
  test: CrashTest,
  judging: Judging,
  model: string,
  disks: number,
): Promise<FaultedRuns> {
  const judge = new WideJudge(judging);
  const store = new ContentStore();
  const tally = new WideTally();
  const checker = judge.checker({ tally });
  const failures: string[] = [];
  let [runs, whole] = [0, 0];
  for await (const { trace, faulted, failure } of faultedRuns(test, FAULTS)) {
    runs++;
    const fault = faulted === null ? 'no fault' : tellFault(trace, faulted);
    const exploration = await exploreModel(trace, modelByName(model), {
      checker,
      store,
      verdicts: new VerdictCache(),
      ...boundsFor(disks),
      // Runs that are alike have different states drawn.
      seed: runs,
      countStates: false,
    });
    if (exploration.complete) whole++;
    const found = exploration.violations.map(({ message }) => message);
    if (failure !== null) found.push(`the process after it fails: ${String(failure.error)}`);
    failures.push(...found.map((message) => `${fault}: ${message}`));
  }
  return { tally, runs, whole, failures };
}
