/** The public surface of `holdfast/durable`. */

export {
  CorruptionError,
  FileChangeError,
  HoldfastError,
  type HoldfastErrorCode,
  type Outcome,
} from '../base/errors.ts';
export { AppendFile } from './append-file.ts';
export type { AppendFileOptions, BatchBounds } from './append-options.ts';
export {
  writeFile,
  writeFileSync,
  type WriteFileCallback,
  type WriteFileData,
  type WriteFileOptions,
} from './atomic-write-file.ts';
export { replaceFile, replaceFileSync, type ReplaceOptions } from './atomic-file.ts';
export {
  mkdir,
  mkdirSync,
  rename,
  renameSync,
  rm,
  rmSync,
  type MkdirOptions,
  type RmOptions,
} from './durable-calls.ts';
export { DirectoryLock, LockedError, type LockOptions } from './lock-file.ts';
export type { LockOwner } from './lock-owner.ts';
export {
  readPointer,
  readPointerSync,
  replacePointer,
  replacePointerSync,
} from './pointer-file.ts';
export { Poison, PoisonedError } from './poison.ts';
export type { SyncOption, SyncPolicy } from './sync-policy.ts';
