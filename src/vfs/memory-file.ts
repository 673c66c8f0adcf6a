/** Open files and directories of `MemoryVfs`. Not here: the bytes (`memory-node.ts`). */

import { checkSize, checkTransfer } from './call-arguments.ts';
import { systemError } from './errno.ts';
import { MemoryFileNode, type MemoryDirectoryNode } from './memory-node.ts';
import { SyncBackedDirectory, SyncBackedFile } from './sync-backed-vfs.ts';
import type { FileStat, OpenOptions } from './vfs.ts';

/**
 * An open file, or a directory opened for reading as a file: Linux allows that, and little with it.
 */
export class MemoryFile extends SyncBackedFile {
  readonly path: string;
  readonly #node: MemoryFileNode | MemoryDirectoryNode;
  readonly #readable: boolean;
  readonly #writable: boolean;
  readonly #appends: boolean;
  #open = true;

  constructor(path: string, node: MemoryFileNode | MemoryDirectoryNode, options: OpenOptions) {
    super();
    this.path = path;
    this.#node = node;
    this.#readable = options.read === true;
    this.#appends = options.append === true;
    this.#writable = options.write === true || this.#appends;
    if (node instanceof MemoryFileNode) node.opened();
  }

  override readSync(buffer: Uint8Array, offset: number, length: number, position: number): number {
    if (!this.#open || !this.#readable) throw systemError('EBADF', 'read', this.path);
    checkTransfer(buffer, offset, length, position);
    if (!(this.#node instanceof MemoryFileNode)) throw systemError('EISDIR', 'read', this.path);
    return this.#node.read(buffer, offset, length, position);
  }

  override writeSync(buffer: Uint8Array, offset: number, length: number, position: number): number {
    if (!this.#open || !this.#writable) throw systemError('EBADF', 'write', this.path);
    checkTransfer(buffer, offset, length, position);
    const node = this.#fileNode('write');
    return node.write(buffer, offset, length, this.#appends ? node.size : position, this.path);
  }

  override truncateSync(size: number): void {
    this.#check('ftruncate');
    checkSize(size);
    if (!this.#writable) throw systemError('EINVAL', 'ftruncate', this.path);
    this.#fileNode('ftruncate').truncate(size, this.path);
  }

  override syncSync(): void {
    this.#check('fsync');
  }

  override datasyncSync(): void {
    this.#check('fdatasync');
  }

  override statSync(): FileStat {
    this.#check('fstat');
    return this.#node.stat();
  }

  override chmodSync(mode: number): void {
    this.#check('fchmod');
    this.#node.setMode(mode & 0o7777);
  }

  override chownSync(uid: number, gid: number): void {
    this.#check('fchown');
    this.#node.uid = uid;
    this.#node.gid = gid;
  }

  override closeSync(): void {
    this.#check('close');
    this.#open = false;
    if (this.#node instanceof MemoryFileNode) this.#node.closed();
  }

  #check(syscall: string): void {
    if (!this.#open) throw systemError('EBADF', syscall, this.path);
  }

  #fileNode(syscall: string): MemoryFileNode {
    if (this.#node instanceof MemoryFileNode) return this.#node;
    throw systemError('EINVAL', syscall, this.path);
  }
}

/** A directory opened for syncing. */
export class MemoryDirectory extends SyncBackedDirectory {
  readonly path: string;
  #open = true;

  constructor(path: string) {
    super();
    this.path = path;
  }

  override syncSync(): void {
    if (!this.#open) throw systemError('EBADF', 'fsync', this.path);
  }

  override closeSync(): void {
    if (!this.#open) throw systemError('EBADF', 'close', this.path);
    this.#open = false;
  }
}
