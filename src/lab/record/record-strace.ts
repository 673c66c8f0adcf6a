/**
 * Runs any Linux program under `strace` and follows what it prints while the program runs: nothing of it is kept
 * but the trace.
 */

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import { UsageError } from '../../base/errors.ts';
import { gone, signalProcess } from './live-process.ts';
import { findProgram, waitForProgram, type RecordProgramOptions } from './program-run.ts';
import { RecordingTarget, type RecordingSummary } from './recording-target.ts';
import { STRACE_DESCRIBERS } from './strace-calls.ts';
import type { StandardOutput } from './strace-output.ts';
import { StraceRecorder } from './strace-recorder.ts';

/** Bytes of one write that are shown; more is told as not modelled. */
const STRING_BYTES_MAX = 64 * 1024 * 1024;

/** How long a call that copies is held at its end. */
const COPY_HELD_MICROSECONDS = 50_000;

/** Calls beside those with a describer. */
const OTHER_CALLS = [
  'clone',
  'clone3',
  'fork',
  'vfork',
  'execve',
  'execveat',
  'fcntl',
  'umask',
  'close_range',
  'mmap',
  'mprotect',
  'sendfile',
  'copy_file_range',
  'splice',
  'ioctl',
  'syncfs',
  'sendto',
  'sendmsg',
  'sendmmsg',
  'socketpair',
  'connect',
  'msync',
  'unshare',
  'io_uring_setup',
];

function straceArguments(options: RecordProgramOptions, output: string): string[] {
  // A question mark: not every architecture has every call.
  const calls = [...Object.keys(STRACE_DESCRIBERS), ...OTHER_CALLS].map((name) => `?${name}`);
  return [
    '--follow-forks',
    '--seccomp-bpf',
    '--decode-fds=all',
    '--strings-in-hex=all',
    `--string-limit=${STRING_BYTES_MAX}`,
    '--quiet=attach,personality,path-resolution',
    '--signal=none',
    '--interruptible=waiting',
    // What was read does not matter, only how much.
    '--raw=?read,?readv',
    // The bytes of a copy are in no line: they are read from the files before the program goes on.
    `--inject=?sendfile,?copy_file_range,?splice:delay_exit=${COPY_HELD_MICROSECONDS}`,
    ...(options.stacks === true ? ['--stack-traces'] : []),
    `--trace=${calls.join(',')}`,
    `--output=${output}`,
    '--',
    ...options.command,
  ];
}

/** Records into `tracePath`; see `recordProgram`. */
export async function recordWithStrace(
  options: RecordProgramOptions,
  tracePath: string,
): Promise<RecordingSummary> {
  if (process.platform !== 'linux') throw new UsageError('--via strace needs Linux');
  if (findProgram('strace', options) === null) {
    throw new UsageError('strace is missing; install it (Debian, Ubuntu: apt-get install strace)');
  }
  const { root, command, limits } = options;
  const [program = ''] = command;
  if (findProgram(program, options) === null) {
    throw new UsageError(`the program ${program} is not there`);
  }
  const target = new RecordingTarget({
    root,
    tracePath,
    command,
    ...(limits === undefined ? {} : { limits }),
  });
  const pipe = new NamedPipe(target.tracePath);
  try {
    await follow(options, target, pipe);
    return target.finish();
  } catch (error) {
    target.abandon();
    throw error;
  } finally {
    pipe.remove();
  }
}

