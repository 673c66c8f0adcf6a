/**
 * A file-system tree as plain data: what a crash left behind, or what a directory holds. Contents
 * are shared and never modified; whoever wants to write copies first (see `MemoryVfs.fromTree`).
 */

/** A regular file. */
export interface FileTreeFile {
  readonly kind: 'file';
  readonly mode: number;
  readonly content: Uint8Array;
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
