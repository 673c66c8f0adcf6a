/**
 * Writes a file tree into a real directory, so that a program can be run in it. Trees may come from strangers:
 * names that would leave the directory are refused before anything is written, and no file is ever opened
 * through a link (a new file is made with O_EXCL and O_NOFOLLOW, its directories were made here).
 *
 * Consecutive trees differ little, so a directory that still holds the last tree is changed by the difference.
 * Whether it still does is looked up, not assumed. For every entry the inode, mode, link count, size, change
 * time and modification time must be those left here. Change times alone would not do, since the kernel's clock
 * is coarse (4 ms on many machines): a write right after the export could leave an equal one. Therefore every
 * file gets a modification time of its own from a counter of seconds. A write sets it to now; a file copied
 * over with its times brings another file's; a file renamed over brings another inode. Only a program that sets
 * exactly that time back within one tick of the clock would go unseen. Any difference: all is written again.
 */

import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  futimesSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
  type BigIntStats,
} from 'node:fs';
import { assert } from '../../base/assert.ts';
import { UsageError } from '../../base/errors.ts';
import type { FileTreeDirectory, FileTreeFile, FileTreeNode } from '../../vfs/file-tree.ts';
import { emptyDirectory, removeTree } from './remove-tree.ts';
import { requireSafeName } from './safe-name.ts';

/** Set-user-id and set-group-id bits of a stranger's tree are left out. */
const MODE_BITS = 0o1777;

const CREATE_FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0);

/** An entry as it was left by the last export. */
interface HeldEntry {
  readonly node: FileTreeNode;
  readonly stat: BigIntStats;
  /** Of a directory. */
  readonly entries: Map<string, HeldEntry> | null;
}

/** A private directory that holds one tree after another. */
export class ExportedDirectory {
  readonly path: string;
  #held: HeldEntry | null = null;
  /** Inode numbers that the tree held, or being written, names more than once. */
  #linked: ReadonlySet<number> = new Set();
  /** First path of a file with several names, by inode number, within one export. */
  #firstNames = new Map<number, string>();
  #modificationSeconds = 1_000_000_000;

  /** Nothing is written yet. `path` must not exist; its parent directory must belong to the caller alone. */
  constructor(path: string) {
    this.path = path;
  }

  /**
   * When it returns, the directory holds exactly `tree`, except that the root's own mode is 0700. Nothing is
   * synced. Directories get their modes last, so that one without permissions can be filled.
   * @throws UsageError `HOLDFAST_USAGE` for a tree with a name that is refused; then nothing has changed.
   */
  write(tree: FileTreeDirectory): void {
    const linked = linkedInodes(tree);
    const held = this.#held;
    this.#held = null;
    this.#firstNames.clear();
    let entries: Map<string, HeldEntry>;
    const sound = held !== null && this.#linked.size === 0 && linked.size === 0;
    if (sound && isUnchanged(this.path, held, true)) {
      assert(held.entries !== null, 'the root of an exported tree is a directory');
      this.#linked = linked;
      entries = this.#update(this.path, held.entries, tree);
    } else {
      this.#linked = linked;
      this.#clear();
      entries = this.#fill(this.path, tree);
    }
    this.#held = { node: tree, stat: lstat(this.path), entries };
  }

  /** When it returns, nothing is at `path` any more. */
  remove(): void {
    this.#held = null;
    removeTree(this.path);
  }

