/**
 * Processes and threads that a recorded Node program makes: children get the recording's environment even when
 * the program gives them another one, and each is told to the log, so that one without a log of its own is named.
 * So is native code, which can write what nobody sees.
 */

import { ChildProcess } from 'node:child_process';
import { basename } from 'node:path';

import { isNative, nodeBinding, type NativeFunction } from './node-binding.ts';
import type { RawLog } from './raw-log.ts';

export interface ChildWatch {
  readonly log: RawLog;
  /** The environment that a child must have, made from what the program gives it. */
  readonly pairs: (given: readonly string[]) => string[];
}

interface SpawnOptions {
  readonly file: string;
  readonly args: readonly string[];
  envPairs: readonly string[];
}

const NAME_LENGTH_MAX = 80;

function isSpawnOptions(value: unknown): value is SpawnOptions {
  return typeof value === 'object' && value !== null && 'file' in value;
}

function nameOf({ file, args }: SpawnOptions): string {
  const words = Array.isArray(args) && args.length > 0 ? args.map(String) : [file];
  const text = [basename(file), ...words.slice(1)].join(' ').replaceAll(/\s+/g, ' ');
  return text.length > NAME_LENGTH_MAX ? `${text.slice(0, NAME_LENGTH_MAX)}…` : text;
}

function replace(
  owner: Record<string, unknown>,
  name: string,
  make: (original: NativeFunction) => NativeFunction,
): void {
  const original = owner[name];
  if (isNative(original)) owner[name] = make(original);
}

export function watchChildren(watch: ChildWatch): void {
  watchProcesses(watch);
  watchThreads(watch.log);
  watchAddons(watch.log);
}

function watchProcesses({ log, pairs }: ChildWatch): void {
  const tell = (id: unknown, options: SpawnOptions): void => {
    if (typeof id !== 'number' || id <= 0) return;
    log.tell({ kind: 'child', time: log.now(), child: 'process', id, name: nameOf(options) });
  };
  // Every asynchronous way of making a child ends in this method, and takes its arguments in this form.
  const prototype = ChildProcess.prototype as unknown as Record<string, unknown>;
  replace(prototype, 'spawn', (original) => {
    return function spawn(this: unknown, options: unknown, ...rest: unknown[]) {
      if (!isSpawnOptions(options)) return Reflect.apply(original, this, [options, ...rest]);
      options.envPairs = pairs(options.envPairs);
      const result = Reflect.apply(original, this, [options, ...rest]);
      if (typeof this === 'object' && this !== null) tell(Reflect.get(this, 'pid'), options);
      return result;
    };
  });
  const blocking = nodeBinding('spawn_sync');
  if (blocking === undefined) return;
  replace(blocking, 'spawn', (original) => {
    return function spawn(this: unknown, options: unknown, ...rest: unknown[]) {
      if (!isSpawnOptions(options)) return Reflect.apply(original, this, [options, ...rest]);
      options.envPairs = pairs(options.envPairs);
      const result = Reflect.apply(original, this, [options, ...rest]);
      if (typeof result === 'object' && result !== null) tell(Reflect.get(result, 'pid'), options);
      return result;
    };
  });
}

function watchThreads(log: RawLog): void {
  process.on('worker', (worker) => {
    const id = worker.threadId;
    log.tell({ kind: 'child', time: log.now(), child: 'thread', id, name: `worker ${id}` });
  });
}

function watchAddons(log: RawLog): void {
  const load = process.dlopen.bind(process);
  process.dlopen = (module: object, filename: string, ...rest: number[]): void => {
    tellUnmodelled(log, `native code, which may write unseen: ${basename(filename)}`);
    Reflect.apply(load, process, [module, filename, ...rest]);
  };
}

/** Parts of Node itself that write files beneath everything that can be watched, if they were loaded. */
const UNSEEN_MODULES: readonly (readonly [string, string])[] = [
  ['Internal Binding sqlite', 'node:sqlite'],
  ['Internal Binding wasi', 'node:wasi'],
];

/** Call at the program's end. */
export function tellUnseenModules(log: RawLog, loaded: readonly string[]): void {
  for (const [internal, name] of UNSEEN_MODULES) {
    if (loaded.includes(internal))
      tellUnmodelled(log, `native code, which may write unseen: ${name}`);
  }
}

function tellUnmodelled(log: RawLog, what: string): void {
  log.run(log.now(), { call: 'unmodelled', what }, [], { value: 0 });
}
