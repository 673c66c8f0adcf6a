/**
 * `mkdir`, `rename` and `rm` of `holdfast/durable`: the calls of `node:fs` and `node:fs/promises`,
 * over `DurableDirectory` on the machine's file system. Only arguments are handled here.
 */

import { nodeVfs } from '../vfs/node-vfs.ts';
import { checkMode, checkPath, kind } from './call-checks.ts';
import { DurableDirectory } from './durable-directory.ts';
import type { RemoveOptions } from './durable-directory.ts';
import { SyncDispatch } from './sync-dispatch.ts';

export interface MkdirOptions {
  /**
   * Makes what is missing above it too, and takes a directory that is there already. Default false.
   */
  readonly recursive?: boolean | undefined;
  /** Permission bits before the umask, as a number or octal text. Default 0o777. */
  readonly mode?: number | string | undefined;
}

export type RmOptions = RemoveOptions;

/**
 * Makes a directory. When it resolves, the directory's name lasts, and with `recursive` those of
 * all that were made above it, and of the lowest one that was there. Resolves to the topmost
 * directory made with `recursive`, else to undefined.
 * @throws TypeError for wrong arguments; FileChangeError, outcome `'old'` when nothing was made
 */
export async function mkdir(
  path: string | URL,
  options?: MkdirOptions | number | string | null,
): Promise<string | undefined> {
  const { recursive, mode } = checkMkdir(options);
  if (recursive) return directories().mkdirAll(checkPath(path), mode);
  await directories().mkdir(checkPath(path), mode);
  return undefined;
}

/** As `mkdir`, on the calling thread. */
export function mkdirSync(
  path: string | URL,
  options?: MkdirOptions | number | string | null,
): string | undefined {
  const { recursive, mode } = checkMkdir(options);
  if (recursive) return directories().mkdirAllSync(checkPath(path), mode);
  directories().mkdirSync(checkPath(path), mode);
  return undefined;
}

/**
 * Renames a file or directory, over what has the new name. A file's bytes are synced first. When it
 * resolves, the new name lasts, with these bytes, and the old name is gone for good. A power cut
 * before may leave the file under its old name, its new one, or both. The content of a directory is
 * not synced.
 * @throws TypeError for wrong arguments; FileChangeError, outcome `'old'` when nothing was renamed
 */
export async function rename(from: string | URL, to: string | URL): Promise<void> {
  await directories().replace(checkPath(from), checkPath(to));
}

/** As `rename`, on the calling thread. */
export function renameSync(from: string | URL, to: string | URL): void {
  directories().replaceSync(checkPath(from), checkPath(to));
}

/**
 * Removes a file, a link (not what it points to), or with `recursive` a directory with all that is
 * in it. When it resolves, the name is gone for good; with `force` also when there was none. A
 * power cut before, and an error half-way, may leave a part of a directory's content.
 * @throws TypeError for wrong arguments; FileChangeError, outcome `'old'` when nothing was removed;
 *   its code is EISDIR for a directory without `recursive`
 */
export async function rm(path: string | URL, options: RmOptions = {}): Promise<void> {
  await directories().rm(checkPath(path), checkRm(options));
}

/** As `rm`, on the calling thread. */
export function rmSync(path: string | URL, options: RmOptions = {}): void {
  directories().rmSync(checkPath(path), checkRm(options));
}

function checkMkdir(options: MkdirOptions | number | string | null | undefined): {
  readonly recursive: boolean;
  readonly mode: number | undefined;
} {
  if (typeof options === 'number' || typeof options === 'string') {
    return { recursive: false, mode: checkMode(options) };
  }
  if (options !== undefined && typeof options !== 'object') {
    throw new TypeError(`options must be an object or a mode, not ${kind(options)}`);
  }
  const given: unknown = options?.recursive;
  if (given !== undefined && typeof given !== 'boolean') {
    throw new TypeError(`options.recursive must be true or false, not ${kind(given)}`);
  }
  return { recursive: options?.recursive === true, mode: checkMode(options?.mode) };
}

function checkRm(options: RmOptions | undefined): RmOptions {
  if (options === undefined) return {};
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(`options must be an object, not ${kind(options)}`);
  }
  for (const name of ['recursive', 'force'] as const) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === 'boolean') continue;
    throw new TypeError(`options.${name} must be true or false, not ${kind(value)}`);
  }
  return options;
}

let directory: DurableDirectory | undefined;

/** Made at first use: importing this module touches nothing. */
function directories(): DurableDirectory {
  directory ??= new DurableDirectory(new SyncDispatch(nodeVfs));
  return directory;
}
