/** Recording a program for a command: an interrupt ends the program and leaves nothing of the recording. */

import type { Trace } from '../lab/record/operation.ts';
import {
  recordProgram,
  recordToFile,
  type RecordProgramOptions,
} from '../lab/record/record-program.ts';
import type { RecordingSummary } from '../lab/record/recording-target.ts';
import type { CommandContext } from './command.ts';

type Options = Omit<RecordProgramOptions, 'cwd' | 'env' | 'signal'>;

/** As `recordProgram`, in the context's directory and environment. */
export function recordInterruptibly(context: CommandContext, options: Options): Promise<Trace> {
  return interruptibly(context, options, recordProgram);
}

/** As `recordToFile`, in the context's directory and environment. */
export function recordToFileInterruptibly(
  context: CommandContext,
  options: Options & { readonly tracePath: string },
): Promise<RecordingSummary> {
  return interruptibly(context, options, recordToFile);
}

async function interruptibly<Given extends Options, Result>(
  context: CommandContext,
  options: Given,
  record: (options: Given & RecordProgramOptions) => Promise<Result>,
): Promise<Result> {
  const interrupt = new AbortController();
  const { cwd, env } = context;
  const recording = record({ ...options, cwd, env, signal: interrupt.signal });
  const settled = context.onInterrupt(async () => {
    interrupt.abort();
    // What is wrong then is that the user interrupted it; only its clean-up is waited for.
    await recording.catch(() => undefined);
  });
  return await recording.finally(settled);
}
