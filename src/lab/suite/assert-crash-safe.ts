/** `assertCrashSafe` of `holdfast/lab`: a crash test as an assertion, for any test runner. */

import { AssertionError } from 'node:assert';

import type { CrashTest, CrashTestResult } from './crash-test.ts';
import { BUDGET_DEFAULT } from './crash-test.ts';
import { explore } from './explore-crash-test.ts';
import { replayState } from './replay-state.ts';
import { crashTestReport, REPLAY_VARIABLE } from './suite-report.ts';

/** A crash can leave a disk that the check refuses. The message is the whole report. */
export class CrashSafetyError extends AssertionError {
  /** Null when one state was replayed. Not shown when the error is printed: the message has all that people need. */
  declare readonly result: CrashTestResult | null;

  constructor(message: string, result: CrashTestResult | null, caller: unknown) {
    super({ message, stackStartFn: caller as () => void });
    Object.defineProperty(this, 'result', { value: result, enumerable: false });
  }

  override get name(): string {
    return 'CrashSafetyError';
  }
}

/**
 * Resolves when every disk that a power cut could leave passes; see `explore` for what is tried. When the budget
 * ends first it rejects too, unless `budget` was given: who gives one accepts a sample, and finds its size in the
 * certificate. It also rejects where something could not be modelled, or the workload changed nothing.
 *
 * With the environment variable `HOLDFAST_REPLAY` set to the token of a failure, the test that the token is of runs
 * that one state only; other tests run as ever.
 *
 * @throws CrashSafetyError with the report as message, one line of it the token; what `explore` throws
 */
export async function assertCrashSafe(test: CrashTest): Promise<CrashTestResult | null> {
  const token = process.env[REPLAY_VARIABLE];
  if (token !== undefined && token !== '') {
    const replayed = await replay(test, token);
    if (replayed) return null;
  }
  const result = await explore(test);
  // A budget makes a sample of what can be modelled enough; of what cannot be, nothing was looked at.
  const isSample = result.verdict === 'incomplete' && result.certificate.unmodelled.length === 0;
  const accepted = isSample && test.budget !== undefined;
  if (result.verdict === 'passed' || accepted) return result;
  const report = crashTestReport(result, process.cwd());
  const hint = isSample
    ? `\nthe default budget of ${BUDGET_DEFAULT} disks ended first: give a budget to accept a sample`
    : '';
  throw new CrashSafetyError(`${report}${hint}`, result, assertCrashSafe);
}

/** @returns false when the token is of another test. */
async function replay(test: CrashTest, token: string): Promise<boolean> {
  const replayed = await replayState(test, token);
  if (replayed === null) return false;
  const { verdict, model, disk } = replayed;
  if (verdict.ok) return true;
  const told = disk.marks.map(({ text }) => text).join(', ');
  throw new CrashSafetyError(
    `not crash-safe, replayed under ${model}\n   told    ${told || 'nothing'}\n   shows   ${verdict.message}`,
    null,
    assertCrashSafe,
  );
}
