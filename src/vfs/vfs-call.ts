/** One call on a vfs as a value: what wrappers see, count, change and refuse. */

import type { OpenOptions, VfsDirectory, VfsFile } from './vfs.ts';

/** Names of the methods of the contract, both forms together; those of handles after a dot. */
export type VfsCallName =
  | 'open'
  | 'openDirectory'
  | 'mkdir'
  | 'readDirectory'
  | 'stat'
  | 'lstat'
  | 'realpath'
  | 'readLink'
  | 'symlink'
  | 'link'
  | 'rename'
  | 'unlink'
  | 'rmdir'
  | 'chmod'
  | 'file.read'
  | 'file.write'
  | 'file.truncate'
  | 'file.sync'
  | 'file.datasync'
  | 'file.stat'
  | 'file.chmod'
  | 'file.chown'
  | 'file.close'
  | 'directory.sync'
  | 'directory.close';

/** The range of `file.read` and `file.write`. */
export interface Transfer {
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly position: number;
}

/** One call. */
export interface VfsCall {
  readonly name: VfsCallName;
  /** The `Sync` form. */
  readonly blocking: boolean;
  /**
   * The path given, or that of the handle. Of `symlink` the new link, of `rename` and `link` the
   * old name.
   */
  readonly path: string;
  /** The new name of `rename` and `link`; the text of `symlink`. */
  readonly target?: string;
  /** Of `open`. */
  readonly options?: OpenOptions;
  /** The wrapped handle that the call goes to. */
  readonly handle?: VfsFile | VfsDirectory;
  readonly transfer?: Transfer;
  /** Of `file.truncate`. */
  readonly size?: number;
}
