/**
 * The contract: what an operating system can do with files and directories. Every method says what
 * holds when it returns and what a crash may still take. Nothing here promises durability except
 * the four `sync` and `datasync` methods and the two sync open flags; what Holdfast promises on top
 * lives in `durable`.
 *
 * Implementations: `node-vfs` (the only module of the store that imports `node:fs`), `memory-vfs`,
 * and the wrappers on `forwarding-vfs`. All run one contract suite
 * (`test/contract/vfs-contract.ts`).
 *
 * Every method exists twice: `x` returns a promise and never waits for a device on the calling
 * thread, `xSync` blocks. Both forms may be mixed on one file; the caller orders them.
 *
 * Errors are the operating system's: an `Error` with `code` (`'ENOENT'`), `syscall` and `path`.
 * EINTR is retried inside the implementation where no byte was moved, but never from a sync or a
 * close. Nothing else is retried. Wrong arguments are a TypeError without a code.
 *
 * Paths are absolute or relative to the process; names are UTF-8.
 */

/** How to open a file. Without `create` a missing file is ENOENT. */
export interface OpenOptions {
  readonly read?: boolean;
  readonly write?: boolean;
  /** Every write goes to the end of the file as it is then, whatever `position` says (O_APPEND). */
  readonly append?: boolean;
  /**
   * Make the file when it is missing (O_CREAT). A crash may take the new name: see
   * `VfsDirectory.sync`.
   */
  readonly create?: boolean;
  /** With `create`: EEXIST when the name exists, link or not (O_EXCL). */
  readonly exclusive?: boolean;
  /**
   * Cut the file to nothing (O_TRUNC). A crash may leave the old content, none, or a mixture with
   * new writes.
   */
  readonly truncate?: boolean;
  /** ELOOP when the last part of the path is a symbolic link (O_NOFOLLOW; no effect on Windows). */
  readonly noFollow?: boolean;
  /**
   * `'data'`: a write that returned is durable together with the size needed to read it (O_DSYNC);
   * `'all'`: and its other metadata (O_SYNC). No effect on Windows, where the caller must sync.
   */
  readonly sync?: 'data' | 'all';
  /** Permission bits of a file that is made, before the umask. Default 0o666. */
  readonly mode?: number;
}

/** What a name stands for; `'other'` is a device, a socket or a pipe. */
export type FileKind = 'file' | 'directory' | 'symlink' | 'other';

/** What the file system knows of a file. */
export interface FileStat {
  readonly kind: FileKind;
  /** Bytes. */
  readonly size: number;
  /** Permission bits only (`& 0o7777`). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Device and inode: two paths with equal pairs are one file. */
  readonly device: bigint;
  readonly inode: bigint;
  readonly linkCount: number;
  /** Milliseconds since the epoch. */
  readonly modifiedMs: number;
}

/** A name in a directory. A link is `'symlink'`, whatever it leads to. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: FileKind;
}

/** An open file. After `close` every call fails with EBADF. */
export interface VfsFile {
  readonly path: string;

  /**
   * Reads at most `length` bytes at `position` into `buffer` at `offset`. Resolves to the count, 0
   * only at the end of the file. A short count before the end is legal; `readFully` in
   * `vfs/transfer.ts` loops.
   */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  readSync(buffer: Uint8Array, offset: number, length: number, position: number): number;

