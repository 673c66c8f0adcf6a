/**
 * Runs a Node program under the recorder and gives its trace. The program runs in the current directory with its
 * standard streams passed through; only changes below the root are recorded.
 */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { basename, delimiter, join } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import type { Trace } from './operation.ts';
import { realRoot, RecordingSession } from './recording-session.ts';
import { readTraceFile } from './trace-reader.ts';

export interface RecordProgramOptions {
  /** The directory whose changes are recorded, as it is at the start. */
  readonly root: string;
  /** Program and arguments: `['node', 'save.mjs']` or `['save.mjs']`. */
  readonly command: readonly string[];
  /** Keep the trace in this file; without it the trace is only in memory when this returns. */
  readonly tracePath?: string;
  /** Where the program runs; default the current directory. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What becomes of the program's standard output and error; default `'inherit'`. */
  readonly output?: 'inherit' | 'ignore';
  /** Ends the program and the recording; nothing is left of it. */
  readonly signal?: AbortSignal;
}

/**
 * Records a run of a Node program.
 *
 * @throws UsageError (`HOLDFAST_USAGE`) when the root, the trace's place or the program cannot be used, or when
 * the program fails: a non-zero exit or a signal. Nothing is left of the recording then.
 */
export async function recordProgram(options: RecordProgramOptions): Promise<Trace> {
  const { file, args } = nodeCommand(options);
  const scratch = options.tracePath === undefined ? scratchDirectory(realRoot(options.root)) : null;
  const tracePath = options.tracePath ?? join(scratch ?? '', 'trace');
  try {
    const { root, command } = options;
    const session = new RecordingSession({ root, tracePath, command });
    try {
      await run(options, file, args, session.environment(options.env ?? process.env));
    } catch (error) {
      session.abandon();
      throw error;
    }
    session.finish();
    return readTraceFile(tracePath);
  } finally {
    if (scratch !== null) fs.rmSync(scratch, { recursive: true, force: true });
  }
}

function scratchDirectory(root: string): string {
  const base = fs.realpathSync(os.tmpdir());
  if (base === root || base.startsWith(`${root}/`)) {
    throw new UsageError(`the root ${root} holds the directory for temporary files, ${base}`);
  }
  return fs.mkdtempSync(join(base, 'holdfast-record-'));
}

async function run(
  options: RecordProgramOptions,
  file: string,
  args: readonly string[],
  env: Record<string, string>,
): Promise<void> {
  const name = options.command.join(' ');
  const output = options.output ?? 'inherit';
  const child = spawn(file, args, {
    stdio: ['inherit', output, output],
    env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: 'SIGKILL' }),
  });
  const ended = await new Promise<{ code: number | null; signal: string | null }>(
    (resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve({ code, signal }));
    },
  ).catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`the program cannot be run: ${name}: ${reason}`, { cause });
  });
  if (ended.signal !== null) {
    throw new UsageError(`the recorded program was ended by ${ended.signal}: ${name}`);
  }
  if (ended.code !== 0) {
    throw new UsageError(`the recorded program failed with exit code ${ended.code}: ${name}`);
  }
}

const SCRIPT = /\.[cm]?[jt]s$/;

/** How the command is started, if it is one that the recorder can see into. */
function nodeCommand(options: RecordProgramOptions): { file: string; args: readonly string[] } {
  const [program, ...args] = options.command;
  if (program === undefined) throw new UsageError('no program to record: give it after --');
  const path = findProgram(program, options);
  if (SCRIPT.test(program)) {
    if (path === null) throw new UsageError(`the program ${program} is not there`);
    return { file: process.execPath, args: [path, ...args] };
  }
  if (path === null) throw new UsageError(`the program ${program} is not there`);
  const isNode = /^node(\.exe)?$/.test(basename(fs.realpathSync(path))) || isNodeScript(path);
  if (isNode) return { file: path, args };
  throw new UsageError(
    `${program} is not a Node program; record it with --via strace (Linux), or give: node SCRIPT`,
  );
}

/** The path of a program as a shell would find it, a script also in the working directory; null if nowhere. */
function findProgram(program: string, options: RecordProgramOptions): string | null {
  const cwd = options.cwd ?? process.cwd();
  const { PATH = '' } = options.env ?? process.env;
  const places = program.includes('/') || SCRIPT.test(program) ? [cwd] : PATH.split(delimiter);
  for (const place of places) {
    const path = program.startsWith('/') ? program : join(place, program);
    if (fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true) return path;
  }
  return null;
}

/** Whether the first line of a file asks for Node. */
function isNodeScript(path: string): boolean {
  const fd = fs.openSync(path, 'r');
  try {
    const buffer = Buffer.alloc(128);
    const count = fs.readSync(fd, buffer, 0, buffer.byteLength, 0);
    const [first = ''] = buffer.toString('latin1', 0, count).split('\n');
    return /^#!.*\bnode\b/.test(first);
  } finally {
    fs.closeSync(fd);
  }
}
