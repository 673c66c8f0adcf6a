/**
 * Reads a real directory into a `FileTree`, as it is at the moment: for the undamaged disk a recording starts
 * from, and for trees that another program made. Links are recorded, never followed. The directory must not
 * change meanwhile; a file that does is read as it is found.
 */

import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../base/errors.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';

export interface ImportedDirectory {
  readonly tree: FileTreeDirectory;
  /** Paths, relative to the directory, of sockets, devices and pipes: a file tree has no place for them. */
  readonly skipped: readonly string[];
}

/** One file at most this long, in bytes: it is held in memory. */
export const IMPORT_FILE_BYTES_MAX: number = 2 ** 31 - 1;

/**
 * Reads `path`, which must be a directory and not a link to one. Files with several names in it get equal
 * `inode` numbers, small integers in the order they are met; others get none.
 * @throws UsageError `HOLDFAST_USAGE` naming the file that cannot be read.
 */
export function importDirectory(path: string): ImportedDirectory {
  const state: ImportState = { skipped: [], inodes: new Map() };
  const stat = attempt(path, () => lstatSync(path));
  if (!stat.isDirectory()) throw new UsageError(`${path} is not a directory`);
  return { tree: readDirectory(path, '', stat.mode, state), skipped: state.skipped };
}

interface ImportState {
  readonly skipped: string[];
  /** device:inode of files with several names, to their number in the tree. */
  readonly inodes: Map<string, number>;
}

function readDirectory(
  path: string,
  relative: string,
  mode: number,
  state: ImportState,
): FileTreeDirectory {
  const entries = new Map<string, FileTreeNode>();
  for (const name of attempt(path, () => readdirSync(path)).toSorted()) {
    const shown = relative === '' ? name : `${relative}/${name}`;
    const node = readNode(join(path, name), shown, state);
    if (node === null) state.skipped.push(shown);
    else entries.set(name, node);
  }
  return { kind: 'directory', mode: mode & 0o7777, entries };
}

function readNode(path: string, relative: string, state: ImportState): FileTreeNode | null {
  const stat = attempt(path, () => lstatSync(path));
  if (stat.isDirectory()) return readDirectory(path, relative, stat.mode, state);
  if (stat.isSymbolicLink()) {
    return { kind: 'symlink', target: attempt(path, () => readlinkSync(path)) };
  }
  if (!stat.isFile()) return null;
  return attempt(path, () => readRegularFile(path, state));
}

function readRegularFile(path: string, state: ImportState): FileTreeNode | null {
  // O_NONBLOCK: were the file swapped for a pipe since the lstat, opening must not wait for a writer.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const fd = openSync(path, flags);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) return null;
    if (stat.size > IMPORT_FILE_BYTES_MAX) throw new UsageError(`${path} is larger than 2 GiB`);
    const content = Buffer.alloc(stat.size);
    let filled = 0;
    while (filled < content.length) {
      const count = readSync(fd, content, filled, content.length - filled, filled);
      if (count === 0) break;
      filled += count;
    }
    const node = {
      kind: 'file',
      mode: stat.mode & 0o7777,
      content: content.subarray(0, filled),
    } as const;
    if (stat.nlink < 2) return node;
    const identity = `${stat.dev}:${stat.ino}`;
    const inode = state.inodes.get(identity) ?? state.inodes.size + 1;
    state.inodes.set(identity, inode);
    return { ...node, inode };
  } finally {
    closeSync(fd);
  }
}

/** Names the path in whatever the operating system said. */
function attempt<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    // Every failure here is about one path that the user gave or that lies under it.
    if (error instanceof UsageError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`${path} cannot be read: ${code}`, { cause: error });
  }
}
