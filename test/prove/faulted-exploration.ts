/**
 * Faults, widely: a workload with one fault at each call that it can hit, or at some from all over it, and what a power
 * cut at any moment of each of these runs leaves. The workload says itself what is done about the fault; disks are
 * judged by classes that all runs share (`wide-judge`).
 */

import { ContentStore } from '../../src/lab/explore/content-store.ts';
import { exploreModel } from '../../src/lab/explore/explorer.ts';
import { VerdictCache } from '../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../src/lab/model/model-list.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { tellFault } from '../../src/lab/suite/fault-runs.ts';
import { recordRun } from '../../src/lab/suite/record-workload.ts';
import { matches, type Fault } from '../../src/vfs/fault.ts';
import { ForwardingVfs } from '../../src/vfs/forwarding-vfs.ts';
import type { VfsCall, VfsCallName } from '../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { evenly } from './nested-exploration.ts';
import { boundsFor } from './wide-exploration.ts';
import { WideJudge, WideTally, type Judging } from './wide-judge.ts';

/** All that a store calls but for `file.stat`, which the recorder asks for by itself. */
const CALLS: readonly VfsCallName[] = [
  'open',
  'openDirectory',
  'mkdir',
  'readDirectory',
  'stat',
  'lstat',
  'realpath',
  'link',
  'rename',
  'unlink',
  'rmdir',
  'file.read',
  'file.write',
  'file.truncate',
  'file.sync',
  'file.datasync',
  'file.close',
  'directory.sync',
  'directory.close',
];

/** EIO comes from syncs too: what a failed one leaves clean may be lost. */
const FAULTS: readonly Omit<Fault, 'nth'>[] = [
  { kind: 'EIO', calls: CALLS },
  { kind: 'ENOSPC' },
  { kind: 'short-write' },
];

export interface FaultedRuns {
  readonly tally: WideTally;
  /** Runs with a fault, of so many that there can be, and those of which every disk was looked at. */
  readonly runs: number;
  readonly of: number;
  readonly whole: number;
  /** What was found, a line each. */
  readonly failures: readonly string[];
}

/** How far it goes. */
export interface FaultLimits {
  /** Runs with each kind of fault, at most. */
  readonly runs: number;
  /** About so many disks of each run. */
  readonly disks: number;
}

/** Each kind of fault, at each call or at an even choice of them, and some disks of each of these runs. */
export async function exploreFaults(
  test: CrashTest,
  judging: Judging,
  model: string,
  limits: FaultLimits,
): Promise<FaultedRuns> {
  const judge = new WideJudge(judging);
  const tally = new WideTally();
  const checker = judge.checker({ tally });
  const failures: string[] = [];
  const all = await faultsOf(test);
  const chosen = all.flatMap((faults) => evenly(faults, limits.runs));
  let [runs, whole] = [0, 0];
  for (const fault of chosen) {
    const { trace, faulted, failure } = await recordRun({
      tree: test.tree,
      fault,
      run: (vfs, mark) => test.workload(vfs, { mark }),
    });
    if (faulted === null) throw new Error(`the program has no call ${fault.nth} for ${fault.kind}`);
    runs++;
    const exploration = await exploreModel(trace, modelByName(model), {
      checker,
      // As in `nested-exploration`.
      store: new ContentStore(),
      verdicts: new VerdictCache(),
      ...boundsFor(limits.disks),
      // Runs that are alike have different states drawn.
      seed: runs,
      countStates: false,
    });
    if (exploration.complete) whole++;
    const found = exploration.violations.map(({ message }) => message);
    if (failure !== null) found.push(`the process after it fails: ${String(failure.error)}`);
    failures.push(...found.map((message) => `${tellFault(trace, faulted)}: ${message}`));
  }
  return { tally, runs, of: all.flat().length, whole, failures };
}

/** Of each kind, a fault for each call that it can hit. */
async function faultsOf({ tree, workload }: CrashTest): Promise<Fault[][]> {
  const calls: VfsCall[] = [];
  await recordRun({
    tree,
    run: (vfs, mark) => workload(new NotingVfs(vfs, calls), { mark }),
  });
  return FAULTS.map((fault) => {
    const hit = calls.filter((call) => matches(fault, call));
    return hit.map((_, index) => ({ ...fault, nth: index + 1 }));
  });
}

/** Keeps every call in mind. */
class NotingVfs extends ForwardingVfs {
  readonly #calls: VfsCall[];

  constructor(inner: Vfs, calls: VfsCall[]) {
    super(inner);
    this.#calls = calls;
  }

  override intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    this.#calls.push(call);
    return run(call);
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    this.#calls.push(call);
    return run(call);
  }
}
