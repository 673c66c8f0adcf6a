/**
 * The inodes of `MemoryVfs` and the disk that owns them. Not here: paths (`memory-path.ts`),
 * handles (`memory-file.ts`).
 *
 * Trees are wrapped, not copied: a directory wraps an entry when it is first looked up, and an
 * inode keeps the tree node that it equals (a directory: apart from what is inside its entries) as
 * its `#source`, so that `toTree` gives the same object again as long as nothing changed.
 */

import { assert } from '../base/assert.ts';
import { DiskAccount } from './disk-account.ts';
import { systemError } from './errno.ts';
import type {
  FileTreeDirectory,
  FileTreeFile,
  FileTreeNode,
  FileTreeSymlink,
} from './file-tree.ts';
import { MemoryContent } from './memory-content.ts';

import type { FileKind, FileStat } from './vfs.ts';

/** No file grows beyond this: one buffer holds it. */
const FILE_BYTES_MAX = 2 ** 32 - 1;
/** What Linux file systems show as the size of a small directory. */
const DIRECTORY_BYTES = 4096;
/** Like `DIRECTORY_BYTES`, for a link count. */
const EMPTY_DIRECTORY_LINKS = 2;

/** The state that all inodes of one `MemoryVfs` share. */
export class MemoryDisk {
  readonly root: MemoryDirectoryNode;
  readonly account: DiskAccount;
  readonly now: () => number;
  /** Inodes of the tree that were wrapped and may have several names. */
  readonly #numbered = new Map<number, MemoryFileNode | MemorySymlinkNode>();

  constructor(tree: FileTreeDirectory | null, capacityBytes: number, now: () => number) {
    this.account = new DiskAccount(tree, capacityBytes);
    this.now = now;
    this.root = new MemoryDirectoryNode(this, null, '', tree?.mode ?? 0o755, tree);
  }

  /** The inode for an entry of a tree. */
  wrap(node: FileTreeNode, parent: MemoryDirectoryNode, name: string): MemoryNode {
    if (node.kind === 'directory') {
      return new MemoryDirectoryNode(this, parent, name, node.mode, node);
    }
    const known = node.inode === undefined ? undefined : this.#numbered.get(node.inode);
    if (known !== undefined) return known;
    const wrapped =
      node.kind === 'file'
        ? new MemoryFileNode(this, node.mode, node)
        : new MemorySymlinkNode(this, node.target, node);
    if (node.inode !== undefined) this.#numbered.set(node.inode, wrapped);
    return wrapped;
  }
}

/** What files, directories and symbolic links have in common. */
export abstract class MemoryNode {
  abstract readonly kind: FileKind;
  readonly disk: MemoryDisk;
  mode: number;
  uid = 0;
  gid = 0;
  modifiedMs = 0;
  /** Number in the original tree. */
  protected readonly originalInode: number | undefined;
  /** 0 until somebody asks. */
  #inode: number;

  constructor(disk: MemoryDisk, mode: number, source: FileTreeNode | null) {
    this.disk = disk;
    this.mode = mode;
    this.originalInode = source?.inode;
    this.#inode = source?.inode ?? 0;
  }

  get inode(): number {
    if (this.#inode === 0) this.#inode = this.disk.account.newInode();
    return this.#inode;
  }

  /** The inode as plain data; the same object as long as nothing changes. */
  abstract toTree(): FileTreeNode;
  abstract linkCount(): number;
  abstract setMode(mode: number): void;
  protected abstract byteCount(): number;

  /** The number that a tree must give: what it gave before, and what several names need. */
  protected numberInTree(): { readonly inode?: number } {
    return this.originalInode === undefined ? {} : { inode: this.originalInode };
  }

  stat(): FileStat {
    const countLinks = this.linksNow();
    return {
      kind: this.kind,
      size: this.byteCount(),
      mode: this.mode,
      uid: this.uid,
      gid: this.gid,
      device: 1n,
      inode: BigInt(this.inode),
      get linkCount(): number {
        return countLinks();
      },
      modifiedMs: this.modifiedMs,
    };
  }

  /** Counts the links of now, whenever it is called: a census of the whole tree is for who asks. */
  protected linksNow(): () => number {
    const count = this.linkCount();
    return () => count;
  }
}

/** An inode that may have several names. */
abstract class LinkedNode extends MemoryNode {
  /** Names gained and lost since the tree was wrapped; all names where the tree has none. */
  #links: number;

