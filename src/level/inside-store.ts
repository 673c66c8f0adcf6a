/** Whether a directory for a copy lies in what it would be a copy of, by whatever path. */

import { dirname, isAbsolute, relative, sep } from 'node:path';

import { HoldfastError } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';
import type { Vfs } from '../vfs/vfs.ts';

/**
 * Refuses a copy inside the store that it is of: there it would go with its store. The directory of
 * the store itself passes: it is not empty, which is told as for any other.
 * @throws HOLDFAST_USAGE
 */
export function refuseInside(vfs: Vfs, target: string, store: string): void {
  let there = target;
  let real = realPath(vfs, there);
  while (real === null && dirname(there) !== there) {
    there = dirname(there);
    real = realPath(vfs, there);
  }
  // Nothing is there, or it cannot be reached: whoever makes it will say so.
  if (real === null) return;
  const way = relative(vfs.realpathSync(store), real);
  const isOutside = way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way);
  if (isOutside || (way === '' && there === target)) return;
  throw new HoldfastError(
    'HOLDFAST_USAGE',
    `${target} is inside the store ${store}: name a directory outside of it`,
  );
}

/** Null where nothing is there. */
function realPath(vfs: Vfs, path: string): string | null {
  try {
    return vfs.realpathSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return null;
    throw error;
  }
}
