/**
 * The names and inodes of the recorded root as the recorder believes them to be: directories, files with their
 * sizes, symbolic links, and how a path leads to one of them. No contents, no descriptors, no time.
 */

import { posix } from 'node:path';

import { assert } from '../../base/assert.ts';
import { ROOT_INODE, type InodeNumber } from './operation.ts';

export interface ShadowFile {
  readonly kind: 'file';
  readonly inode: InodeNumber;
  size: number;
}

export interface ShadowDirectory {
  readonly kind: 'directory';
  readonly inode: InodeNumber;
  readonly entries: Map<string, ShadowNode>;
  /** The directory that holds this one; null for the root and for a removed one. */
  parent: ShadowDirectory | null;
}

export interface ShadowSymlink {
  readonly kind: 'symlink';
  readonly inode: InodeNumber;
  readonly target: string;
}

export type ShadowNode = ShadowFile | ShadowDirectory | ShadowSymlink;

/** Where a process stands: in the root, or at an absolute path outside of it. */
export type Location = ShadowDirectory | string;

/** Where a path leads. */
export type Resolution =
  /** To a name in a directory of the root; `node` is what has the name, if anything has. */
  | {
      readonly place: 'inside';
      readonly directory: ShadowDirectory;
      readonly name: string;
      readonly node: ShadowNode | null;
      /** The path ended with a slash, so only a directory can be meant. */
      readonly slash: boolean;
    }
  /** To the root itself. */
  | { readonly place: 'root'; readonly node: ShadowDirectory }
  | { readonly place: 'outside'; readonly path: string }
  /** Nowhere: a part before the last is missing or is no directory, or links lead in circles. */
  | { readonly place: 'nowhere'; readonly missing: string };

/** As many links as Linux follows in one path. @see path_resolution(7) */
const LINKS_FOLLOWED_MAX = 40;

export class ShadowTree {
  readonly root: ShadowDirectory = {
    kind: 'directory',
    inode: ROOT_INODE,
    entries: new Map(),
    parent: null,
  };
  readonly #rootPath: string;
  readonly #realOutside: (directory: string) => string;
  #nextInode = ROOT_INODE + 1;

  /**
   * @param rootPath absolute, without links
   * @param realOutside the path without links of a directory outside of the root, so that a link outside that
   * leads into the root is seen
   */
  constructor(rootPath: string, realOutside: (directory: string) => string = (path) => path) {
    assert(posix.isAbsolute(rootPath), 'the recorded root is an absolute path');
    this.#rootPath = posix.resolve(rootPath);
    this.#realOutside = realOutside;
  }

  newFile(size = 0): ShadowFile {
    return { kind: 'file', inode: this.#nextInode++, size };
  }

  newDirectory(): ShadowDirectory {
    return { kind: 'directory', inode: this.#nextInode++, entries: new Map(), parent: null };
  }

  newSymlink(target: string): ShadowSymlink {
    return { kind: 'symlink', inode: this.#nextInode++, target };
  }

  attach(directory: ShadowDirectory, name: string, node: ShadowNode): void {
    assert(isEntryName(name), 'an entry has a plain name');
    const replaced = directory.entries.get(name);
    if (replaced?.kind === 'directory') replaced.parent = null;
    directory.entries.set(name, node);
    if (node.kind === 'directory') node.parent = directory;
  }

  detach(directory: ShadowDirectory, name: string): void {
    const node = directory.entries.get(name);
    directory.entries.delete(name);
    if (node?.kind === 'directory') node.parent = null;
  }

  /** The path of a directory relative to the root, for messages; '.' for the root. */
  pathOf(directory: ShadowDirectory): string {
    const names: string[] = [];
    let at = directory;
    while (at.parent !== null) {
      const parent: ShadowDirectory = at.parent;
      for (const [name, node] of parent.entries) if (node === at) names.unshift(name);
      at = parent;
    }
    return names.length === 0 ? '.' : names.join('/');
  }

  /** Follows a path from a place. `followLast` says whether a link at the very end is followed too. */
  resolve(from: Location, path: string, followLast: boolean): Resolution {
    let location = path.startsWith('/') ? this.#enter('/') : from;
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    let slash = path.endsWith('/') || path.endsWith('/.');
    let links = 0;
    let last: Resolution | null = null;
    while (parts.length > 0) {
      const name = parts.shift();
      assert(name !== undefined, 'the list was not empty');
      last = null;
      if (typeof location === 'string') {
        const isLast = parts.length === 0;
        location = this.#enter(posix.join(location, name), isLast && !followLast);
        continue;
      }
      if (name === '..') {
        location = this.#parent(location);
        continue;
      }
      const node = location.entries.get(name) ?? null;
      if (node?.kind === 'symlink' && (parts.length > 0 || followLast || slash)) {
        if (++links > LINKS_FOLLOWED_MAX) return { place: 'nowhere', missing: name };
        if (node.target.startsWith('/')) location = this.#enter('/');
        const more = node.target.split('/').filter((part) => part !== '' && part !== '.');
        if (parts.length === 0 && node.target.endsWith('/')) slash = true;
        parts.unshift(...more);
        continue;
      }
      last = { place: 'inside', directory: location, name, node, slash };
      if (parts.length > 0) {
        if (node?.kind !== 'directory') return { place: 'nowhere', missing: name };
        location = node;
      }
    }
    if (last !== null) return last;
    if (typeof location === 'string') {
      // A link outside, at the end of the path, to a file of the root.
      if (location.startsWith(`${this.#rootPath}/`)) {
        return this.resolve(this.root, location.slice(this.#rootPath.length + 1), followLast);
      }
      return { place: 'outside', path: location };
    }
    return this.#asResolution(location);
  }

  /** A path that ended in '..' or led through the outside names a directory, found without its name. */
  #asResolution(directory: ShadowDirectory): Resolution {
    if (directory === this.root) return { place: 'root', node: this.root };
    const parent = directory.parent;
    if (parent === null) return { place: 'nowhere', missing: '..' };
    for (const [name, node] of parent.entries) {
      if (node === directory) {
        return { place: 'inside', directory: parent, name, node, slash: true };
      }
    }
    return { place: 'nowhere', missing: '..' };
  }

  #parent(directory: ShadowDirectory): Location {
    if (directory === this.root) return this.#enter(posix.dirname(this.#rootPath));
    // A removed directory has no parent any more; nothing is found from it.
    return directory.parent ?? directory;
  }

  /** An absolute path outside, or the root when it names the root. */
  #enter(path: string, isLastUnfollowed = false): Location {
    if (path === this.#rootPath) return this.root;
    // A prefix of the root's path needs no look: the root's path has no links.
    if (path === '/' || this.#rootPath.startsWith(`${path}/`)) return path;
    if (isLastUnfollowed) return path;
    const real = this.#realOutside(path);
    if (real === path) return path;
    if (real === this.#rootPath) return this.root;
    if (real.startsWith(`${this.#rootPath}/`)) {
      const found = this.resolve(this.root, real.slice(this.#rootPath.length + 1), true);
      if (found.place === 'inside' && found.node?.kind === 'directory') return found.node;
    }
    return real;
  }
}

/** Whether a string can be the name of a directory entry. */
export function isEntryName(name: string): boolean {
  return (
    name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0')
  );
}

/** Every name of a shadow tree with its node, parents first; paths are relative to `directory`. */
export function* walkShadow(
  directory: ShadowDirectory,
  prefix = '',
): Generator<{ readonly path: string; readonly node: ShadowNode }> {
  for (const [name, node] of directory.entries) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    yield { path, node };
    if (node.kind === 'directory') yield* walkShadow(node, path);
  }
}