  constructor(disk: MemoryDisk, mode: number, source: FileTreeNode | null) {
    super(disk, mode, source);
    this.#links = source !== null && source.inode === undefined ? 1 : 0;
  }

  override linkCount(): number {
    if (this.originalInode === undefined) return this.#links;
    return this.#links + this.disk.account.originalLinks(this.originalInode);
  }

  protected override linksNow(): () => number {
    const links = this.#links;
    if (this.originalInode === undefined) return () => links;
    const { account } = this.disk;
    const inode = this.originalInode;
    return () => links + account.originalLinks(inode);
  }

  /** As `linkCount() > 0`, without a census where no name was removed. */
  protected hasName(): boolean {
    return (
      this.#links > 0 ||
      (this.originalInode !== undefined && (this.#links === 0 || this.linkCount() > 0))
    );
  }

  protected override numberInTree(): { readonly inode?: number } {
    return this.linkCount() > 1 ? { inode: this.inode } : super.numberInTree();
  }

  addLink(): void {
    this.#links++;
    if (this.linkCount() > 1) this.becameShared();
  }

  removeLink(): void {
    this.#links--;
    assert(this.linkCount() >= 0, 'an inode lost more names than it had');
  }

  /** From now on `toTree` must say the inode's number. */
  protected abstract becameShared(): void;
}

/** A regular file: its content, and the handles that keep it alive without a name. */
export class MemoryFileNode extends LinkedNode {
  readonly kind = 'file';
  #content: MemoryContent;
  #source: FileTreeFile | null;
  #handles = 0;

  constructor(disk: MemoryDisk, mode: number, source: FileTreeFile | null) {
    super(disk, mode, source);
    this.#source = source;
    this.#content = new MemoryContent(source);
  }

  get size(): number {
    return this.#content.size;
  }

  read(target: Uint8Array, offset: number, length: number, position: number): number {
    return this.#content.read(target, offset, length, position);
  }

  /**
   * Returns the count, short where the disk gets full. Throws ENOSPC and EFBIG, in the name of
   * `path`.
   */
  write(
    source: Uint8Array,
    offset: number,
    length: number,
    position: number,
    path: string,
  ): number {
    if (length === 0) return 0;
    const before = this.size;
    let end = position + length;
    if (end > before) {
      if (end > FILE_BYTES_MAX) throw systemError('EFBIG', 'write', path);
      // A gap before the write takes room as well: see `MemoryVfs.capacityBytes`.
      end = Math.min(end, before + this.disk.account.roomBytes());
      if (end <= position) throw systemError('ENOSPC', 'write', path);
    }
    this.#content.write(source, offset, end - position, position);
    this.#changed(before);
    return end - position;
  }

  /** Throws ENOSPC and EFBIG, in the name of `path`. */
  truncate(size: number, path: string): void {
    const before = this.size;
    if (size > FILE_BYTES_MAX) throw systemError('EFBIG', 'ftruncate', path);
    if (size > before + this.disk.account.roomBytes())
      throw systemError('ENOSPC', 'ftruncate', path);
    this.#content.truncate(size);
    this.#changed(before);
  }

  opened(): void {
    this.#handles++;
  }

  closed(): void {
    this.#handles--;
    this.#release();
  }

  override removeLink(): void {
    super.removeLink();
    this.#release();
  }

  override setMode(mode: number): void {
    this.mode = mode;
    this.#source = null;
  }

  override toTree(): FileTreeFile {
    return (this.#source ??= {
      kind: 'file',
      mode: this.mode,
      content: this.#content.share(),
      ...this.numberInTree(),
    });
  }

  protected override becameShared(): void {
    if (this.#source?.inode === undefined) this.#source = null;
  }

  protected override byteCount(): number {
    return this.size;
  }

  #changed(sizeBefore: number): void {
    this.disk.account.grow(this.size - sizeBefore);
    this.#source = null;
    this.modifiedMs = this.disk.now();
  }

  /** Gives the room back when nobody can reach the file any more. */
  #release(): void {
    if (this.#handles > 0 || this.hasName()) return;
    this.disk.account.grow(-this.size);
    this.#content = new MemoryContent(null);
  }
}

/** A symbolic link. */
export class MemorySymlinkNode extends LinkedNode {
  readonly kind = 'symlink';
  readonly target: string;
  #source: FileTreeSymlink | null;

