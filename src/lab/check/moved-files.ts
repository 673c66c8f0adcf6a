/**
 * Files that only ever moved: whatever a crash leaves, such a file is there under one of its names. Each path alone
 * may be empty, the old one as after the move and the new one as before it; both together are a loss.
 */

import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import type { PathState } from './obligation-plan.ts';

/** One file and all names that it has had. */
export interface MovedFile {
  readonly paths: readonly string[];
  /** A mark after this time vouches for it; -Infinity for a file that was there at the start. */
  readonly acknowledged: number;
}

/**
 * Files with several names in one directory that stayed, none of which was removed, replaced, or temporary. Between
 * directories it is the order of their two syncs that counts, and a program that has not spoken yet owes none.
 * @param paths what each path that owes something stood for, in order
 */
export function movedFiles(paths: ReadonlyMap<string, readonly PathState[]>): MovedFile[] {
  const named = new Map<number, string[]>();
  for (const [path, states] of paths) {
    const inodes = new Set(
      states.flatMap(({ event }) => (event.shape === 'file' ? event.inode : [])),
    );
    for (const inode of inodes) named.set(inode, [...(named.get(inode) ?? []), path]);
  }
  const moved: MovedFile[] = [];
  for (const [inode, names] of named) {
    const states = names.flatMap((path) => paths.get(path) ?? []);
    const [parent = '', ...others] = names.map(parentOf);
    if (paths.has(parent) || others.some((other) => other !== parent)) continue;
    if (names.length < 2 || !states.every((state) => isOnlyMoved(state, inode, names))) continue;
    const first = states.find(
      ({ event }) =>
        event.shape === 'file' && (event.cause === 'initial' || event.cause === 'create'),
    );
    if (first === undefined) continue;
    const { cause } = first.event;
    moved.push({
      paths: names,
      acknowledged: cause === 'initial' ? -Infinity : first.acknowledged,
    });
  }
  return moved;
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function isOnlyMoved({ event }: PathState, inode: number, names: readonly string[]): boolean {
  if (event.shape === 'absent') return event.cause !== 'unlink';
  if (event.shape !== 'file' || event.inode !== inode) return false;
  return event.sources.every((source) => names.includes(source));
}

/** Whether any of the file's names leads to something. */
export function isSomewhere({ paths }: MovedFile, root: FileTreeDirectory): boolean {
  return paths.some((path) => {
    let node: FileTreeNode | undefined = root;
    for (const name of path.split('/')) {
      node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
    }
    return node !== undefined;
  });
}