async function follow(
  options: RecordProgramOptions,
  target: RecordingTarget,
  pipe: NamedPipe,
): Promise<void> {
  const ignored = options.output === 'ignore';
  const cwd = options.cwd ?? process.cwd();
  // A pipe of its own when ignored: in /dev/null its lines would look like those of standard error.
  const drain = ignored ? pipe.drain() : null;
  const output = outputsOf(drain);
  const child = spawn('strace', straceArguments(options, pipe.path), {
    stdio: drain === null ? 'inherit' : ['inherit', drain, 'ignore'],
    cwd,
    env: { ...(options.env ?? process.env) },
    ...(options.signal === undefined ? {} : { signal: options.signal, killSignal: 'SIGTERM' }),
  });
  if (drain !== null) fs.closeSync(drain);
  const recorder = new StraceRecorder(target.tracker, {
    root: target.root,
    directory: fs.realpathSync(cwd),
    umask: process.umask(),
    output,
  });
  const kill = (signal: NodeJS.Signals): void => {
    for (const pid of recorder.pids) signalProcess(pid, signal);
  };
  const { secondsMax } = options;
  const ended = waitForProgram(child, options.command, { secondsMax, kill }).finally(() => {
    pipe.closeWriter();
  });
  const lines = followLines(pipe.reader, (line) => target.within(() => recorder.line(line)));
  try {
    const [early] = await Promise.all([ended, lines]);
    const [program] = options.command;
    if (!recorder.started) throw new UsageError(`the program ${program} cannot be run`);
    target.within(() => recorder.finish());
    if (early !== null) target.cut(early);
  } catch (error) {
    // strace lets go of what it did not start itself, and such a process could make no call any more.
    kill('SIGKILL');
    child.kill('SIGKILL');
    // The last lines may name processes that were not known yet.
    await Promise.allSettled([ended, lines]);
    kill('SIGKILL');
    await gone(recorder.pids);
    throw error;
  }
}

/**
 * A pipe with a name: strace opens what it writes to by name, and the program must not inherit it. A writer of our
 * own keeps it from ending before strace has opened it.
 */
class NamedPipe {
  readonly path: string;
  readonly reader: Socket;
  readonly #directory: string;
  readonly #writer: number;
  #drain: Socket | null = null;
  #open = true;

  constructor(beside: string) {
    this.#directory = fs.mkdtempSync(`${beside}.parts-`);
    this.path = join(this.#directory, 'strace');
    execFileSync('mkfifo', ['-m', '600', this.path]);
    const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;
    const reading = fs.openSync(this.path, O_RDONLY | O_NONBLOCK);
    this.#writer = fs.openSync(this.path, O_WRONLY | O_NONBLOCK);
    this.reader = new Socket({ fd: reading, readable: true, writable: false });
  }

  /** The writing end of another pipe, whose bytes go nowhere. The caller closes it. */
  drain(): number {
    const path = join(this.#directory, 'output');
    execFileSync('mkfifo', ['-m', '600', path]);
    const { O_RDONLY, O_WRONLY, O_NONBLOCK } = fs.constants;
    const reading = fs.openSync(path, O_RDONLY | O_NONBLOCK);
    this.#drain = new Socket({ fd: reading, readable: true, writable: false }).resume();
    // Its readers see to it that this does not wait, and the program must not get EAGAIN.
    return fs.openSync(path, O_WRONLY);
  }

  closeWriter(): void {
    if (this.#open) fs.closeSync(this.#writer);
    this.#open = false;
  }

  remove(): void {
    this.closeWriter();
    this.reader.destroy();
    this.#drain?.destroy();
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}

/**
 * What the program will have as standard output and standard error: a drain and nothing, or what this process has.
 * Not asked of strace itself, which gives its own away as soon as the program runs.
 */
function outputsOf(drain: number | null): StandardOutput {
  if (drain !== null)
    return { stdout: fs.readlinkSync(`/proc/self/fd/${drain}`), sharedWithError: false };
  try {
    const [stdout, stderr] = [1, 2].map((fd) => fs.readlinkSync(`/proc/self/fd/${fd}`));
    return { stdout: stdout ?? '', sharedWithError: stdout === stderr };
  } catch {
    // One is closed: no line can be told then.
    return { stdout: '', sharedWithError: false };
  }
}

const NEWLINE = 0x0a;

async function followLines(pipe: Readable, tell: (line: string) => void): Promise<void> {
  let parts: Buffer[] = [];
  for await (const data of pipe as AsyncIterable<Buffer>) {
    let start = 0;
    for (let at = data.indexOf(NEWLINE); at >= 0; at = data.indexOf(NEWLINE, start)) {
      parts.push(data.subarray(start, at));
      tell(Buffer.concat(parts).toString('latin1'));
      parts = [];
      start = at + 1;
    }
    if (start < data.byteLength) parts.push(data.subarray(start));
  }
}
