/** `holdfast check`: record a program and check every disk that a power cut could leave, in one go. */

import { resolve } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import { runCommand } from '../../lab/check/process-run.ts';
import { realRoot } from '../../lab/record/recording-target.ts';
import type { Command, CommandContext } from '../command.ts';
import { requireHtmlPlace } from '../html-option.ts';
import { recordInterruptibly } from '../interruptible-recording.ts';
import { LAB_OPTIONS, recorderNamed, requireLabOptions } from '../lab-options.ts';
import { runLabCommand } from '../run-lab-command.ts';

const DESCRIPTION = `
PROGRAM runs once, in the current directory, with DIR as it is; what it writes stays.
A line that it prints is a promise to the outside world: what had been written by then must
survive. Without --check or --dump every file must show its old or its new content.
`;

/** The command. */
export const checkCommand: Command = {
  name: 'check',
  summary: 'record a program and check every disk that a power cut could leave',
  usage: '--root DIR [--model M,…] [--check CMD | --dump CMD] [--setup CMD] -- PROGRAM…',
  description: DESCRIPTION,
  options: {
    root: { type: 'string', value: 'DIR', help: 'the directory whose changes are recorded' },
    via: { type: 'string', value: 'HOW', help: 'node (default), or strace for any Linux program' },
    setup: { type: 'string', value: 'CMD', help: 'runs first, in DIR; its changes are durable' },
    output: { type: 'string', short: 'o', value: 'TRACE', help: 'keep the trace, to replay from' },
    ...LAB_OPTIONS,
  },
  program: 'required',
  async run(context, args) {
    // Wrong options are told before the program runs.
    requireLabOptions(args);
    requireHtmlPlace(context, args);
    if (args.text('resume') !== undefined && args.text('output') === undefined) {
      throw new UsageError(
        '--resume needs -o TRACE here: the next run is holdfast explore TRACE --resume FILE',
      );
    }
    const via = recorderNamed(args.text('via') ?? 'node');
    const root = realRoot(resolve(context.cwd, args.requiredText('root')));
    const setup = args.text('setup');
    if (setup !== undefined) await runSetup(setup, root, context.env);
    const output = args.text('output');
    const trace = await recordInterruptibly(context, {
      root,
      command: args.program,
      via,
      output: args.flag('json') || args.flag('sarif') ? 'ignore' : 'inherit',
      ...(output === undefined ? {} : { tracePath: resolve(context.cwd, output) }),
    });
    return await runLabCommand(context, args, trace, output ?? null);
  },
};

/** @throws UsageError when the command fails. */
async function runSetup(command: string, root: string, env: CommandContext['env']): Promise<void> {
  const timeLimitMs = 600_000;
  const run = { command, directory: root, environment: { ...env }, timeLimitMs };
  const { outcome, exitCode, detail, lastLine } = await runCommand(run);
  if (outcome === 'exit' && exitCode === 0) return;
  const why = outcome === 'exit' ? `exit code ${exitCode}` : `${outcome} ${detail}`;
  throw new UsageError(`the set-up command failed (${why})${lastLine && `: ${lastLine}`}`);
}
