/**
 * Files that were moved and kept: whatever a crash leaves, such a file is there under one of its names, with what was
 * vouched for. Each path alone may be empty, or show what came there later (a log that is moved aside and begun anew):
 * only all of its names together show that it is gone.
 */

import type { FileTreeDirectory, FileTreeNode } from '../../vfs/file-tree.ts';
import type { ContentRule } from './content-rule.ts';
import { contentsLeft, type PathState } from './obligation-plan.ts';

/** One file and all names that it has had, apart from temporary ones. */
export interface MovedFile {
  readonly names: readonly MovedName[];
  /** A mark after this time vouches for it; -Infinity for a file that was there at the start. */
  readonly acknowledged: number;
}

interface MovedName {
  readonly path: string;
  /** What the path owed while it stood for the file. */
  readonly state: PathState;
}

/**
 * Files with several names in one directory that are there in the end, and of which no name was removed, replaced or
 * exchanged. Between directories it is the order of their two syncs that counts, and a program that has not spoken yet
 * owes none.
 * @param paths what each path that owes something stood for, in order
 */
export function movedFiles(paths: ReadonlyMap<string, readonly PathState[]>): MovedFile[] {
  const named = new Map<number, MovedName[]>();
  for (const [path, states] of paths) {
    for (const state of states) {
      if (state.event.shape !== 'file') continue;
      const names = named.get(state.event.inode) ?? [];
      named.set(state.event.inode, [...names, { path, state }]);
    }
  }
  return [...named.values()].flatMap((names) => movedFile(names, paths) ?? []);
}

function movedFile(
  names: readonly MovedName[],
  paths: ReadonlyMap<string, readonly PathState[]>,
): MovedFile | null {
  const [parent = '', ...others] = names.map(({ path }) => parentOf(path));
  if (names.length < 2 || paths.has(parent) || others.some((other) => other !== parent)) {
    return null;
  }
  // A rename to a name that is not one of these, such as a temporary one, is no move from name to name.
  const begins = new Set(names.map(({ state }) => state.event.start));
  const ends = names.map(({ path, state }) => endOf(state, paths.get(path) ?? [], begins));
  if (!ends.includes('kept') || ends.includes('lost')) return null;
  const [first] = names.toSorted((a, b) => a.state.event.start - b.state.event.start);
  if (first === undefined) return null;
  const { event, acknowledged } = first.state;
  return { names, acknowledged: event.cause === 'initial' ? -Infinity : acknowledged };
}

/** How a file left a name: not at all, by a rename, or so that nothing is owed. */
function endOf(
  state: PathState,
  states: readonly PathState[],
  begins: ReadonlySet<number>,
): 'kept' | 'moved' | 'lost' {
  const next = states[states.indexOf(state) + 1];
  if (!state.mayShow) return 'lost';
  if (next === undefined) return 'kept';
  const { shape, cause, start } = next.event;
  return shape === 'absent' && cause === 'rename-away' && begins.has(start) ? 'moved' : 'lost';
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** What a crash may show of a file under each of its names, when a certain number of marks was given. */
export interface MovedAllowance {
  readonly names: readonly { readonly path: string; readonly contents: readonly ContentRule[] }[];
}

/** @returns null while no mark has vouched for the file. */
export function movedAllowance(
  { names, acknowledged }: MovedFile,
  marked: number,
): MovedAllowance | null {
  if (acknowledged !== -Infinity && acknowledged >= marked) return null;
  return {
    names: names.map(({ path, state }) => ({ path, contents: contentsLeft(state, marked) })),
  };
}

/** Null where one of the file's names leads to it; otherwise what is wrong, as a message. */
export function describeLoss({ names }: MovedAllowance, root: FileTreeDirectory): string | null {
  let isAnything = false;
  for (const { path, contents } of names) {
    const node = nodeAt(root, path);
    if (node === undefined) continue;
    isAnything = true;
    if (node.kind !== 'file') continue;
    const { content } = node;
    if (contents.some((rule) => rule.accepts(content))) return null;
  }
  const [first = '', ...others] = names.map(({ path }) => path);
  if (!isAnything) return `${first}: gone, and not at ${others.join(', ')} either`;
  return `${first}: acknowledged content is gone, and not at ${others.join(', ')} either`;
}

function nodeAt(root: FileTreeDirectory, path: string): FileTreeNode | undefined {
  let node: FileTreeNode | undefined = root;
  for (const name of path.split('/')) {
    node = node?.kind === 'directory' ? node.entries.get(name) : undefined;
  }
  return node;
}