  constructor(disk: MemoryDisk, target: string, source: FileTreeSymlink | null) {
    super(disk, 0o777, source);
    this.target = target;
    this.#source = source;
  }

  /** A link's own mode means nothing on Linux and cannot be set there. */
  override setMode(): void {
    assert(false, 'the mode of a symbolic link cannot be set');
  }

  override toTree(): FileTreeSymlink {
    return (this.#source ??= { kind: 'symlink', target: this.target, ...this.numberInTree() });
  }

  protected override becameShared(): void {
    if (this.#source?.inode === undefined) this.#source = null;
  }

  protected override byteCount(): number {
    return Buffer.byteLength(this.target);
  }
}

/** A directory: a tree's entries, overlaid with those that were wrapped, or its own. */
export class MemoryDirectoryNode extends MemoryNode {
  readonly kind = 'directory';
  /** null for the root. */
  parent: MemoryDirectoryNode | null;
  name: string;
  #source: FileTreeDirectory | null;
  /** The tree whose entries `#wrapped` only overlays, until an entry is added or removed. */
  #base: ReadonlyMap<string, FileTreeNode> | null;
  readonly #wrapped = new Map<string, MemoryNode>();

  constructor(
    disk: MemoryDisk,
    parent: MemoryDirectoryNode | null,
    name: string,
    mode: number,
    source: FileTreeDirectory | null,
  ) {
    super(disk, mode, source);
    this.parent = parent;
    this.name = name;
    this.#source = source;
    this.#base = source?.entries ?? null;
  }

  lookup(name: string): MemoryNode | undefined {
    const wrapped = this.#wrapped.get(name);
    if (wrapped !== undefined || this.#base === null) return wrapped;
    const entry = this.#base.get(name);
    if (entry === undefined) return undefined;
    const node = this.disk.wrap(entry, this, name);
    this.#wrapped.set(name, node);
    return node;
  }

  /** Adds an entry, or gives the name to another inode. Link counts are the caller's. */
  set(name: string, node: MemoryNode): void {
    this.#wrapAll();
    this.#wrapped.set(name, node);
    if (node instanceof MemoryDirectoryNode) {
      node.parent = this;
      node.name = name;
    }
    this.#changed();
  }

  remove(name: string): void {
    this.#wrapAll();
    assert(this.#wrapped.delete(name), 'a name was removed that is not there');
    this.#changed();
  }

  get isEmpty(): boolean {
    return (this.#base ?? this.#wrapped).size === 0;
  }

  /** Names and kinds, in no order that means anything. */
  *entries(): Generator<[name: string, kind: FileKind]> {
    for (const [name, node] of this.#base ?? this.#wrapped) yield [name, node.kind];
  }

  override setMode(mode: number): void {
    this.mode = mode;
    this.#source = null;
  }

  override linkCount(): number {
    let count = EMPTY_DIRECTORY_LINKS;
    for (const [, kind] of this.entries()) if (kind === 'directory') count++;
    return count;
  }

  override toTree(): FileTreeDirectory {
    const before = this.#source;
    const changes = new Map<string, FileTreeNode>();
    for (const [name, node] of this.#wrapped) {
      const tree = node.toTree();
      if (tree !== before?.entries.get(name)) changes.set(name, tree);
    }
    if (before !== null && changes.size === 0) return before;
    const entries = new Map<string, FileTreeNode>();
    // Unwrapped entries are those of the base; `changes` cannot hold all of them where it has none.
    for (const [name, node] of this.#base ?? this.#wrapped) {
      const tree = node instanceof MemoryNode ? node.toTree() : (changes.get(name) ?? node);
      entries.set(name, tree);
    }
    this.#source = { kind: 'directory', mode: this.mode, entries, ...this.numberInTree() };
    return this.#source;
  }

  protected override byteCount(): number {
    return DIRECTORY_BYTES;
  }

  #wrapAll(): void {
    if (this.#base === null) return;
    for (const name of this.#base.keys()) this.lookup(name);
    this.#base = null;
  }

  #changed(): void {
    this.#source = null;
    this.modifiedMs = this.disk.now();
  }
}
