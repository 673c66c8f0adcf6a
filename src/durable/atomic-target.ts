/**
 * Which file a path means before it is replaced: links are followed to the end, also to a file that
 * is not there yet, because the link is somebody's and stays. For a plain file, old or new, one
 * lstat of its name, and where the name must be the only one (the queue) one realpath of its
 * directory.
 */

import { isAbsolute, resolve, sep } from 'node:path';

import { errorCode, systemError } from '../vfs/errno.ts';
import type { FileStat, Vfs } from '../vfs/vfs.ts';
import { inDirectory, splitPath } from './directory-path.ts';

/** The file that will be replaced or made. */
export interface AtomicTarget {
  /** Not a link itself. */
  readonly path: string;
  readonly directory: string;
  /** What is there now; null for a new file. */
  readonly existing: FileStat | null;
}

/**
 * How a directory is called: as the caller calls it, or by the one name that all its callers share.
 */
export type DirectoryName = (vfs: Vfs, directory: string) => string;

/** As many links as Linux follows (path_resolution(7)). */
const LINKS_MAX = 40;

/**
 * Finds the file that `path` means now.
 * @throws EISDIR for a directory, EINVAL for a device, pipe or socket: replacing one by a file is
 *   never meant; ELOOP for links in a circle; the operating system's error when the name cannot be
 *   looked at.
 */
export function resolveTarget(vfs: Vfs, path: string, name: DirectoryName): AtomicTarget {
  let wanted = path;
  for (let links = 0; links <= LINKS_MAX; links += 1) {
    if (wanted === '') throw systemError('ENOENT', 'open', path);
    if (wanted.endsWith('/') || wanted.endsWith(sep)) throw systemError('EISDIR', 'open', path);
    const parts = splitPath(wanted);
    const directory = name(vfs, parts.directory);
    const target = inDirectory(directory, parts.name);
    const existing = statOrNull(vfs, target);
    if (existing === null || existing.kind === 'file') {
      return { path: target, directory, existing };
    }
    if (existing.kind === 'directory') throw systemError('EISDIR', 'open', path);
    if (existing.kind === 'other') throw systemError('EINVAL', 'open', path);
    const link = vfs.readLinkSync(target);
    wanted = isAbsolute(link) ? link : inDirectory(directory, link);
  }
  throw systemError('ELOOP', 'open', path);
}

/** The directory as the path names it: enough to reach it now. */
export function givenDirectory(_vfs: Vfs, directory: string): string {
  return directory;
}

/**
 * The directory without links, so that two ways to one file are one queue. Some file systems cannot
 * say (network drives and RAM disks on Windows), and a missing directory is for `open` to report:
 * both give the plain path.
 */
export function realDirectory(vfs: Vfs, directory: string): string {
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
