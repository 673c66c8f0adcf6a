/** Whether a name exists, for callers to whom anything but yes and no is an error. */

import { errorCode } from './errno.ts';
import type { Vfs } from './vfs.ts';

/**
 * True when this name leads to something; false for a link that leads nowhere, and where something above it is no
 * directory.
 * @throws what `stat` throws else (`EACCES`, `EIO`…)
 */
export async function isThere(vfs: Vfs, path: string): Promise<boolean> {
  try {
    await vfs.stat(path);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw error;
  }
}
