/**
 * A file-system tree as plain data: what a crash left behind, or what a directory holds. Contents
 * are shared and never modified; whoever wants to write copies first (see `MemoryVfs.fromTree`).
 */

/** A content of which a part can be had without the rest. */
export interface FileTreeParts {
  readonly size: number;
  /**
   * Copies `length` bytes from `position` to `target`. REQUIRES: they end at or before `size`.
   */
  read(target: Uint8Array, offset: number, length: number, position: number): void;
}

/** A regular file. */
export interface FileTreeFile {
  readonly kind: 'file';
  readonly mode: number;
  readonly content: Uint8Array;
  /**
   * The same content for readers of a part: only where putting all of it together means something (the lab's
   * undecided files). Who uses it never needs `content` too.
   */
  readonly parts?: FileTreeParts | undefined;
  /**
   * Nodes with the same number are one file under several names. Absent where it does not matter.
   */
  readonly inode?: number;
}

/** A directory with all that is in it. */
export interface FileTreeDirectory {
  readonly kind: 'directory';
  readonly mode: number;
  readonly entries: ReadonlyMap<string, FileTreeNode>;
  readonly inode?: number;
}

/** A symbolic link. */
export interface FileTreeSymlink {
  readonly kind: 'symlink';
  readonly target: string;
  readonly inode?: number;
}

/** Anything that has a name. */
export type FileTreeNode = FileTreeFile | FileTreeDirectory | FileTreeSymlink;
