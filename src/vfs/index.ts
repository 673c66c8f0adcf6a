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
export type { Fault, FaultKind } from './fault.ts';
export { FaultVfs, type DirtyPages, type InjectedFault } from './fault-vfs.ts';
export { ForwardingVfs } from './forwarding-vfs.ts';
export { MemoryVfs, type MemoryVfsOptions } from './memory-vfs.ts';
export { MeteredVfs } from './metered-vfs.ts';
export { NodeVfs, nodeVfs } from './node-vfs.ts';
export type { Transfer, VfsCall, VfsCallName } from './vfs-call.ts';
export {
  readFully,
  readFullySync,
  readWholeFile,
  readWholeFileSync,
  writeFully,
  writeFullySync,
} from './transfer.ts';
