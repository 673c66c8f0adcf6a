/**
 * From a path to an inode in `MemoryVfs`, as Linux walks it. Not here: what a call then makes of
 * the place it gets.
 * @see path_resolution(7)
 */

import { checkPath } from './call-arguments.ts';
import { systemError } from './errno.ts';
import { MemoryDirectoryNode, MemorySymlinkNode, type MemoryNode } from './memory-node.ts';

const LINKS_MAX = 40;
const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4095;

/**
 * Whether a symbolic link as the last part is followed: `'slash'` does so only where a slash comes
 * after it.
 */
export type FollowLast = 'always' | 'slash' | 'never';

/** Where a path leads. */
export interface Place {
  readonly directory: MemoryDirectoryNode;
  /** The last name, or `'.'`, `'..'` or `'/'` where the path ends so: those are never entries. */
  readonly name: string;
  /** What has the name now. */
  readonly node: MemoryNode | undefined;
  /** A slash came after the name: only a directory will do. */
  readonly slash: boolean;
}

/**
 * Walks `path` from `root`. The last name need not exist.
 * @throws ENOENT, ENOTDIR, ELOOP (more than 40 links), ENAMETOOLONG; TypeError for a zero byte
 */
export function findPlace(
  root: MemoryDirectoryNode,
  path: string,
  syscall: string,
  follow: FollowLast,
): Place {
  checkPath(path);
  checkLength(path, syscall);
  let directory = root;
  let rest = path;
  let start = skipSlashes(rest, 0);
  let links = 0;
  let special = '/';
  while (start < rest.length) {
    const end = endOfName(rest, start);
    const name = rest.slice(start, end);
    const next = skipSlashes(rest, end);
    const last = next === rest.length;
    const slash = last && end < rest.length;
    start = next;
    if (name === '.' || name === '..') {
      if (name === '..') directory = directory.parent ?? directory;
      special = name;
      continue;
    }
    if (name.length > NAME_BYTES_MAX / 3 && Buffer.byteLength(name) > NAME_BYTES_MAX) {
      throw systemError('ENAMETOOLONG', syscall, path);
    }
    const node = directory.lookup(name);
    if (node instanceof MemorySymlinkNode && followed(follow, last, slash)) {
      links++;
      if (links > LINKS_MAX) throw systemError('ELOOP', syscall, path);
      rest = node.target + rest.slice(end);
      if (rest.startsWith('/')) directory = root;
      start = skipSlashes(rest, 0);
      special = '/';
      continue;
    }
    if (last) return { directory, name, node, slash };
    if (node === undefined) throw systemError('ENOENT', syscall, path);
    if (!(node instanceof MemoryDirectoryNode)) throw systemError('ENOTDIR', syscall, path);
    directory = node;
  }
  return { directory, name: special, node: directory, slash: false };
}

/** Whether `place` ends in `.`, `..` or the root, which no call can make or remove. */
export function isSpecial(place: Place): boolean {
  return place.name === '.' || place.name === '..' || place.name === '/';
}

/** The absolute path of a directory. */
export function pathOf(directory: MemoryDirectoryNode): string {
  let path = '';
  for (let at = directory; at.parent !== null; at = at.parent) path = `/${at.name}${path}`;
  return path === '' ? '/' : path;
}

function checkLength(path: string, syscall: string): void {
  if (path === '') throw systemError('ENOENT', syscall, path);
  if (path.length > PATH_BYTES_MAX / 3 && Buffer.byteLength(path) > PATH_BYTES_MAX) {
    throw systemError('ENAMETOOLONG', syscall, path);
  }
}

function followed(follow: FollowLast, last: boolean, slash: boolean): boolean {
  return !last || follow === 'always' || (follow === 'slash' && slash);
}

function endOfName(path: string, start: number): number {
  const end = path.indexOf('/', start);
  return end === -1 ? path.length : end;
}

function skipSlashes(path: string, start: number): number {
  let index = start;
  while (path.charCodeAt(index) === 0x2f) index++;
  return index;
}
