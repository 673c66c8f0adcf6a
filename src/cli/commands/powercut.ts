/**
 * `holdfast powercut`: cuts the power of a real kernel's file system under a program, one block write at a time.
 * The work is in `lab/powercut`.
 */

import { diskProfile, diskProfiles } from '../../lab/powercut/disk-profile.ts';
import { examinePowercut } from '../../lab/powercut/examine-powercut.ts';
import type { PowercutResult } from '../../lab/powercut/powercut-result.ts';
import { requireForRig } from '../../lab/powercut/rig-needs.ts';
import type { RigOptions } from '../../lab/powercut/rig.ts';
import { powercutText } from '../../lab/powercut/powercut-text.ts';
import type { CommandArguments } from '../arguments.ts';
import type { Command, CommandContext } from '../command.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { CHECK_OPTIONS, requireLabOptions } from '../lab-options.ts';
import { paletteFor, printable, ProgressLine } from '../output.ts';
import { powercutJudge } from '../powercut-judge.ts';

const DEVICES = 2;
const RUNS = 4;
const SUBSETS_MAX = 256;
const TORN_MAX = 32;

const DESCRIPTION = `
Makes a fresh file system on an image whose every block write, flush and FUA is logged, runs PROGRAM in its root
(also HOLDFAST_ROOT), and then mounts every disk that a power cut could have left, so that the kernel recovers it,
and judges each different tree: by CMD, run in a copy of it, or without one by what a first, recorded run in a plain
directory did (every file shows its old or its new content, and what was printed holds). Needs Linux, root, and
qemu-storage-daemon. Give PROGRAM's and CMD's files as absolute paths.

File systems:
${diskProfiles.map(({ name, summary }) => `  ${name.padEnd(16)} ${summary}`).join('\n')}
`;

/** The command. */
export const powercutCommand: Command = {
  name: 'powercut',
  summary: 'cut the power of a real file system under a program, and check what is left',
  usage:
    '--fs FS [--mount OPTS] [--setup CMD] [--user USER] [--check CMD | --dump CMD] -- PROGRAM…',
  description: DESCRIPTION,
  options: {
    fs: { type: 'string', value: 'FS', help: 'the file system: one of those below' },
    mount: { type: 'string', value: 'OPTS', help: 'more mount options, comma-separated' },
    setup: { type: 'string', value: 'CMD', help: 'runs first, in the root, and is made durable' },
    user: { type: 'string', value: 'USER', help: 'runs PROGRAM and set-up as this user' },
    ...CHECK_OPTIONS,
    via: {
      type: 'string',
      value: 'HOW',
      help: 'without --check: how the first run is recorded, node or strace',
    },
    runs: {
      type: 'string',
      value: 'N',
      help: `runs of PROGRAM, each perturbed differently (default ${RUNS})`,
    },
    seed: { type: 'string', value: 'N', help: 'of samples and perturbations (default 1)' },
    budget: { type: 'string', value: 'N', help: 'disks to mount at most; the rest is left out' },
    'no-fsck': { type: 'boolean', help: 'do not check each recovered file system' },
    json: { type: 'boolean', help: 'print the result as JSON' },
  },
  program: 'required',
  async run(context, args) {
    requireLabOptions(args);
    const rig = rigOptionsFrom(context, args);
    requireForRig(rig.profile);
    const { checker, validate } = await powercutJudge(context, args, rig);
    const undo = context.onInterrupt(() => checker.close?.());
    const progress = new ProgressLine(context.stderr);
    try {
      const result = await examinePowercut({
        ...rig,
        program: args.program,
        checker,
        validate,
        runs: args.integer('runs', 1) ?? RUNS,
        seed: args.integer('seed', 0) ?? 1,
        subsetsMax: SUBSETS_MAX,
        tornMax: TORN_MAX,
        imagesMax: args.integer('budget', 1) ?? Infinity,
        checkFileSystems: !args.flag('no-fsck'),
        devices: DEVICES,
        progress: (text) => progress.update(text),
        onRig: (takeDown) => context.onInterrupt(takeDown),
      });
      progress.clear();
      context.stdout.write(reportOf(result, context, args.flag('json')));
      return exitCodeOf(result);
    } finally {
      progress.clear();
      await checker.close?.();
      undo();
    }
  },
};

function rigOptionsFrom(context: CommandContext, args: CommandArguments): RigOptions {
  return {
    profile: diskProfile(args.requiredText('fs')),
    cwd: context.cwd,
    ...optional(args, 'mount', 'mountOptions'),
    ...optional(args, 'setup', 'setup'),
    ...optional(args, 'user', 'user'),
  };
}

function reportOf(result: PowercutResult, context: CommandContext, json: boolean): string {
  if (json) return `${JSON.stringify(result, null, 2)}\n`;
  return powercutText(result, { ...paletteFor(context, context.stdout), printable });
}

function exitCodeOf(result: PowercutResult): ExitCode {
  if (result.findings.length > 0) return exitCodes.found;
  return result.complete ? exitCodes.clean : exitCodes.incomplete;
}

function optional<Key extends keyof RigOptions>(
  args: CommandArguments,
  option: string,
  key: Key,
): Partial<Record<Key, string>> {
  const value = args.text(option);
  const result: Partial<Record<Key, string>> = {};
  if (value !== undefined) result[key] = value;
  return result;
}
