/**
 * A file system in memory that answers as Linux does for root: names, links, open files, error
 * codes. It is not a model of a disk: nothing is ever lost here, and its syncs do nothing. What a
 * crash could leave is worked out by the lab, and comes back as a tree for `MemoryVfs.fromTree`.
 *
 * Left out: permission checks, extended attributes, device files, `/proc`. The current directory is
 * the root; new files get the umask 0o022.
 */

import { checkOpenOptions } from './call-arguments.ts';
import { systemError } from './errno.ts';
import type { FileTreeDirectory } from './file-tree.ts';
import { MemoryDirectory, MemoryFile } from './memory-file.ts';
import {
  MemoryDirectoryNode,
  MemoryDisk,
  MemoryFileNode,
  MemorySymlinkNode,
  type MemoryNode,
} from './memory-node.ts';
import { findPlace, isSpecial, pathOf, type FollowLast, type Place } from './memory-path.ts';
import { SyncBackedVfs } from './sync-backed-vfs.ts';
import type { DirectoryEntry, FileStat, OpenOptions, VfsDirectory, VfsFile } from './vfs.ts';

const UMASK = 0o022;

/** How a `MemoryVfs` begins. */
export interface MemoryVfsOptions {
  /** See `MemoryVfs.capacityBytes`. Default: no limit. */
  readonly capacityBytes?: number;
  /**
   * Milliseconds since the epoch, for modification times. Default: a count of changes, so that
   * equal runs give equal times.
   */
  readonly now?: () => number;
}

/** Files and directories in memory. */
export class MemoryVfs extends SyncBackedVfs {
  readonly #disk: MemoryDisk;
  readonly #root: MemoryDirectoryNode;

  constructor(options: MemoryVfsOptions = {}, tree: FileTreeDirectory | null = null) {
    super();
    let changes = 0;
    const now = options.now ?? ((): number => ++changes);
    this.#disk = new MemoryDisk(tree, options.capacityBytes ?? Infinity, now);
    this.#root = this.#disk.root;
  }

  /**
   * A file system that begins as `tree`. Costs the same for every tree: inodes are made when a path
   * leads to them, and contents are copied when they are first written. The tree never changes.
   */
  static fromTree(tree: FileTreeDirectory, options: MemoryVfsOptions = {}): MemoryVfs {
    return new MemoryVfs(options, tree);
  }

  /**
   * Everything that has a name, as plain data that later changes do not touch. Costs what was
   * looked at; parts that did not change are the same objects as in the tree before.
   */
  toTree(): FileTreeDirectory {
    return this.#root.toTree();
  }

  /**
   * How many bytes all files together may hold: their sizes are counted, holes included (Linux
   * would not count those), as long as a name or a handle reaches them. A write that does not fit
   * is short, one of which nothing fits fails with ENOSPC. May be changed at any time.
   */
  get capacityBytes(): number {
    return this.#disk.account.capacityBytes;
  }

  set capacityBytes(bytes: number) {
    this.#disk.account.capacityBytes = bytes;
  }

  override openSync(path: string, options: OpenOptions): VfsFile {
    checkOpenOptions(options);
    const create = options.create === true;
    const exclusive = options.exclusive === true;
    const place = this.#find(path, 'open', followWhenOpened(path, options));
    if (create && place.slash) throw systemError('EISDIR', 'open', path);
    let node = place.node;
    if (node === undefined) {
      if (!create) throw systemError('ENOENT', 'open', path);
      const mode = (options.mode ?? 0o666) & 0o7777 & ~UMASK;
      node = this.#add(place, new MemoryFileNode(this.#disk, mode, null));
    } else if (exclusive) {
      throw systemError('EEXIST', 'open', path);
    }
    if (node instanceof MemoryFileNode) {
      if (place.slash) throw systemError('ENOTDIR', 'open', path);
      if (options.truncate === true) node.truncate(0, path);
      return new MemoryFile(path, node, options);
    }
    if (!(node instanceof MemoryDirectoryNode)) throw systemError('ELOOP', 'open', path);
    if (create || options.write === true || options.append === true) {
      throw systemError('EISDIR', 'open', path);
    }
    return new MemoryFile(path, node, options);
  }

  override openDirectorySync(path: string): VfsDirectory {
    this.#directory(path, 'open');
    return new MemoryDirectory(path);
  }

