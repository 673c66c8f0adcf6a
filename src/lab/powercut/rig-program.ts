/**
 * Runs a program on a rig's disk: inside the rig's mount and process namespaces, as another user where asked,
 * its standard output handed on as it comes.
 */

import { execFileSync, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import process from 'node:process';
import { UsageError } from '../../base/errors.ts';
import { MARK_DIRECTORY_VARIABLE } from '../record/rig-mark.ts';

/** Longest a program may take, in milliseconds; then it is ended and the run refused. */
export const PROGRAM_MS_MAX = 120_000;
/** Most of its standard error that is kept for the message, in characters. */
const ERRORS_LENGTH_MAX = 64 * 1024;

/** Who a program runs as. */
export interface RigUser {
  readonly uid: number;
  readonly gid: number;
  /** Known to the system by name, so that it has groups of its own. */
  readonly named: boolean;
}

/** How a program ended. */
export interface ProgramResult {
  readonly exitCode: number;
  /** In words, for a message: `ended with exit code 1`. */
  readonly how: string;
  readonly errors: string;
}

/** What to run where. */
export interface NamespacedProgram {
  readonly keeperPid: number;
  readonly namespacePid: number;
  /** Working directory of the program, as seen inside. */
  readonly root: string;
  /** Directory that a relative path to the program itself is relative to. */
  readonly cwd: string;
  readonly program: readonly string[];
  readonly user: RigUser | null;
  readonly markDirectory: string | null;
  onOutput(bytes: Uint8Array): void;
}

/** Looks a user up by name or number. @throws {UsageError} when there is none. */
export function resolveUser(user: string): RigUser {
  const ask = (what: string): number =>
    Number(execFileSync('id', [what, user], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
  try {
    return { uid: ask('-u'), gid: ask('-g'), named: true };
  } catch (error) {
    // A number needs no entry in the user data base; a name does.
    if (/^[0-9]+$/.test(user)) return { uid: Number(user), gid: Number(user), named: false };
    throw new UsageError(`there is no user '${user}'`, { cause: error });
  }
}

/**
 * Runs until the program ends, or to the time limit; whatever it started in the background ends with it.
 *
 * @throws {UsageError} when it cannot be started.
 */
export async function runInNamespace(job: NamespacedProgram): Promise<ProgramResult> {
  const [name = '', ...words] = job.program;
  const file = name.includes('/') ? resolve(job.cwd, name) : name;
  const child = spawn('nsenter', [...namespaceWords(job), file, ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: '/',
    env: {
      ...process.env,
      HOLDFAST_ROOT: job.root,
      ...(job.markDirectory === null ? {} : { [MARK_DIRECTORY_VARIABLE]: job.markDirectory }),
    },
  });
  let errors = '';
  child.stdout.on('data', (bytes: Buffer) => job.onOutput(bytes));
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-ERRORS_LENGTH_MAX);
  });
  let late = false;
  // The first process of the namespace takes every other with it.
  const endAll = (): boolean => process.kill(job.namespacePid, 'SIGKILL');
  const timer = setTimeout(() => {
    late = true;
    endAll();
  }, PROGRAM_MS_MAX);
  // What the program left in the background would hold its standard output open.
  child.once('exit', () => void (late || endAll()));
  try {
    return await new Promise((settle, reject) => {
      child.once('error', (error) =>
        reject(new UsageError(`nsenter cannot be run: ${error.message}`, { cause: error })),
      );
      child.once('close', (code, signal) => {
        const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
        const how = late
          ? `did not end within ${PROGRAM_MS_MAX / 1000} s`
          : `ended with exit code ${exitCode}`;
        settle({ exitCode: late ? 124 : exitCode, how, errors });
      });
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Words in front of a command that make it run as this user; none for null. */
export function asUser(user: RigUser | null): string[] {
  if (user === null) return [];
  return [
    'setpriv',
    `--reuid=${user.uid}`,
    `--regid=${user.gid}`,
    user.named ? '--init-groups' : '--clear-groups',
    '--no-new-privs',
    '--',
  ];
}

function namespaceWords(job: NamespacedProgram): string[] {
  return [
    `--mount=/proc/${job.keeperPid}/ns/mnt`,
    `--pid=/proc/${job.namespacePid}/ns/pid`,
    '--',
    ...asUser(job.user),
    '/bin/sh',
    '-c',
    'cd "$1" && shift && exec "$@"',
    'sh',
    job.root,
  ];
}