  #clear(): void {
    const stat = lstatSync(this.path, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) {
      emptyDirectory(this.path);
    } else {
      if (stat !== undefined) unlinkSync(this.path);
      mkdirSync(this.path, 0o700);
    }
  }

  /** Brings a directory from what it holds to `tree`. */
  #update(
    path: string,
    held: Map<string, HeldEntry>,
    tree: FileTreeDirectory,
  ): Map<string, HeldEntry> {
    for (const [name, entry] of held) {
      const node = tree.entries.get(name);
      if (node !== undefined && canStay(entry.node, node)) continue;
      removeTree(`${path}/${name}`);
      held.delete(name);
    }
    for (const [name, node] of tree.entries) {
      const entry = held.get(name);
      if (entry === undefined) {
        held.set(name, this.#add(`${path}/${name}`, node));
      } else if (node.kind === 'directory' && entry.node !== node) {
        assert(entry.entries !== null, 'only a directory stays for a directory');
        const entries = this.#update(`${path}/${name}`, entry.entries, node);
        held.set(name, { node, stat: entry.stat, entries });
      }
    }
    return held;
  }

  #fill(path: string, tree: FileTreeDirectory): Map<string, HeldEntry> {
    const entries = new Map<string, HeldEntry>();
    for (const [name, node] of tree.entries) {
      entries.set(name, this.#add(`${path}/${name}`, node));
    }
    return entries;
  }

  #add(path: string, node: FileTreeNode): HeldEntry {
    if (node.kind === 'directory') {
      mkdirSync(path, 0o700);
      const entries = this.#fill(path, node);
      chmodSync(path, node.mode & MODE_BITS);
      return { node, stat: lstat(path), entries };
    }
    if (node.kind === 'symlink') {
      symlinkSync(node.target, path);
      return { node, stat: lstat(path), entries: null };
    }
    return { node, stat: this.#addFile(path, node), entries: null };
  }

  #addFile(path: string, node: FileTreeFile): BigIntStats {
    if (node.inode !== undefined && this.#linked.has(node.inode)) {
      const first = this.#firstNames.get(node.inode);
      if (first !== undefined) {
        linkSync(first, path);
        return lstat(path);
      }
      this.#firstNames.set(node.inode, path);
    }
    const fd = openSync(path, CREATE_FLAGS, 0o600);
    try {
      writeAll(fd, node.content, path);
      fchmodSync(fd, node.mode & MODE_BITS);
      this.#modificationSeconds += 1;
      futimesSync(fd, this.#modificationSeconds, this.#modificationSeconds);
      return fstatSync(fd, { bigint: true });
    } finally {
      closeSync(fd);
    }
  }
}

/**
 * Writes `tree` into a new private directory at `path` (mode 0700), which must not exist.
 * @throws UsageError `HOLDFAST_USAGE` for a name that is refused, or when something is at `path`.
 */
export function exportDirectory(tree: FileTreeDirectory, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw new UsageError(`${path} exists: a tree is written into a new directory only`);
  }
  new ExportedDirectory(path).write(tree);
}

/** Refuses unsafe names and returns the inode numbers that more than one name has. */
function linkedInodes(tree: FileTreeDirectory): ReadonlySet<number> {
  const seen = new Set<number>();
  const linked = new Set<number>();
  const visit = (directory: FileTreeDirectory, path: string): void => {
    for (const [name, node] of directory.entries) {
      requireSafeName(name, path);
      if (node.kind === 'directory') {
        visit(node, path === '' ? name : `${path}/${name}`);
      } else if (node.kind === 'file' && node.inode !== undefined) {
        if (seen.has(node.inode)) linked.add(node.inode);
        seen.add(node.inode);
      }
    }
  };
  visit(tree, '');
  return linked;
}

function canStay(held: FileTreeNode, wanted: FileTreeNode): boolean {
  if (held === wanted) return true;
  if (held.kind === 'directory') return wanted.kind === 'directory' && held.mode === wanted.mode;
  if (held.kind === 'symlink') return wanted.kind === 'symlink' && held.target === wanted.target;
  if (wanted.kind !== 'file' || held.mode !== wanted.mode) return false;
  return held.content === wanted.content || Buffer.compare(held.content, wanted.content) === 0;
}

function isUnchanged(path: string, held: HeldEntry, isRoot: boolean): boolean {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return false;
  if (stat.ino !== held.stat.ino || stat.mode !== held.stat.mode) return false;
  if (held.entries === null) return isSameEntry(stat, held.stat);
  // Without all three bits its owner could not change it; writing the tree again needs no such case.
  if (!isRoot && (Number(stat.mode) & 0o700) !== 0o700) return false;
  const names = readdirSync(path);
  if (names.length !== held.entries.size) return false;
  for (const name of names) {
    const entry = held.entries.get(name);
    if (entry === undefined || !isUnchanged(`${path}/${name}`, entry, false)) return false;
  }
  return true;
}

function isSameEntry(now: BigIntStats, left: BigIntStats): boolean {
  return (
    now.size === left.size &&
    now.mtimeNs === left.mtimeNs &&
    now.ctimeNs === left.ctimeNs &&
    now.nlink === left.nlink &&
    now.uid === left.uid &&
    now.gid === left.gid
  );
}

function lstat(path: string): BigIntStats {
  return lstatSync(path, { bigint: true });
}

function writeAll(fd: number, content: Uint8Array, path: string): void {
  let written = 0;
  while (written < content.length) {
    const count = writeSync(fd, content, written, content.length - written);
    assert(count > 0, `a write to ${path} made no progress`);
    written += count;
  }
}
