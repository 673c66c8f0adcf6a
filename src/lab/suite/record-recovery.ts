/** The trace of a recovery: it begins on a crashed disk, all of which is on the disk. */

import { acknowledgedLines } from '../check/acknowledged-lines.ts';
import type { CrashedDisk } from '../check/checker.ts';
import type { Trace } from '../record/operation.ts';
import type { CheckFunction, Recover } from './crash-test.ts';
import { recordRun } from './record-workload.ts';

/** REQUIRES: recovery passes on this disk. Without `recover` the check is what recovers. */
export async function recordRecovery(
  disk: CrashedDisk,
  program: { readonly check: CheckFunction; readonly recover: Recover | undefined },
): Promise<Trace> {
  const { check, recover } = program;
  const context = { marks: acknowledgedLines(disk.marks), disk };
  const { trace } = await recordRun({
    tree: disk.root,
    run: (vfs, mark) =>
      recover === undefined ? check(vfs, context) : recover(vfs, { ...context, mark }),
  });
  return trace;
}
