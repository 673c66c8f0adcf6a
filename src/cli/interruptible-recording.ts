/** Recording a program for a command: an interrupt ends the program and leaves nothing of the recording. */

import type { Trace } from '../lab/record/operation.ts';
import { recordProgram, type RecordProgramOptions } from '../lab/record/record-program.ts';
import type { CommandContext } from './command.ts';

/** As `recordProgram`, in the context's directory and environment. */
export async function recordInterruptibly(
  context: CommandContext,
  options: Omit<RecordProgramOptions, 'cwd' | 'env' | 'signal'>,
): Promise<Trace> {
  const interrupt = new AbortController();
  const recording = recordProgram({
    ...options,
    cwd: context.cwd,
    env: context.env,
    signal: interrupt.signal,
  });
  const settled = context.onInterrupt(async () => {
    interrupt.abort();
    // What is wrong then is that the user interrupted it; only its clean-up is waited for.
    await recording.catch(() => undefined);
  });
  return await recording.finally(settled);
}
