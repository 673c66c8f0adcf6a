/**
 * Many disks of one workload, whatever its recovery reads: for large counts, where the crash test of the suite would
 * spend half of its checks on classes. One recovery for each distinct disk; crashes inside recovery are the suite's.
 */

import type { Exploration } from '../../src/lab/explore/exploration.ts';
import { exploreModel } from '../../src/lab/explore/explorer.ts';
import { ContentStore } from '../../src/lab/explore/content-store.ts';
import { VerdictCache } from '../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../src/lab/model/model-list.ts';
import { DiskKeys } from '../../src/lab/nested/disk-keys.ts';
import type { CrashTest, Recover } from '../../src/lab/suite/crash-test.ts';
import { recordRun } from '../../src/lab/suite/record-workload.ts';
import { DiskVerdicts, VfsChecker } from '../../src/lab/suite/vfs-checker.ts';

/** Explores the disks of one workload under one model after the other; equal disks are recovered once. */
export async function exploreWidely(
  test: CrashTest,
  recover: Recover,
  models: readonly string[],
  disksMax: number,
): Promise<Exploration[]> {
  const recorded = await recordRun({
    tree: test.tree,
    run: (vfs, mark) => test.workload(vfs, { mark }),
  });
  if (recorded.failure !== null) throw recorded.failure.error;
  const store = new ContentStore();
  const checker = new VfsChecker({
    check: () => undefined,
    recover,
    verdicts: new DiskVerdicts(new DiskKeys()),
  });
  const explorations: Exploration[] = [];
  for (const name of models) {
    const exploration = await exploreModel(recorded.trace, modelByName(name), {
      checker,
      store,
      verdicts: new VerdictCache(),
      disksMax,
      walkedMax: disksMax * 4,
    });
    explorations.push(exploration);
  }
  return explorations;
}
