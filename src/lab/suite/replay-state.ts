/** One crash state of a crash test again, from its token: the workload runs anew, the rest is as it was. */

import type { CrashedDisk, Verdict } from '../check/checker.ts';
import { ContentStore } from '../explore/content-store.ts';
import { diskOf } from '../explore/disk-walk.ts';
import { DiskKeys } from '../nested/disk-keys.ts';
import { decodeStatePath } from '../nested/state-path.ts';
import type { Trace } from '../record/operation.ts';
import { decodeReplayToken } from '../replay/replay-token.ts';
import type { CheckFunction, CrashTest } from './crash-test.ts';
import { faultedRuns } from './fault-runs.ts';
import { recordRecovery } from './record-recovery.ts';
import { recordRun, requireSuccess } from './record-workload.ts';
import { suiteSettings, type SuiteSettings } from './suite-settings.ts';
import { runDigest } from './suite-token.ts';
import { DiskVerdicts, VfsChecker } from './vfs-checker.ts';

export interface ReplayedState {
  readonly model: string;
  readonly disk: CrashedDisk;
  readonly verdict: Verdict;
}

/**
 * The disk that the token names, recovered and checked. Resolves to null when the token is of another test.
 * @throws UsageError when the text is no token, or names a model that this test does not have
 */
export async function replayState(test: CrashTest, text: string): Promise<ReplayedState | null> {
  const token = decodeReplayToken(text);
  const settings = suiteSettings(test);
  const model = settings.models.find(({ name }) => name === token.model);
  if (model === undefined) return null;
  const trace = await traceOf(settings, token.traceDigest);
  if (trace === null) return null;
  const check = settings.checkFor(trace);
  const store = new ContentStore();
  let current: Trace = trace;
  let disk: CrashedDisk | null = null;
  for (const state of decodeStatePath(token.state)) {
    if (disk !== null) current = await recordRecovery(disk, { check, recover: test.recover });
    const marksBefore: CrashedDisk['marks'] = disk?.marks ?? [];
    const { root, marks } = diskOf(current, model, state, store);
    disk = { root, marks: [...marksBefore, ...marks] };
  }
  if (disk === null) return null;
  return { model: model.name, disk, verdict: await verdictOf(disk, check, test) };
}

async function traceOf(settings: SuiteSettings, digest: string): Promise<Trace | null> {
  const { test, faults } = settings;
  const recorded = await recordRun({
    tree: test.tree,
    run: (vfs, mark) => test.workload(vfs, { mark }),
  });
  requireSuccess(recorded);
  if (runDigest(recorded.trace).startsWith(digest)) return recorded.trace;
  for await (const { trace } of faultedRuns(test, faults)) {
    if (runDigest(trace).startsWith(digest)) return trace;
  }
  return null;
}

async function verdictOf(
  disk: CrashedDisk,
  check: CheckFunction,
  { recover }: CrashTest,
): Promise<Verdict> {
  const verdicts = new DiskVerdicts(new DiskKeys());
  return await new VfsChecker({ check, recover, verdicts, once: true }).check(disk);
}
