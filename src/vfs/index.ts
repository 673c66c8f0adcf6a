/** The public surface of `holdfast/vfs`. */

export type {
  DirectoryEntry,
  FileKind,
  FileStat,
  OpenOptions,
  Vfs,
  VfsDirectory,
  VfsFile,
} from './vfs.ts';
export type {
  FileTreeDirectory,
  FileTreeFile,
  FileTreeNode,
  FileTreeSymlink,
} from './file-tree.ts';
export { errorCode, systemError, type SystemError, type SystemErrorCode } from './errno.ts';
export { MemoryVfs, type MemoryVfsOptions } from './memory-vfs.ts';
export { NodeVfs, nodeVfs } from './node-vfs.ts';
export {
  readFully,
  readFullySync,
  readWholeFile,
  readWholeFileSync,
  writeFully,
  writeFullySync,
} from './transfer.ts';
