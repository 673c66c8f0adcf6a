/**
 * A directory for something new: missing or empty before, there and durable afterwards. What goes
 * into it, and that nobody else puts something there meanwhile, is its user's concern.
 */

import { HoldfastError } from '../base/errors.ts';
import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { errorCode } from '../vfs/errno.ts';
import { isThere } from '../vfs/is-there.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { DurableDirectory } from './durable-directory.ts';
import type { SyncDispatch } from './sync-dispatch.ts';

/**
 * Makes the directory and what is missing above it. On return their names last. Resolves to the
 * topmost directory that was made, or undefined when it was there.
 * @throws HOLDFAST_EXISTS when something is in it; then nothing is changed
 */
export async function makeEmptyDirectory(
  dispatch: SyncDispatch,
  directory: string,
  clock: Clock = systemClock,
): Promise<string | undefined> {
  await requireEmptyDirectory(dispatch.vfs, directory);
  return await new DurableDirectory(dispatch, clock).mkdirAll(directory);
}

/** Resolves when a directory is missing or empty. @throws HOLDFAST_EXISTS, also where a file is */
export async function requireEmptyDirectory(vfs: Vfs, directory: string): Promise<void> {
  let first: string | undefined;
  try {
    first = (await vfs.readDirectory(directory))[0]?.name;
  } catch (error) {
    // A directory that is missing can be made.
    if (errorCode(error) === 'ENOENT') return;
    if (errorCode(error) !== 'ENOTDIR' || !(await isThere(vfs, directory))) throw error;
    throw new HoldfastError(
      'HOLDFAST_EXISTS',
      `${directory} is a file, and a store is a directory: name a new or an empty directory`,
    );
  }
  if (first === undefined) return;
  throw new HoldfastError(
    'HOLDFAST_EXISTS',
    `${directory} is not empty, it has ${JSON.stringify(first)}: name a new or an empty directory`,
  );
}
