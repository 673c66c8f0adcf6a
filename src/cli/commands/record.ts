/**
 * `holdfast record`: runs a program and keeps what it asked of the file system below one directory, as a trace
 * that `explore`, `audit` and the others read.
 */

import { isAbsolute, join } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import type { RecordingSummary } from '../../lab/record/recording-target.ts';
import type { CommandArguments } from '../arguments.ts';
import type { Command, CommandContext } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { CONTENTS_BYTES_MAX } from '../../lab/record/trace-format.ts';
import { recordToFileInterruptibly } from '../interruptible-recording.ts';
import { printable } from '../output.ts';

export const recordCommand: Command = {
  name: 'record',
  summary: 'record what a program asks of the file system',
  usage: '--root DIR -o TRACE [--via node|strace] -- PROGRAM…',
  description: [
    'Runs PROGRAM in the current directory and writes every change below DIR to the file TRACE, with the lines',
    'of code that asked for it and what the program wrote to standard output by then.',
    '',
    'PROGRAM is a Node program: `node save.mjs`, or `save.mjs`; with --via strace any program on Linux.',
    'It must end with exit code 0, or run longer than --max-time. What a trace has no room for (2 GiB of contents,',
    'a million operations) is left out, and named.',
    'Exit code 3: the trace is written, but something in it cannot be modelled; it is named.',
  ].join('\n'),
  options: {
    root: { type: 'string', value: 'DIR', help: 'the directory whose changes are recorded' },
    output: { type: 'string', short: 'o', value: 'TRACE', help: 'the file to write' },
    via: { type: 'string', value: 'HOW', help: 'node (default), or strace' },
    'max-bytes': {
      type: 'string',
      value: 'N',
      help: 'contents that the trace takes (default 2 GiB)',
    },
    'max-time': { type: 'string', value: 'SECONDS', help: 'end PROGRAM after so long' },
    stacks: { type: 'boolean', help: 'with strace: the stack of every call (slow)' },
  },
  program: 'required',
  run: runRecord,
};

async function runRecord(context: CommandContext, args: CommandArguments): Promise<ExitCode> {
  const via = args.text('via') ?? 'node';
  if (via !== 'node' && via !== 'strace') {
    throw new UsageError(`--via takes node or strace, not '${via}'`);
  }
  const absolute = (path: string): string => (isAbsolute(path) ? path : join(context.cwd, path));
  const tracePath = absolute(args.requiredText('output'));
  const contentBytes = args.integer('max-bytes', 0, CONTENTS_BYTES_MAX);
  const secondsMax = args.integer('max-time', 1, 1_000_000);
  const summary = await recordToFileInterruptibly(context, {
    root: absolute(args.requiredText('root')),
    command: args.program,
    via,
    stacks: args.flag('stacks'),
    tracePath,
    ...(contentBytes === undefined ? {} : { limits: { contentBytes } }),
    ...(secondsMax === undefined ? {} : { secondsMax }),
  });
  return tellResult(context, summary, tracePath);
}

/** The summary goes to standard error: standard output was the program's. */
function tellResult(
  context: CommandContext,
  { changes, unmodelled, ignoredOutside }: RecordingSummary,
  tracePath: string,
): ExitCode {
  const outside = ignoredOutside === 0 ? '' : `; ${ignoredOutside} outside of the root left out`;
  context.stderr.write(
    `recorded ${changes} changes and syncs in ${printable(tracePath)}${outside}\n`,
  );
  for (const what of unmodelled) {
    context.stderr.write(`incomplete: cannot be modelled: ${printable(what)}\n`);
  }
  return unmodelled.length === 0 ? exitCodes.clean : exitCodes.incomplete;
}
