/** Runs of a workload with a fault: each kind of fault at the first call it can hit, then at the second, and so on. */

import { UsageError } from '../../base/errors.ts';
import { codeOf, type Fault } from '../../vfs/fault.ts';
import { describeOperation } from '../explain/tell-operation.ts';
import type { Trace } from '../record/operation.ts';
import type { CrashTest } from './crash-test.ts';
import type { FaultedRun, RecordedRun } from './record-workload.ts';
import { recordRun } from './record-workload.ts';

/** More calls than this that can fail are a mistake. */
const CALLS_MAX = 100_000;

/** Each run once, in a fixed order; runs whose fault met no call are left out. */
export async function* faultedRuns(
  test: CrashTest,
  faults: readonly Omit<Fault, 'nth'>[],
): AsyncGenerator<RecordedRun> {
  for (const fault of faults) {
    for (let nth = 1; ; nth++) {
      if (nth > CALLS_MAX)
        throw new UsageError(`${fault.kind} can hit more than ${CALLS_MAX} calls`);
      const recorded = await recordRun({
        tree: test.tree,
        fault: { ...fault, nth },
        run: (vfs, mark) => test.workload(vfs, { mark }),
      });
      if (recorded.faulted === null) break;
      yield recorded;
    }
  }
}

/** e.g. `EIO from fdatasync of a.json.tmp at save.ts:12`. */
export function tellFault(trace: Trace, { injected }: FaultedRun): string {
  const { fault, call } = injected;
  const code = codeOf(fault.kind);
  const failed = trace.operations.find(({ error }) => error !== undefined && error === code);
  if (failed === undefined) {
    return `${fault.kind} at ${call.name} of ${call.path}`;
  }
  const frame = trace.stacks[failed.stack]?.[0];
  const place = frame === undefined ? '' : ` at ${frame.file}:${frame.line}`;
  return `${failed.error} from ${describeOperation(failed)}${place}`;
}