  override mkdirSync(path: string, mode: number = 0o777): void {
    const place = this.#find(path, 'mkdir', 'never');
    if (place.node !== undefined) throw systemError('EEXIST', 'mkdir', path);
    const bits = mode & 0o1777 & ~UMASK;
    const node = new MemoryDirectoryNode(this.#disk, place.directory, place.name, bits, null);
    node.modifiedMs = this.#disk.now();
    place.directory.set(place.name, node);
  }

  override readDirectorySync(path: string): DirectoryEntry[] {
    const entries: DirectoryEntry[] = [];
    for (const [name, kind] of this.#directory(path, 'scandir').entries()) {
      entries.push({ name, kind });
    }
    return entries;
  }

  override statSync(path: string): FileStat {
    return this.#existing(path, 'stat', 'always').stat();
  }

  override lstatSync(path: string): FileStat {
    return this.#existing(path, 'lstat', 'slash').stat();
  }

  override realpathSync(path: string): string {
    const { directory, name, node, slash } = this.#find(path, 'realpath', 'always');
    if (node instanceof MemoryDirectoryNode) return pathOf(node);
    if (node === undefined) throw systemError('ENOENT', 'realpath', path);
    if (slash) throw systemError('ENOTDIR', 'realpath', path);
    return directory.parent === null ? `/${name}` : `${pathOf(directory)}/${name}`;
  }

  override readLinkSync(path: string): string {
    const node = this.#existing(path, 'readlink', 'slash');
    if (!(node instanceof MemorySymlinkNode)) throw systemError('EINVAL', 'readlink', path);
    return node.target;
  }

  override symlinkSync(target: string, path: string): void {
    if (target === '') throw systemError('ENOENT', 'symlink', target, path);
    const place = this.#find(path, 'symlink', 'never');
    if (place.node !== undefined) throw systemError('EEXIST', 'symlink', target, path);
    if (place.slash) throw systemError('ENOENT', 'symlink', target, path);
    this.#add(place, new MemorySymlinkNode(this.#disk, target, null));
  }

  override linkSync(existingPath: string, newPath: string): void {
    const node = this.#existing(existingPath, 'link', 'slash');
    const place = this.#find(newPath, 'link', 'never');
    if (place.node !== undefined) throw systemError('EEXIST', 'link', existingPath, newPath);
    if (place.slash) throw systemError('ENOENT', 'link', existingPath, newPath);
    if (!isLinked(node)) throw systemError('EPERM', 'link', existingPath, newPath);
    node.addLink();
    place.directory.set(place.name, node);
  }

  override renameSync(from: string, to: string): void {
    const source = this.#find(from, 'rename', 'never');
    const target = this.#find(to, 'rename', 'never');
    if (isSpecial(source) || isSpecial(target)) throw systemError('EBUSY', 'rename', from, to);
    const node = source.node;
    if (node === undefined) throw systemError('ENOENT', 'rename', from, to);
    const replaced = target.node;
    const isDirectory = node instanceof MemoryDirectoryNode;
    if (!isDirectory && (source.slash || target.slash)) {
      throw systemError('ENOTDIR', 'rename', from, to);
    }
    if (isDirectory && contains(node, target.directory)) {
      throw systemError('EINVAL', 'rename', from, to);
    }
    if (replaced === node) return;
    if (replaced instanceof MemoryDirectoryNode) {
      if (contains(replaced, source.directory)) throw systemError('ENOTEMPTY', 'rename', from, to);
      if (!isDirectory) throw systemError('EISDIR', 'rename', from, to);
      if (!replaced.isEmpty) throw systemError('ENOTEMPTY', 'rename', from, to);
    } else if (replaced !== undefined && isDirectory) {
      throw systemError('ENOTDIR', 'rename', from, to);
    }
    source.directory.remove(source.name);
    target.directory.set(target.name, node);
    if (replaced !== undefined && isLinked(replaced)) replaced.removeLink();
  }

  override unlinkSync(path: string): void {
    const place = this.#find(path, 'unlink', 'never');
    const { node } = place;
    if (node === undefined) throw systemError('ENOENT', 'unlink', path);
    if (!isLinked(node)) throw systemError('EISDIR', 'unlink', path);
    if (place.slash) throw systemError('ENOTDIR', 'unlink', path);
    place.directory.remove(place.name);
    node.removeLink();
  }

  override rmdirSync(path: string): void {
    const place = this.#find(path, 'rmdir', 'never');
    if (place.name === '/') throw systemError('EBUSY', 'rmdir', path);
    if (place.name === '.') throw systemError('EINVAL', 'rmdir', path);
    if (place.name === '..') throw systemError('ENOTEMPTY', 'rmdir', path);
    if (place.node === undefined) throw systemError('ENOENT', 'rmdir', path);
    if (!(place.node instanceof MemoryDirectoryNode)) throw systemError('ENOTDIR', 'rmdir', path);
    if (!place.node.isEmpty) throw systemError('ENOTEMPTY', 'rmdir', path);
    place.directory.remove(place.name);
  }

  override chmodSync(path: string, mode: number): void {
    this.#existing(path, 'chmod', 'always').setMode(mode & 0o7777);
  }

  #find(path: string, syscall: string, follow: FollowLast): Place {
    return findPlace(this.#root, path, syscall, follow);
  }

  #existing(path: string, syscall: string, follow: FollowLast): MemoryNode {
    const { node, slash } = this.#find(path, syscall, follow);
    if (node === undefined) throw systemError('ENOENT', syscall, path);
    if (slash && !(node instanceof MemoryDirectoryNode)) {
      throw systemError('ENOTDIR', syscall, path);
    }
    return node;
  }

  #directory(path: string, syscall: string): MemoryDirectoryNode {
    const node = this.#existing(path, syscall, 'always');
    if (!(node instanceof MemoryDirectoryNode)) throw systemError('ENOTDIR', syscall, path);
    return node;
  }

  #add(place: Place, node: MemoryFileNode | MemorySymlinkNode): MemoryNode {
    node.addLink();
    node.modifiedMs = this.#disk.now();
    place.directory.set(place.name, node);
    return node;
  }
}

function isLinked(node: MemoryNode): node is MemoryFileNode | MemorySymlinkNode {
  return !(node instanceof MemoryDirectoryNode);
}

function followWhenOpened(path: string, options: OpenOptions): FollowLast {
  // Linux refuses to create a name with a slash before it looks what the name stands for.
  if (options.exclusive === true || (options.create === true && path.endsWith('/'))) return 'never';
  return options.noFollow === true ? 'slash' : 'always';
}

/** Whether `directory` is `ancestor` or somewhere below it. */
function contains(ancestor: MemoryDirectoryNode, directory: MemoryDirectoryNode): boolean {
  let at: MemoryDirectoryNode | null = directory;
  while (at !== null && at !== ancestor) at = at.parent;
  return at !== null;
}
