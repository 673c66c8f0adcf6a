/**
 * Options as callers write them, checked before anything is made with them: their names, and the
 * types of those that engines do not check themselves. Not here: their limits (each engine's).
 */

import { inspect } from 'node:util';

import { batchBounds } from '../durable/append-options.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';

/** What every store and engine knows. */
const COMMON = [
  'engine',
  'keyEncoding',
  'valueEncoding',
  'passive',
  'createIfMissing',
  'errorIfExists',
  'dispatch',
  'clock',
  'sync',
  'batch',
] as const;

/**
 * What some engine knows. All of them are taken with every engine, so that the engine can be changed
 * by one word; the last one is `classic-level`'s and does nothing.
 */
const OF_ENGINES = [
  'compression',
  'cacheSize',
  'writeBufferSize',
  'blockSize',
  'blockRestartInterval',
  'maxFileSize',
  'maxOpenFiles',
  'preallocateBytes',
  'merge',
  'timeOfDay',
  'pageBytes',
  'checkpoint',
  'multithreading',
] as const;

const KNOWN: ReadonlySet<string> = new Set([...COMMON, ...OF_ENGINES]);
const YES_OR_NO = ['createIfMissing', 'errorIfExists', 'compression'] as const;

/**
 * Checks what `new HoldfastLevel` and `open` are given. An engine of the caller's own (`isOwn`) may
 * have options of other names.
 * @throws TypeError that names the option
 */
export function checkOpenOptions(options: unknown, isOwn: boolean): void {
  const given = isOwn ? objectOf(options) : knownOptions(options, KNOWN);
  for (const name of YES_OR_NO) {
    const value = given[name];
    if (value == null || typeof value === 'boolean') continue;
    throw new TypeError(`${name} must be true or false, not ${inspect(value)}`);
  }
  toSyncPolicy(given['sync'] as undefined);
  batchBounds(given['batch'] as undefined);
}

/** @throws TypeError for a directory that has no name */
export function checkLocation(location: unknown): void {
  if (typeof location !== 'string' || location === '') {
    throw new TypeError("The first argument 'location' must be a non-empty string");
  }
}

/**
 * Checks what long work on an open store is given; `more` are the names of what else it takes.
 * @throws TypeError that names the option
 */
export function checkProgressOptions(options: unknown, more: readonly string[] = []): void {
  const { onProgress, signal } = knownOptions(options, ['onProgress', 'signal', ...more]);
  if (onProgress != null && typeof onProgress !== 'function') {
    throw new TypeError(`onProgress must be a function, not ${inspect(onProgress)}`);
  }
  if (signal != null && !(signal instanceof AbortSignal)) {
    throw new TypeError(`signal must be an AbortSignal, not ${inspect(signal)}`);
  }
}

/**
 * The options of a call that takes no others than those named.
 * @throws TypeError that names the option
 */
export function knownOptions(
  options: unknown,
  known: Iterable<string>,
): Readonly<Record<string, unknown>> {
  const given = objectOf(options);
  const names = [...known];
  for (const name of Object.keys(given)) {
    if (names.includes(name) || given[name] === undefined) continue;
    throw new TypeError(`there is no option '${name}'${hintFor(name, names)}`);
  }
  return given;
}

/** Options that may be left out. @throws TypeError for what can have none */
function objectOf(options: unknown): Readonly<Record<string, unknown>> {
  if (options === undefined || options === null) return {};
  if (typeof options === 'object') return options as Readonly<Record<string, unknown>>;
  throw new TypeError(`options must be an object, not ${inspect(options)}`);
}

/** Another way to write it that is known. */
function hintFor(name: string, names: readonly string[]): string {
  const known = names.find((one) => plain(one) === plain(name) || isNear(one, name));
  return known === undefined ? '' : `: did you mean '${known}'?`;
}

/** What is the same for who mixes up capital letters, or sizes and bytes. */
function plain(name: string): string {
  return name.toLowerCase().replace('size', 'bytes');
}

/** Whether two names differ by one letter more, less or else. */
function isNear(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  return restA.slice(1) === restB || restA === restB.slice(1) || restA.slice(1) === restB.slice(1);
}
