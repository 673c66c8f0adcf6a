/** `holdfast explore`: crash states of a trace that was recorded before. */

import { resolve } from 'node:path';

import { readTraceFile } from '../../lab/record/trace-reader.ts';
import type { Command } from '../command.ts';
import { LAB_OPTIONS } from '../lab-options.ts';
import { runLabCommand } from '../run-lab-command.ts';

/** The command. */
export const exploreCommand: Command = {
  name: 'explore',
  summary: 'check every disk that a power cut could leave during a recorded run',
  usage: 'TRACE [--model M,…] [--check CMD | --dump CMD] [--budget N] [--json]',
  options: LAB_OPTIONS,
  positionals: { min: 1, max: 1 },
  async run(context, args) {
    const path = args.positionals[0] ?? '';
    const trace = readTraceFile(resolve(context.cwd, path));
    return await runLabCommand(context, args, trace, path);
  },
};
