/**
 * Runs a program under a recorder and gives its trace. The program runs in the current directory with its standard
 * streams passed through; only changes below the root are recorded.
 */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { basename, join } from 'node:path';

import { UsageError } from '../../base/errors.ts';
import type { Trace } from './operation.ts';
import { findProgram, isScript, waitForProgram, type RecordProgramOptions } from './program-run.ts';
import { recordWithStrace } from './record-strace.ts';
import { RecordingSession } from './recording-session.ts';
import { realRoot, type RecordingSummary } from './recording-target.ts';
import { readTraceFile } from './trace-reader.ts';

export type { RecordProgramOptions } from './program-run.ts';

/**
 * Records a run of a program.
 *
 * @throws UsageError (`HOLDFAST_USAGE`) when the root, the trace's place or the program cannot be used, or when
 * the program fails: a non-zero exit or a signal. Nothing is left of the recording then.
 */
export async function recordProgram(options: RecordProgramOptions): Promise<Trace> {
  requireCommand(options);
  const scratch = options.tracePath === undefined ? scratchDirectory(realRoot(options.root)) : null;
  const tracePath = options.tracePath ?? join(scratch ?? '', 'trace');
  try {
    await recordToFile({ ...options, tracePath });
    return readTraceFile(tracePath);
  } finally {
    if (scratch !== null) fs.rmSync(scratch, { recursive: true, force: true });
  }
}

/** Records a run of a program into a file, in memory that does not grow with the trace. Throws as `recordProgram`. */
export async function recordToFile(
  options: RecordProgramOptions & { readonly tracePath: string },
): Promise<RecordingSummary> {
  requireCommand(options);
  const { tracePath } = options;
  if (options.via === 'strace') return await recordWithStrace(options, tracePath);
  return await recordNode(options, tracePath);
}

function requireCommand({ command }: RecordProgramOptions): void {
  if (command.length === 0) throw new UsageError('no program to record: give it after --');
}

function scratchDirectory(root: string): string {
  const base = fs.realpathSync(os.tmpdir());
  if (base === root || base.startsWith(`${root}/`)) {
    throw new UsageError(`the root ${root} holds the directory for temporary files, ${base}`);
  }
  return fs.mkdtempSync(join(base, 'holdfast-record-'));
}

async function recordNode(
  options: RecordProgramOptions,
  tracePath: string,
): Promise<RecordingSummary> {
  const { file, args } = nodeCommand(options);
  const { root, command, limits } = options;
  const session = new RecordingSession({
    root,
    tracePath,
    command,
    ...(limits === undefined ? {} : { limits }),
  });
  try {
    const output = options.output ?? 'inherit';
    const child = spawn(file, args, {
      stdio: ['inherit', output, output],
      env: session.environment(options.env ?? process.env),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: 'SIGKILL' }),
    });
    const kill = (signal: NodeJS.Signals): void => {
      // It stands between us and the program's other processes, which may not end with it.
      child.kill(signal);
      session.endProcesses(signal);
    };
    const early = await waitForProgram(child, command, { secondsMax: options.secondsMax, kill });
    if (early !== null) session.endedEarly(early);
  } catch (error) {
    session.abandon();
    throw error;
  }
  return session.finish();
}

/** How the command is started, if it is one that the recorder can see into. */
function nodeCommand(options: RecordProgramOptions): { file: string; args: readonly string[] } {
  const [program = '', ...args] = options.command;
  const path = findProgram(program, options);
  if (path === null) throw new UsageError(`the program ${program} is not there`);
  if (isScript(program)) return { file: process.execPath, args: [path, ...args] };
  const isNode = /^node(\.exe)?$/.test(basename(fs.realpathSync(path))) || isNodeScript(path);
  if (isNode) return { file: path, args };
  throw new UsageError(
    `${program} is not a Node program; record it with --via strace (Linux), or give: node SCRIPT`,
  );
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
