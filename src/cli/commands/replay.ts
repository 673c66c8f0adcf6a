/** `holdfast replay`: one crash state again, from its token and the trace it belongs to. */

import { resolve } from 'node:path';

import { decodeState } from '../../lab/explore/crash-state.ts';
import { ContentStore } from '../../lab/explore/content-store.ts';
import { diskOf } from '../../lab/explore/disk-walk.ts';
import { modelByName } from '../../lab/model/model-list.ts';
import { traceDigest } from '../../lab/replay/trace-digest.ts';
import { readTraceFile } from '../../lab/record/trace-reader.ts';
import { exportDirectory } from '../../lab/replay/export-directory.ts';
import { decodeReplayToken, requireTrace } from '../../lab/replay/replay-token.ts';
import type { Command, CommandContext } from '../command.ts';
import type { CommandArguments } from '../arguments.ts';
import type { ExitCode } from '../exit-codes.ts';
import { exitCodes } from '../exit-codes.ts';
import { CHECK_OPTIONS, checkerFrom } from '../lab-options.ts';
import { printable } from '../output.ts';

/** The command. */
export const replayCommand: Command = {
  name: 'replay',
  summary: 'build the disk of one finding again, and check it or keep it',
  usage: 'TOKEN --trace TRACE [--to DIR] [--check CMD | --dump CMD]',
  options: {
    trace: { type: 'string', value: 'TRACE', help: 'the trace that the token came from' },
    to: { type: 'string', value: 'DIR', help: 'keep the crashed tree in this new directory' },
    ...CHECK_OPTIONS,
  },
  positionals: { min: 1, max: 1 },
  run: replay,
};

async function replay(context: CommandContext, args: CommandArguments): Promise<ExitCode> {
  const token = decodeReplayToken(args.positionals[0] ?? '');
  const trace = readTraceFile(resolve(context.cwd, args.requiredText('trace')));
  requireTrace(token, traceDigest(trace));
  const model = modelByName(token.model);
  const disk = diskOf(trace, model, decodeState(token.state), new ContentStore());
  const to = args.text('to');
  if (to !== undefined) exportDirectory(disk.root, resolve(context.cwd, to));
  const checker = await checkerFrom(args, trace);
  const undoInterrupt = context.onInterrupt(async () => await checker.close?.());
  try {
    const verdict = await checker.check(disk);
    const told = disk.marks.map(({ text }) => text.trim()).filter((text) => text !== '');
    context.stdout.write(
      `model ${model.name}; told by then: ${printable(told.join(', ')) || 'nothing'}\n` +
        `${verdict.ok ? 'passes' : `fails: ${printable(verdict.message)}`}\n`,
    );
    return verdict.ok ? exitCodes.clean : exitCodes.found;
  } finally {
    await checker.close?.();
    undoInterrupt();
  }
}
