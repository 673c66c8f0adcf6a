/** Tells a checker that is itself wrong from one that found something, before any crash state is checked. */

import { UsageError } from '../../base/errors.ts';
import type { Checker, CrashedDisk } from './checker.ts';

/**
 * Runs the checker on the undamaged disk before the first operation and after the last one. Returns when both
 * pass.
 * @throws UsageError `HOLDFAST_USAGE`: the checker is missing, fails, hangs or throws where nothing is damaged.
 */
export async function validateChecker(
  checker: Checker,
  firstDisk: CrashedDisk,
  lastDisk: CrashedDisk,
): Promise<void> {
  await requirePass(checker, firstDisk, 'as it was before the program ran');
  await requirePass(checker, lastDisk, 'as the program left it');
}

async function requirePass(checker: Checker, disk: CrashedDisk, which: string): Promise<void> {
  const problem = await failure(checker, disk);
  if (problem === null) return;
  const hint = /not found|no such file|cannot find|ENOENT/i.test(problem)
    ? ' (a command runs in the directory to be checked: give its files as absolute paths)'
    : '';
  throw new UsageError(
    `the checker ${checker.name} does not pass the undamaged disk ${which}: ${problem}${hint}`,
  );
}

async function failure(checker: Checker, disk: CrashedDisk): Promise<string | null> {
  try {
    const verdict = await checker.check(disk);
    return verdict.ok ? null : verdict.message;
  } catch (error) {
    // A checker that throws here is wrong use like one that fails; the cause is in the message.
    return error instanceof Error ? error.message : String(error);
  }
}
