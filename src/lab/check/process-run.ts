/**
 * Runs one command to its end: in a process group of its own, with a time limit, its output bounded in memory.
 * When it returns nothing of the group is running. Knows nothing of disks and verdicts.
 */

import { spawn, type ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lastLineOf } from './last-line.ts';
import { adoptGroup, endGroup, killGroup } from './process-scratch.ts';

export interface CommandRun {
  /** A string goes through the shell; a list is a program and its arguments. */
  readonly command: string | readonly string[];
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly timeLimitMs: number;
  /** How much of the beginning of standard output is kept, in bytes. Default `OUTPUT_BYTES_KEPT`. */
  readonly outputBytesMax?: number;
  /** Told the leader of the process group once the command runs, so that it can be killed. */
  readonly onStart?: (leader: number) => void;
}

export interface CommandResult {
  /** `'missing'`: it could not be started at all. */
  readonly outcome: 'exit' | 'signal' | 'time-out' | 'missing';
  /** 0 to 255 for `'exit'`. */
  readonly exitCode: number | null;
  /** Name of the signal, or the error code of a command that could not be started. */
  readonly detail: string;
  /** The last line of standard error (`lastLineOf`); of standard output if there is none; or `''`. */
  readonly lastLine: string;
  /** First bytes of standard output, at most `outputBytesMax`. */
  readonly output: Uint8Array;
  /** All bytes of standard output. */
  readonly outputLength: number;
  /** SHA-256 of all of standard output, in lower-case hex. */
  readonly outputDigest: string;
}

/** So many bytes of the end of each stream are kept; the rest is read and forgotten. */
export const OUTPUT_BYTES_KEPT = 8192;

/** A process that left its group may hold the pipes open; they are dropped this long after the command's end. */
const DRAIN_MS = 200;

/** Errors of starting that say something of the command, not of this machine's state. */
const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'EACCES', 'ENOTDIR', 'ENOEXEC', 'ELOOP']);

/**
 * Resolves when the command has ended, was ended, or could not be started.
 * Rejects with the operating system's error when no process can be started for another reason (EAGAIN, EMFILE).
 */
export function runCommand(run: CommandRun): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = start(run);
    const output = new StreamEnds(run.outputBytesMax ?? OUTPUT_BYTES_KEPT);
    const errors = new StreamEnds(0);
    const digest = createHash('sha256');
    let timedOut = false;
    let drain: NodeJS.Timeout | undefined;
    child.stdout?.on('data', (chunk: Buffer) => {
      digest.update(chunk);
      output.add(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => errors.add(chunk));
    const timer = setTimeout(() => {
      timedOut = true;
      if (child.pid !== undefined) killGroup(child.pid);
    }, run.timeLimitMs);
    const result = (
      outcome: CommandResult['outcome'],
      exitCode: number | null,
      detail: string,
    ) => ({
      outcome,
      exitCode,
      detail,
      lastLine: errors.lastLine() || output.lastLine(),
      output: output.head(),
      outputLength: output.length,
      outputDigest: digest.digest('hex'),
    });
    child.on('error', (error: NodeJS.ErrnoException) => {
      // Also reported for a kill that failed; only a child without a pid never ran.
      if (child.pid !== undefined) return;
      clearTimeout(timer);
      const code = error.code ?? error.message;
      if (MISSING.has(code)) resolve(result('missing', null, code));
      else reject(error);
    });
    child.on('exit', () => {
      clearTimeout(timer);
      if (child.pid !== undefined) endGroup(child.pid);
      drain = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, DRAIN_MS);
    });
    child.on('close', (exitCode, signal) => {
      clearTimeout(drain);
      if (child.pid === undefined) return;
      if (timedOut) resolve(result('time-out', null, `${run.timeLimitMs} ms`));
      else if (signal !== null) resolve(result('signal', null, signal));
      else resolve(result('exit', exitCode, ''));
    });
  });
}

function start(run: CommandRun): ChildProcess {
  const options = {
    cwd: run.directory,
    env: run.environment,
    stdio: ['ignore', 'pipe', 'pipe'] as const,
    // A group of its own (setsid), so that all its descendants can be ended together.
    detached: process.platform !== 'win32',
    windowsHide: true,
  };
  const { command } = run;
  const [program, ...rest] = typeof command === 'string' ? [command] : command;
  if (program === undefined) throw new TypeError('a command is a string or a list of at least one');
  const shell = typeof command === 'string';
  const child = spawn(program, rest, { ...options, stdio: [...options.stdio], shell });
  if (child.pid !== undefined) {
    adoptGroup(child.pid);
    run.onStart?.(child.pid);
  }
  return child;
}

/** Both ends of a stream, in bounded memory. */
class StreamEnds {
  length = 0;
  readonly #headBytesMax: number;
  readonly #head: Buffer[] = [];
  #tail: Buffer = Buffer.alloc(0);

  constructor(headBytesMax: number) {
    this.#headBytesMax = headBytesMax;
  }

  add(chunk: Buffer): void {
    const room = this.#headBytesMax - this.length;
    // Copied: a view would keep the whole chunk alive.
    if (room > 0) this.#head.push(Buffer.from(chunk.subarray(0, room)));
    this.length += chunk.length;
    const tail = chunk.length >= OUTPUT_BYTES_KEPT ? chunk : Buffer.concat([this.#tail, chunk]);
    this.#tail = Buffer.from(tail.subarray(Math.max(0, tail.length - OUTPUT_BYTES_KEPT)));
  }

  head(): Uint8Array {
    return Buffer.concat(this.#head);
  }

  lastLine(): string {
    return lastLineOf(this.#tail.toString('utf8'));
  }
}
