/**
 * The program to record: what is asked for, where it is, and how it ended. Shared by the ways of recording one.
 */

import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { delimiter, join } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import type { TraceLimits } from './trace-writer.ts';

export interface RecordProgramOptions {
  /** The directory whose changes are recorded, as it is at the start. */
  readonly root: string;
  /** Program and arguments: `['node', 'save.mjs']` or `['save.mjs']`. */
  readonly command: readonly string[];
  /** How: `'node'` (default) sees Node programs with their lines, `'strace'` any program on Linux. */
  readonly via?: 'node' | 'strace';
  /** With `'strace'`: the process's stack at every call. Slow: milliseconds a call. */
  readonly stacks?: boolean;
  /** Keep the trace in this file; without it the trace is only in memory when this returns. */
  readonly tracePath?: string;
  /** Where the program runs; default the current directory. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What becomes of the program's standard output and error; default `'inherit'`. */
  readonly output?: 'inherit' | 'ignore';
  /** The program is asked to end after so many seconds; what it did until then is kept, and told to be cut. */
  readonly secondsMax?: number;
  /** How much the trace takes; what comes after that is left out, and named. */
  readonly limits?: Partial<TraceLimits>;
  /** Ends the program and the recording; nothing is left of it. */
  readonly signal?: AbortSignal;
}

const SCRIPT = /\.[cm]?[jt]s$/;

/** Whether a word is the path of a JavaScript or TypeScript file. */
export function isScript(program: string): boolean {
  return SCRIPT.test(program);
}

/** The path of a program as a shell would find it, a script also in the working directory; null if nowhere. */
export function findProgram(
  program: string,
  options: Pick<RecordProgramOptions, 'cwd' | 'env'>,
): string | null {
  const cwd = options.cwd ?? process.cwd();
  const { PATH = '' } = options.env ?? process.env;
  const isPath = program.includes('/') || isScript(program);
  const places = isPath ? [cwd] : PATH.split(delimiter);
  for (const place of places) {
    const path = program.startsWith('/') ? program : join(place, program);
    try {
      if (fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
    } catch (error) {
      // A directory of PATH that cannot be searched has nothing for this user: so do shells.
      if (isPath) throw error;
    }
  }
  return null;
}

const NAME_LENGTH_MAX = 120;

/** A command as one line of a message. */
function nameOf(command: readonly string[]): string {
  const text = command.join(' ').replaceAll(/\s+/g, ' ');
  return text.length > NAME_LENGTH_MAX ? `${text.slice(0, NAME_LENGTH_MAX)}…` : text;
}

/** How long a program has to end itself when its time is over. */
const GRACE_MS = 5000;

/** The time of a program, and how it is ended when that is over. */
export interface TimeLimit {
  readonly secondsMax: number | undefined;
  /** Sends a signal to the program. */
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => void;
}

/**
 * Resolves when the program has ended well, with null, or was ended because its time was over, with that in words.
 *
 * @throws UsageError (`HOLDFAST_USAGE`) when it could not be started, failed, or was ended by a signal
 */
export async function waitForProgram(
  child: ChildProcess,
  command: readonly string[],
  limit: TimeLimit,
): Promise<string | null> {
  const name = nameOf(command);
  const timers: NodeJS.Timeout[] = [];
  let timeIsOver = false;
  if (limit.secondsMax !== undefined) {
    const milliseconds = limit.secondsMax * 1000;
    const end = (signal: 'SIGTERM' | 'SIGKILL') => (): void => {
      timeIsOver = true;
      limit.kill(signal);
    };
    timers.push(setTimeout(end('SIGTERM'), milliseconds));
    timers.push(setTimeout(end('SIGKILL'), milliseconds + GRACE_MS));
  }
  const ended = await new Promise<{ code: number | null; signal: string | null }>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ code, signal }));
    },
  )
    .catch((cause: unknown) => {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new UsageError(`the program cannot be run: ${name}: ${reason}`, { cause });
    })
    .finally(() => {
      for (const timer of timers) clearTimeout(timer);
    });
  if (timeIsOver) return `the program was ended after ${limit.secondsMax} s`;
  if (ended.signal !== null) {
    throw new UsageError(`the recorded program was ended by ${ended.signal}: ${name}`);
  }
  if (ended.code !== 0) {
    throw new UsageError(`the recorded program failed with exit code ${ended.code}: ${name}`);
  }
  return null;
}
