/**
 * Long work on a store for a command: how far it is, on a terminal's last line, and an interrupt that
 * ends the work, waits until it has put everything in order, and then ends the process.
 */

import type { ProgressOptions } from '../engine/engine-reports.ts';
import type { CommandContext } from './command.ts';
import { ProgressLine } from './output.ts';

/** Does the work. What it throws is thrown, except behind an interrupt, which ends the process. */
export async function longWork<Result>(
  context: CommandContext,
  work: (options: ProgressOptions) => Promise<Result>,
): Promise<Result> {
  const progress = new ProgressLine(context.stderr);
  const interrupt = new AbortController();
  const run = work({
    signal: interrupt.signal,
    onProgress: ({ phase, done, total, unit }) => {
      const share = total === 0 ? 100 : Math.floor((done / total) * 100);
      progress.update(`${phase}: ${done} of ${total} ${unit} (${share} %)`);
    },
  });
  const settled = context.onInterrupt(async () => {
    interrupt.abort();
    // What is wrong then is that the user interrupted it; only its clean-up is waited for.
    await run.catch(() => undefined);
    progress.clear();
  });
  try {
    return await run;
  } catch (error) {
    // Whoever interrupted us ends the process as soon as the hook is through: there is nothing to say.
    if (interrupt.signal.aborted) return await new Promise<never>(() => undefined);
    throw error;
  } finally {
    progress.clear();
    settled();
  }
}
