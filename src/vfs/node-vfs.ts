/**
 * The contract on `node:fs`, and the only module of the store that imports it. Asynchronous calls
 * use the callback interface in one Promise: one trip through the thread pool each, no FileHandle.
 *
 * EINTR. Node's libuv repeats most calls itself; what still comes out is repeated here, but never
 * for `sync`, `datasync` (part of the work may be done and its error already reported) and `close`
 * (on Linux the descriptor is gone then, and a second close could hit somebody else's).
 */

import * as fs from 'node:fs';

import { assert } from '../base/assert.ts';
import { checkOpenOptions, checkSize, checkTransfer } from './call-arguments.ts';
import { systemError } from './errno.ts';
import { named, retrying, retryingSync, withPath, type Callback } from './node-call.ts';
import type {
  DirectoryEntry,
  FileKind,
  FileStat,
  OpenOptions,
  Vfs,
  VfsDirectory,
  VfsFile,
} from './vfs.ts';

/** Flags that Windows does not have are 0 there: no effect, as the contract says. */
const optionalFlags: Readonly<Record<string, number | undefined>> = fs.constants;
const O_NOFOLLOW = optionalFlags['O_NOFOLLOW'] ?? 0;
const O_SYNC = optionalFlags['O_SYNC'] ?? 0;
const O_DSYNC = optionalFlags['O_DSYNC'] ?? 0;
const O_DIRECTORY = optionalFlags['O_DIRECTORY'] ?? 0;

const DEFAULT_FILE_MODE = 0o666;
const DEFAULT_DIRECTORY_MODE = 0o777;

/** The file system of the machine. */
export class NodeVfs implements Vfs {
  async open(path: string, options: OpenOptions): Promise<VfsFile> {
    const flags = openFlags(options);
    const mode = options.mode ?? DEFAULT_FILE_MODE;
    const fd = await retrying<number>((done) => fs.open(path, flags, mode, done));
    return new NodeFile(path, fd, options.append === true);
  }

  openSync(path: string, options: OpenOptions): VfsFile {
    const flags = openFlags(options);
    const fd = retryingSync(() => fs.openSync(path, flags, options.mode ?? DEFAULT_FILE_MODE));
    return new NodeFile(path, fd, options.append === true);
  }

  async openDirectory(path: string): Promise<VfsDirectory> {
    const flags = fs.constants.O_RDONLY | O_DIRECTORY;
    const fd = await retrying<number>((done) => fs.open(path, flags, done));
    const directory = new NodeHandle(path, fd);
    // Without the flag (Windows) a file would be opened as well.
    if (O_DIRECTORY === 0 && (await directory.stat()).kind !== 'directory') {
      await directory.close();
      throw systemError('ENOTDIR', 'open', path);
    }
    return directory;
  }

  openDirectorySync(path: string): VfsDirectory {
    const flags = fs.constants.O_RDONLY | O_DIRECTORY;
    const directory = new NodeHandle(
      path,
      retryingSync(() => fs.openSync(path, flags)),
    );
    if (O_DIRECTORY === 0 && directory.statSync().kind !== 'directory') {
      directory.closeSync();
      throw systemError('ENOTDIR', 'open', path);
    }
    return directory;
  }

  mkdir(path: string, mode: number = DEFAULT_DIRECTORY_MODE): Promise<void> {
    return retrying<void>((done) => fs.mkdir(path, mode, done));
  }

  mkdirSync(path: string, mode: number = DEFAULT_DIRECTORY_MODE): void {
    retryingSync(() => fs.mkdirSync(path, mode));
  }

  async readDirectory(path: string): Promise<DirectoryEntry[]> {
    const entries = await retrying<fs.Dirent[]>((done) =>
      fs.readdir(path, { withFileTypes: true }, done),
    );
    return entries.map(toDirectoryEntry);
  }

  readDirectorySync(path: string): DirectoryEntry[] {
    return retryingSync(() => fs.readdirSync(path, { withFileTypes: true })).map(toDirectoryEntry);
  }

  async stat(path: string): Promise<FileStat> {
    return toFileStat(await retrying((done) => fs.stat(path, { bigint: true }, done)));
  }

  statSync(path: string): FileStat {
    return toFileStat(retryingSync(() => fs.statSync(path, { bigint: true })));
  }

