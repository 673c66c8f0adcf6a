/**
 * `holdfast doctor`: what durability means for a directory of this machine. All judgement is in `durable/doctor`.
 */

import { execFileSync } from 'node:child_process';
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import type { Verdict } from '../../durable/doctor/doctor-answer.ts';
import { doctorJson } from '../../durable/doctor/doctor-json.ts';
import { examine, examineByMeasuring, type Examination } from '../../durable/doctor/examine.ts';
import { errorCode } from '../../vfs/errno.ts';
import type { Command, CommandContext } from '../command.ts';
import { exitCodes, type ExitCode } from '../exit-codes.ts';
import { paletteFor, printable, ProgressLine } from '../output.ts';
import { doctorText } from './doctor-text.ts';

const EXIT_CODES: Readonly<Record<Verdict, ExitCode>> = {
  holds: exitCodes.clean,
  fails: exitCodes.found,
  assumed: exitCodes.incomplete,
};

const DESCRIPTION = `
DIR is the current directory by default. Nothing is written unless --measure is given;
then a directory of its own in DIR is written to for about three seconds and removed.

Exit codes: 0 every promise holds, 1 something does not hold, 2 wrong use or an error,
3 nothing is broken, but something is only assumed (a virtual disk, a server, a hidden layer).
`;

/** The command. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'say what durability means for a directory of this machine',
  usage: '[DIR] [--measure] [--json]',
  description: DESCRIPTION,
  options: {
    measure: { type: 'boolean', help: 'time the ways to sync, and doubt a flush that is too fast' },
    json: { type: 'boolean', help: 'print the answer as JSON (see docs/doctor.md#json)' },
  },
  positionals: { min: 0, max: 1 },
  async run(context, args) {
    const directory = readableDirectory(resolve(context.cwd, args.positionals[0] ?? '.'));
    const looked = examine(directory, { mountText: macMountText() });
    const examination = args.flag('measure') ? await measured(looked, context) : looked;
    context.stdout.write(
      args.flag('json')
        ? `${JSON.stringify(doctorJson(examination), null, 2)}\n`
        : doctorText(examination, paletteFor(context, context.stdout)),
    );
    return EXIT_CODES[examination.answer.verdict];
  },
};

/** The directory without links. @throws {UsageError} when it is none, or cannot be read. */
function readableDirectory(path: string): string {
  try {
    const directory = realpathSync.native(path);
    if (!statSync(directory).isDirectory()) throw new UsageError(`${path} is not a directory`);
    accessSync(directory, constants.R_OK);
    return directory;
  } catch (error) {
    // Whatever keeps us from looking is the answer that the user needs, in one line.
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${path}: ${wordsFor(error)}`, { cause: error });
  }
}

const REFUSALS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'too many symbolic links',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EROFS: 'it is mounted read-only',
};

function wordsFor(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return REFUSALS[errorCode(error) ?? ''] ?? message;
}

async function measured(looked: Examination, context: CommandContext): Promise<Examination> {
  const progress = new ProgressLine(context.stderr);
  const abort = new AbortController();
  const { directory } = looked.facts;
  const run = examineByMeasuring(looked, {
    signal: abort.signal,
    onProgress: (share) =>
      progress.update(`measuring in ${directory} … ${Math.round(share * 100)} %`),
  });
  // An interrupt waits until the round under way is over and the files are gone.
  const forget = context.onInterrupt(async () => {
    abort.abort();
    await run.catch(() => undefined);
    progress.clear();
  });
  try {
    return await run;
  } catch (error) {
    // Whoever interrupted us ends the process as soon as the hook above is through: there is nothing to say.
    if (abort.signal.aborted) return await new Promise<never>(() => undefined);
    // A full or read-only disk, a sync that failed: the call's own name would tell the user nothing.
    throw new UsageError(`cannot measure in ${printable(directory)}: ${wordsFor(error)}`, {
      cause: error,
    });
  } finally {
    progress.clear();
    forget();
  }
}

/** The only source of a volume's type on macOS; written from its manual page and never run there. */
function macMountText(): string | null {
  if (process.platform !== 'darwin') return null;
  try {
    return execFileSync('/sbin/mount', { encoding: 'utf8', timeout: 5000 });
  } catch {
    // Then the type is unknown, and the answer says so.
    return null;
  }
}
