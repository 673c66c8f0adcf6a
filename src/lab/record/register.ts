/**
 * Preload entry: `node --import holdfast/lab/register PROGRAM` with `HOLDFAST_ROOT` (the directory to record) and
 * `HOLDFAST_TRACE` (the file to write) in the environment. Inside a recording, which `holdfast record` or such a
 * call began, it installs the recorder in this process or worker before the program's first line.
 */

import { spawnSync } from 'node:child_process';
import { constants, fstatSync, readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import {
  getEnvironmentData,
  isMainThread,
  setEnvironmentData,
  threadId,
} from 'node:worker_threads';

import { HoldfastError, UsageError } from '../../base/errors.ts';
import { setMarkHook } from './mark.ts';
import { MarkLines } from './mark-lines.ts';
import { tellUnseenModules, watchChildren } from './node-children.ts';
import { NodeFsRecorder } from './node-fs-recorder.ts';
import { openFlagsOf } from './open-flags.ts';
import { RawLog } from './raw-log.ts';
import { RecordingSession } from './recording-session.ts';
import { RootFilter } from './root-filter.ts';
import {
  ROOT_VARIABLE,
  settingsIn,
  STDOUT_VARIABLE,
  TRACE_VARIABLE,
  withSessionPairs,
  type SessionSettings,
} from './session-variables.ts';

const INSTALLED: unique symbol = Symbol.for('holdfast.recorder') as typeof INSTALLED;
const SHARED_SETTINGS = 'holdfast.recording';
const STDOUT_FD = 1;
const STDERR_FD = 2;

function main(): void {
  // Loaded twice when it is both in NODE_OPTIONS and on the command line.
  if (Reflect.get(globalThis, INSTALLED) === true) return;
  Reflect.set(globalThis, INSTALLED, true);
  const settings = settingsIn(process.env) ?? settingsIn(sharedEnvironment());
  if (settings === null) recordThisProgram();
  else install(settings);
}

/** A worker may have an environment of its own; what its parent set here it has all the same. */
function sharedEnvironment(): Record<string, string> {
  const shared: unknown = getEnvironmentData(SHARED_SETTINGS);
  return typeof shared === 'object' && shared !== null ? (shared as Record<string, string>) : {};
}

/** Started by hand: this process becomes the one that records, and the program runs as its child. */
function recordThisProgram(): void {
  try {
    const { [ROOT_VARIABLE]: root = '', [TRACE_VARIABLE]: trace = '' } = process.env;
    if (!isMainThread || root === '' || trace === '') {
      throw new UsageError(
        `to record, set ${ROOT_VARIABLE} to the directory and ${TRACE_VARIABLE} to the file to write`,
      );
    }
    const args = [...process.execArgv, ...process.argv.slice(1)];
    const command = [process.execPath, ...args];
    const session = new RecordingSession({ root, tracePath: trace, command });
    const env = session.environment(process.env);
    const { status, signal, error } = spawnSync(process.execPath, args, { stdio: 'inherit', env });
    if (error !== undefined) throw error;
    if (signal !== null) {
      session.leaveCut();
      throw new UsageError(`the recorded program was ended by ${signal}; ${trace} is cut`);
    }
    session.finish();
    process.exit(status ?? 0);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    writeSync(STDERR_FD, `holdfast: ${error.message}\n`);
    process.exit(2);
  }
}

/** Processes and threads of one recording. Each leaves a log; a program with more has most likely run wild. */
const LOGS_MAX = 10_000;

function refuseTooMany(directory: string): void {
  if (readdirSync(directory).length < LOGS_MAX) return;
  writeSync(
    STDERR_FD,
    `holdfast: the recorded program made more than ${LOGS_MAX} processes and threads; this one was ended\n`,
  );
  process.exit(2);
}

function install(settings: SessionSettings): void {
  const { directory, root, clockBase } = settings;
  refuseTooMany(directory);
  const name = `${process.pid}-${threadId}-${process.hrtime.bigint()}.log`;
  const log = new RawLog(join(directory, name), clockBase, broken);
  log.tell({
    kind: 'hello',
    time: log.now(),
    process: process.pid,
    thread: threadId,
    directory: process.cwd(),
  });
  const { [STDOUT_VARIABLE]: knownStdout } = process.env;
  const isFirst = isMainThread && knownStdout === undefined;
  const identity = stdoutIdentity();
  if (isFirst) process.env[STDOUT_VARIABLE] = identity;
  const isOutput = isMainThread && (isFirst || knownStdout === identity);
  const lines = new MarkLines((text) => {
    log.run(log.now(), { call: 'mark', source: 'stdout', text }, recorder.stack(), { value: 0 });
  });
  const recorder = new NodeFsRecorder(log, new RootFilter(root), isOutput ? lines : null);
  if (isMainThread) tellInheritedDescriptors(log, root);
  setMarkHook((text) => {
    log.run(log.now(), { call: 'mark', source: 'mark', text }, recorder.stack(), { value: 0 });
  });
  watchChildren({
    log,
    pairs: (given) => withSessionPairs(given, settings, process.env[STDOUT_VARIABLE]),
  });
  setEnvironmentData(
    SHARED_SETTINGS,
    Object.fromEntries(withSessionPairs([], settings, identity).map(splitPair)),
  );
  if (isOutput) recorder.watchOutput(lines);
  recorder.install();
  syncBuiltinESMExports();
  if (isMainThread) {
    atExit((code) => {
      lines.end();
      const { moduleLoadList } = process as unknown as { moduleLoadList?: readonly string[] };
      tellUnseenModules(log, moduleLoadList ?? []);
      if (!isFirst) return;
      const text = String(code);
      log.run(log.now(), { call: 'mark', source: 'exit', text }, [], { value: 0 });
    });
  }
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return [pair.slice(0, at), pair.slice(at + 1)];
}

/** The log cannot be written: a program that went on would have changes that no trace tells. */
function broken(cause: unknown): never {
  const reason = cause instanceof Error ? cause.message : String(cause);
  writeSync(STDERR_FD, `holdfast: the recording cannot be written (${reason}); program ended\n`);
  process.kill(process.pid, 'SIGKILL');
  throw cause;
}

/** Which file, pipe or terminal standard output is, so that children with the same one are known. */
function stdoutIdentity(): string {
  try {
    const { dev, ino } = fstatSync(STDOUT_FD);
    return `${dev}:${ino}`;
  } catch {
    // Closed: nothing is told to anybody.
    return 'none';
  }
}

/** Descriptors that the process was started with and that lead into the root. */
function tellInheritedDescriptors(log: RawLog, root: string): void {
  if (process.platform !== 'linux') return;
  const filter = new RootFilter(root);
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const path = readlinkSync(`/proc/self/fd/${name}`);
      if (!filter.isInside(path)) continue;
      const info = readFileSync(`/proc/self/fdinfo/${name}`, 'utf8');
      const bits = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
      const position = Number(/^pos:\s*(\d+)/m.exec(info)?.[1] ?? 0);
      const fd = Number(name);
      const creating = constants.O_CREAT | constants.O_TRUNC | constants.O_EXCL;
      const flags = openFlagsOf(bits & ~creating);
      const time = log.now();
      log.run(time, { call: 'open', at: { path }, flags, mode: 0 }, [], { value: fd });
      log.run(log.now(), { call: 'seek', fd }, [], { value: position });
    } catch {
      // The descriptor of this very listing is gone by now.
    }
  }
}

/** After all of the program's own exit handlers. */
function atExit(run: (code: unknown) => void): void {
  const emit = process.emit.bind(process) as (event: string, ...args: unknown[]) => boolean;
  process.emit = ((event: string, ...args: unknown[]): boolean => {
    const handled = emit(event, ...args);
    if (event === 'exit') run(args[0] ?? process.exitCode ?? 0);
    return handled;
  }) as typeof process.emit;
}

main();
