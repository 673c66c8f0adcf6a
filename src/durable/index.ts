/** The public surface of `holdfast/durable`. */

export { FileChangeError, type Outcome } from '../base/errors.ts';
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
export type { SyncOption, SyncPolicy } from './sync-policy.ts';
