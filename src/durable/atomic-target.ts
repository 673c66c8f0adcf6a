/**
 * Which file a path means before it is replaced: links are followed to the end, also to a file that is not there
 * yet, because the link is somebody's and stays. Two calls for a plain file, old or new: realpath of its
 * directory and lstat of its name.
 */

import { basename, dirname, isAbsolute, join, resolve, sep } from 'node:path';

import { errorCode, systemError } from '../vfs/errno.ts';
import type { FileStat, Vfs } from '../vfs/vfs.ts';

/** The file that will be replaced or made. */
export interface AtomicTarget {
  /** Absolute, and free of links. */
  readonly path: string;
  readonly directory: string;
  /** What is there now; null for a new file. */
  readonly existing: FileStat | null;
}

/** As many links as Linux follows (path_resolution(7)). */
const LINKS_MAX = 40;

/**
 * Finds the file that `path` means now.
 * @throws EISDIR for a directory, EINVAL for a device, pipe or socket: replacing one by a file is never meant;
 *   ELOOP for links in a circle; the operating system's error when the name cannot be looked at.
 */
export function resolveTarget(vfs: Vfs, path: string): AtomicTarget {
  let wanted = path;
  for (let links = 0; links <= LINKS_MAX; links += 1) {
    if (wanted === '') throw systemError('ENOENT', 'open', path);
    if (wanted.endsWith('/') || wanted.endsWith(sep)) throw systemError('EISDIR', 'open', path);
    const directory = realDirectory(vfs, dirname(wanted));
    const target = join(directory, basename(wanted));
    const existing = statOrNull(vfs, target);
    if (existing === null || existing.kind === 'file') {
      return { path: target, directory, existing };
    }
    if (existing.kind === 'directory') throw systemError('EISDIR', 'open', path);
    if (existing.kind === 'other') throw systemError('EINVAL', 'open', path);
    const link = vfs.readLinkSync(target);
    wanted = isAbsolute(link) ? link : `${directory}/${link}`;
  }
  throw systemError('ELOOP', 'open', path);
}

/**
 * The directory without links, so that two ways to one file are one queue. Some file systems cannot say (network
 * drives and RAM disks on Windows), and a missing directory is for `open` to report: both give the plain path.
 */
function realDirectory(vfs: Vfs, directory: string): string {
  try {
    return vfs.realpathSync(directory);
  } catch {
    return resolve(directory);
  }
}

function statOrNull(vfs: Vfs, path: string): FileStat | null {
  try {
    return vfs.lstatSync(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