  async lstat(path: string): Promise<FileStat> {
    return toFileStat(await retrying((done) => fs.lstat(path, { bigint: true }, done)));
  }

  lstatSync(path: string): FileStat {
    return toFileStat(retryingSync(() => fs.lstatSync(path, { bigint: true })));
  }

  realpath(path: string): Promise<string> {
    return retrying((done) => fs.realpath.native(path, done));
  }

  realpathSync(path: string): string {
    return retryingSync(() => fs.realpathSync.native(path));
  }

  readLink(path: string): Promise<string> {
    return retrying((done) => fs.readlink(path, done));
  }

  readLinkSync(path: string): string {
    return retryingSync(() => fs.readlinkSync(path));
  }

  symlink(target: string, path: string): Promise<void> {
    return retrying<void>((done) => fs.symlink(target, path, done));
  }

  symlinkSync(target: string, path: string): void {
    retryingSync(() => fs.symlinkSync(target, path));
  }

  link(existingPath: string, newPath: string): Promise<void> {
    return retrying<void>((done) => fs.link(existingPath, newPath, done));
  }

  linkSync(existingPath: string, newPath: string): void {
    retryingSync(() => fs.linkSync(existingPath, newPath));
  }

  rename(from: string, to: string): Promise<void> {
    return retrying<void>((done) => fs.rename(from, to, done));
  }

  renameSync(from: string, to: string): void {
    retryingSync(() => fs.renameSync(from, to));
  }

  unlink(path: string): Promise<void> {
    return retrying<void>((done) => fs.unlink(path, done));
  }

  unlinkSync(path: string): void {
    retryingSync(() => fs.unlinkSync(path));
  }

  rmdir(path: string): Promise<void> {
    return retrying<void>((done) => fs.rmdir(path, done));
  }

  rmdirSync(path: string): void {
    retryingSync(() => fs.rmdirSync(path));
  }

  chmod(path: string, mode: number): Promise<void> {
    return retrying<void>((done) => fs.chmod(path, mode, done));
  }

  chmodSync(path: string, mode: number): void {
    retryingSync(() => fs.chmodSync(path, mode));
  }
}

/** Holds no state: everybody may share one. */
export const nodeVfs: NodeVfs = new NodeVfs();

/** A descriptor that knows whether it is open: a number alone may belong to another file by now. */
class NodeHandle implements VfsDirectory {
  readonly path: string;
  #fd: number;
  #callsInFlight = 0;
  /** Set while `close` waits for the calls in flight. */
  #whenIdle: (() => void) | null = null;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  sync(): Promise<void> {
    return this.call<void>('fsync', (fd, done) => fs.fsync(fd, done), false);
  }

  syncSync(): void {
    const fd = this.open('fsync');
    withPath(this.path, () => fs.fsyncSync(fd));
  }

  async stat(): Promise<FileStat> {
    return toFileStat(
      await this.call<fs.BigIntStats>('fstat', (fd, done) => fs.fstat(fd, { bigint: true }, done)),
    );
  }

  statSync(): FileStat {
    const fd = this.open('fstat');
    return toFileStat(this.retryingSync(() => fs.fstatSync(fd, { bigint: true })));
  }

  /**
   * Waits for the calls in flight: the thread pool may not have begun them, and their number would
   * belong to whatever file is opened next.
   */
  async close(): Promise<void> {
    const fd = this.open('close');
    this.#fd = -1;
    if (this.#callsInFlight > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    await new Promise<void>((resolve, reject) => {
      fs.close(fd, (error) => {
        if (error) reject(named(error, this.path));
        else resolve();
      });
    });
  }

  closeSync(): void {
    const fd = this.open('close');
    assert(this.#callsInFlight === 0, `closeSync of ${this.path} while a call is in flight`);
    this.#fd = -1;
    withPath(this.path, () => fs.closeSync(fd));
  }

  /** The descriptor, or EBADF after `close`. */
  protected open(syscall: string): number {
    if (this.#fd === -1) throw systemError('EBADF', syscall, this.path);
    return this.#fd;
  }

  /** One call on the thread pool. Rejects, and never throws. */
  protected call<T>(
    syscall: string,
    start: (fd: number, done: Callback<T>) => void,
    repeat: boolean = true,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const fd = this.open(syscall);
      const done: Callback<T> = (error, value) => {
        if (repeat && error?.code === 'EINTR') {
          start(fd, done);
          return;
        }
        this.#callsInFlight--;
        if (this.#callsInFlight === 0) this.#whenIdle?.();
        if (error) reject(named(error, this.path));
        else resolve(value as T);
      };
      start(fd, done);
      this.#callsInFlight++;
    });
  }

  protected retryingSync<T>(call: () => T): T {
    return withPath(this.path, () => retryingSync(call));
  }
}

