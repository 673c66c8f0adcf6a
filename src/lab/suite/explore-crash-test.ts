/** `explore` of `holdfast/lab`: a crash test in one call, for test suites. */

import type { CrashTest, CrashTestResult } from './crash-test.ts';
import { CrashTestRun } from './crash-test-run.ts';
import { suiteSettings } from './suite-settings.ts';

/**
 * Runs `workload` once in memory, works out every disk that a power cut could leave at any moment of it under each
 * model, and has each distinct one recovered and checked. Resolves also when something was found: see `verdict`.
 * Touches no real file.
 *
 * @throws UsageError `HOLDFAST_USAGE` when the workload fails by itself, or recovery and check do not pass the
 *   undamaged disk before and after it; TypeError for wrong arguments
 */
export async function explore(test: CrashTest): Promise<CrashTestResult> {
  const run = new CrashTestRun(suiteSettings(test), { explain: true, stopAtFirst: false });
  return await run.run();
}

/** Whether any disk fails, without reasons: for mutation runs, which ask it many times. */
export async function findsFailure(test: CrashTest): Promise<boolean> {
  const run = new CrashTestRun(suiteSettings(test), { explain: false, stopAtFirst: true });
  return (await run.run()).verdict === 'found';
}