  /**
   * Writes at most `length` bytes of `buffer` from `offset` at `position`. Resolves to the count,
   * which **may be short** (a full disk, a signal); `writeFully` in `vfs/transfer.ts` loops until
   * all is written or an error says why not. On return the bytes are with the operating system:
   * another process sees them, a power cut may take any part of them, in any order, unless the file
   * was opened with `sync`.
   */
  write(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  writeSync(buffer: Uint8Array, offset: number, length: number, position: number): number;

  /** Sets the size; new bytes read as zeros. Durable with the next `datasync`. */
  truncate(size: number): Promise<void>;
  truncateSync(size: number): void;

  /**
   * On return, every write and size change of this file that *returned before this call started* is
   * on stable storage with all metadata (fsync; F_FULLFSYNC on macOS through libuv;
   * FlushFileBuffers). Promises nothing about the file's name. After a rejection nothing is known
   * about any of it, and a later success does not mean that those bytes are safe (Linux marks
   * failed pages clean; Rebello et al., ATC 2020).
   */
  sync(): Promise<void>;
  syncSync(): void;

  /**
   * As `sync`, without metadata that is not needed to read the bytes back (fdatasync). The size is
   * included.
   */
  datasync(): Promise<void>;
  datasyncSync(): void;

  stat(): Promise<FileStat>;
  statSync(): FileStat;

  /** Sets the permission bits. Durable with the next `sync`. */
  chmod(mode: number): Promise<void>;
  chmodSync(mode: number): void;

  /** Sets owner and group; EPERM without the right. Durable with the next `sync`. */
  chown(uid: number, gid: number): Promise<void>;
  chownSync(uid: number, gid: number): void;

  /**
   * Releases the descriptor. Makes nothing durable. An error (EIO, ENOSPC on NFS) means that writes
   * were lost; the descriptor is gone all the same. `close` waits for asynchronous calls in flight;
   * `closeSync` during one is a mistake of the caller's.
   */
  close(): Promise<void>;
  closeSync(): void;
}

/** An open directory, opened for one purpose: to sync it. */
export interface VfsDirectory {
  readonly path: string;

  /**
   * On return, every name created, renamed or removed in this directory by calls that returned
   * before this one started is on stable storage. Not the names in its subdirectories, and not the
   * directory's own name.
   * @see fsync(2) of Linux: "an explicit fsync() on a file descriptor for the directory is also
   * needed"
   */
  sync(): Promise<void>;
  syncSync(): void;
  close(): Promise<void>;
  closeSync(): void;
}

/** A file system. */
export interface Vfs {
  /**
   * Opens or makes a file. What a crash may take: the name of a new file, and a truncation, until
   * synced.
   */
  open(path: string, options: OpenOptions): Promise<VfsFile>;
  openSync(path: string, options: OpenOptions): VfsFile;

  /**
   * Opens a directory for syncing. ENOTDIR, ENOENT; EPERM, EISDIR or EACCES on Windows, which has
   * no such call.
   */
  openDirectory(path: string): Promise<VfsDirectory>;
  openDirectorySync(path: string): VfsDirectory;

  /** Makes one directory. A crash may take it, with all inside, until its parent is synced. */
  mkdir(path: string, mode?: number): Promise<void>;
  mkdirSync(path: string, mode?: number): void;

  /** The names in a directory, in no order, without `.` and `..`. */
  readDirectory(path: string): Promise<DirectoryEntry[]>;
  readDirectorySync(path: string): DirectoryEntry[];

  /** `stat` follows symbolic links, `lstat` does not. */
  stat(path: string): Promise<FileStat>;
  statSync(path: string): FileStat;
  lstat(path: string): Promise<FileStat>;
  lstatSync(path: string): FileStat;

  /** The absolute path without links. */
  realpath(path: string): Promise<string>;
  realpathSync(path: string): string;
  readLink(path: string): Promise<string>;
  readLinkSync(path: string): string;

  symlink(target: string, path: string): Promise<void>;
  symlinkSync(target: string, path: string): void;
  link(existingPath: string, newPath: string): Promise<void>;
  linkSync(existingPath: string, newPath: string): void;

  /**
   * Gives a file or directory another name and atomically takes the place of what had it. Running
   * programs see the old or the new, never neither. A power cut may bring the old state back until
   * both directories are synced, and *may show the new name without the file's bytes* unless the
   * file was synced before.
   */
  rename(from: string, to: string): Promise<void>;
  renameSync(from: string, to: string): void;

  /**
   * Removes a name. The file goes with its last name and last open descriptor. A crash may bring
   * the name back.
   */
  unlink(path: string): Promise<void>;
  unlinkSync(path: string): void;
  /** Removes an empty directory. A crash may bring it back. */
  rmdir(path: string): Promise<void>;
  rmdirSync(path: string): void;

  chmod(path: string, mode: number): Promise<void>;
  chmodSync(path: string, mode: number): void;
}