class NodeFile extends NodeHandle implements VfsFile {
  /**
   * With O_APPEND, positioned writes differ between systems (pwrite(2), BUGS): the plain write does
   * not.
   */
  readonly #appends: boolean;

  constructor(path: string, fd: number, appends: boolean) {
    super(path, fd);
    this.#appends = appends;
  }

  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.call<number>('read', (fd, done) => {
      checkTransfer(buffer, offset, length, position);
      fs.read(fd, buffer, offset, length, position, done);
    });
  }

  readSync(buffer: Uint8Array, offset: number, length: number, position: number): number {
    const fd = this.open('read');
    checkTransfer(buffer, offset, length, position);
    return this.retryingSync(() => fs.readSync(fd, buffer, offset, length, position));
  }

  write(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number> {
    return this.call<number>('write', (fd, done) => {
      checkTransfer(buffer, offset, length, position);
      fs.write(fd, buffer, offset, length, this.#appends ? null : position, done);
    });
  }

  writeSync(buffer: Uint8Array, offset: number, length: number, position: number): number {
    const fd = this.open('write');
    checkTransfer(buffer, offset, length, position);
    const place = this.#appends ? null : position;
    return this.retryingSync(() => fs.writeSync(fd, buffer, offset, length, place));
  }

  truncate(size: number): Promise<void> {
    return this.call<void>('ftruncate', (fd, done) => {
      checkSize(size);
      fs.ftruncate(fd, size, done);
    });
  }

  truncateSync(size: number): void {
    const fd = this.open('ftruncate');
    checkSize(size);
    this.retryingSync(() => fs.ftruncateSync(fd, size));
  }

  datasync(): Promise<void> {
    return this.call<void>('fdatasync', (fd, done) => fs.fdatasync(fd, done), false);
  }

  datasyncSync(): void {
    const fd = this.open('fdatasync');
    withPath(this.path, () => fs.fdatasyncSync(fd));
  }

  chmod(mode: number): Promise<void> {
    return this.call<void>('fchmod', (fd, done) => fs.fchmod(fd, mode, done));
  }

  chmodSync(mode: number): void {
    const fd = this.open('fchmod');
    this.retryingSync(() => fs.fchmodSync(fd, mode));
  }

  chown(uid: number, gid: number): Promise<void> {
    return this.call<void>('fchown', (fd, done) => fs.fchown(fd, uid, gid, done));
  }

  chownSync(uid: number, gid: number): void {
    const fd = this.open('fchown');
    this.retryingSync(() => fs.fchownSync(fd, uid, gid));
  }
}

function openFlags(options: OpenOptions): number {
  checkOpenOptions(options);
  const { O_RDONLY, O_WRONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL, O_TRUNC } = fs.constants;
  const writes = options.write === true || options.append === true;
  let flags = writes ? (options.read === true ? O_RDWR : O_WRONLY) : O_RDONLY;
  if (options.append === true) flags |= O_APPEND;
  if (options.create === true) flags |= O_CREAT;
  if (options.exclusive === true) flags |= O_EXCL;
  if (options.truncate === true) flags |= O_TRUNC;
  if (options.noFollow === true) flags |= O_NOFOLLOW;
  if (options.sync === 'data') flags |= O_DSYNC;
  if (options.sync === 'all') flags |= O_SYNC;
  return flags;
}

function toFileStat(stats: fs.BigIntStats): FileStat {
  return {
    kind: kindOf(stats),
    size: Number(stats.size),
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    device: stats.dev,
    inode: stats.ino,
    linkCount: Number(stats.nlink),
    modifiedMs: Number(stats.mtimeMs),
  };
}

function toDirectoryEntry(entry: fs.Dirent): DirectoryEntry {
  return { name: entry.name, kind: kindOf(entry) };
}

function kindOf(node: fs.Dirent | fs.BigIntStats): FileKind {
  if (node.isFile()) return 'file';
  if (node.isDirectory()) return 'directory';
  return node.isSymbolicLink() ? 'symlink' : 'other';
}
