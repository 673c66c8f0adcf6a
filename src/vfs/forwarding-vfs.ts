/**
 * Base for wrappers: passes every call on, through one place (`intercept`, `interceptSync`) that a
 * subclass overrides. Handles are wrapped as well, so their calls come through the same place.
 * By itself it changes nothing.
 */

import { ForwardingDirectory, ForwardingFile } from './forwarding-handle.ts';
import type { VfsCall } from './vfs-call.ts';
import type { DirectoryEntry, FileStat, OpenOptions, Vfs, VfsDirectory, VfsFile } from './vfs.ts';

/** A vfs that passes every call to another. */
export class ForwardingVfs implements Vfs {
  /** The vfs that calls are passed to. */
  readonly inner: Vfs;

  constructor(inner: Vfs) {
    this.inner = inner;
  }

  /** The vfs below all wrappers. */
  unwrap(): Vfs {
    return this.inner instanceof ForwardingVfs ? this.inner.unwrap() : this.inner;
  }

  /**
   * Every asynchronous call passes here. `run` makes it on the wrapped vfs, with the transfer of
   * the call it is given; an override calls it once, or not at all and rejects.
   */
  intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    return run(call);
  }

  /** As `intercept`, for blocking calls. */
  interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    return run(call);
  }

  async open(path: string, options: OpenOptions): Promise<VfsFile> {
    const call: VfsCall = { name: 'open', blocking: false, path, options };
    const file = await this.intercept(call, () => this.inner.open(path, options));
    return new ForwardingFile(file, this);
  }

  openSync(path: string, options: OpenOptions): VfsFile {
    const call: VfsCall = { name: 'open', blocking: true, path, options };
    const file = this.interceptSync(call, () => this.inner.openSync(path, options));
    return new ForwardingFile(file, this);
  }

  async openDirectory(path: string): Promise<VfsDirectory> {
    const call: VfsCall = { name: 'openDirectory', blocking: false, path };
    const directory = await this.intercept(call, () => this.inner.openDirectory(path));
    return new ForwardingDirectory(directory, this);
  }

  openDirectorySync(path: string): VfsDirectory {
    const call: VfsCall = { name: 'openDirectory', blocking: true, path };
    const directory = this.interceptSync(call, () => this.inner.openDirectorySync(path));
    return new ForwardingDirectory(directory, this);
  }

  mkdir(path: string, mode?: number): Promise<void> {
    const call: VfsCall = { name: 'mkdir', blocking: false, path };
    return this.intercept(call, () => this.inner.mkdir(path, mode));
  }

  mkdirSync(path: string, mode?: number): void {
    const call: VfsCall = { name: 'mkdir', blocking: true, path };
    this.interceptSync(call, () => this.inner.mkdirSync(path, mode));
  }

  readDirectory(path: string): Promise<DirectoryEntry[]> {
    const call: VfsCall = { name: 'readDirectory', blocking: false, path };
    return this.intercept(call, () => this.inner.readDirectory(path));
  }

  readDirectorySync(path: string): DirectoryEntry[] {
    const call: VfsCall = { name: 'readDirectory', blocking: true, path };
    return this.interceptSync(call, () => this.inner.readDirectorySync(path));
  }

  stat(path: string): Promise<FileStat> {
    const call: VfsCall = { name: 'stat', blocking: false, path };
    return this.intercept(call, () => this.inner.stat(path));
  }

  statSync(path: string): FileStat {
    const call: VfsCall = { name: 'stat', blocking: true, path };
    return this.interceptSync(call, () => this.inner.statSync(path));
  }

  lstat(path: string): Promise<FileStat> {
    const call: VfsCall = { name: 'lstat', blocking: false, path };
    return this.intercept(call, () => this.inner.lstat(path));
  }

  lstatSync(path: string): FileStat {
    const call: VfsCall = { name: 'lstat', blocking: true, path };
    return this.interceptSync(call, () => this.inner.lstatSync(path));
  }

  realpath(path: string): Promise<string> {
    const call: VfsCall = { name: 'realpath', blocking: false, path };
    return this.intercept(call, () => this.inner.realpath(path));
  }

  realpathSync(path: string): string {
    const call: VfsCall = { name: 'realpath', blocking: true, path };
    return this.interceptSync(call, () => this.inner.realpathSync(path));
  }

  readLink(path: string): Promise<string> {
    const call: VfsCall = { name: 'readLink', blocking: false, path };
    return this.intercept(call, () => this.inner.readLink(path));
  }

  readLinkSync(path: string): string {
    const call: VfsCall = { name: 'readLink', blocking: true, path };
    return this.interceptSync(call, () => this.inner.readLinkSync(path));
  }

  symlink(target: string, path: string): Promise<void> {
    const call: VfsCall = { name: 'symlink', blocking: false, path, target };
    return this.intercept(call, () => this.inner.symlink(target, path));
  }

  symlinkSync(target: string, path: string): void {
    const call: VfsCall = { name: 'symlink', blocking: true, path, target };
    this.interceptSync(call, () => this.inner.symlinkSync(target, path));
  }

  link(existingPath: string, newPath: string): Promise<void> {
    const call: VfsCall = { name: 'link', blocking: false, path: existingPath, target: newPath };
    return this.intercept(call, () => this.inner.link(existingPath, newPath));
  }

  linkSync(existingPath: string, newPath: string): void {
    const call: VfsCall = { name: 'link', blocking: true, path: existingPath, target: newPath };
    this.interceptSync(call, () => this.inner.linkSync(existingPath, newPath));
  }

  rename(from: string, to: string): Promise<void> {
    const call: VfsCall = { name: 'rename', blocking: false, path: from, target: to };
    return this.intercept(call, () => this.inner.rename(from, to));
  }

  renameSync(from: string, to: string): void {
    const call: VfsCall = { name: 'rename', blocking: true, path: from, target: to };
    this.interceptSync(call, () => this.inner.renameSync(from, to));
  }

  unlink(path: string): Promise<void> {
    const call: VfsCall = { name: 'unlink', blocking: false, path };
    return this.intercept(call, () => this.inner.unlink(path));
  }

  unlinkSync(path: string): void {
    const call: VfsCall = { name: 'unlink', blocking: true, path };
    this.interceptSync(call, () => this.inner.unlinkSync(path));
  }

  rmdir(path: string): Promise<void> {
    const call: VfsCall = { name: 'rmdir', blocking: false, path };
    return this.intercept(call, () => this.inner.rmdir(path));
  }

  rmdirSync(path: string): void {
    const call: VfsCall = { name: 'rmdir', blocking: true, path };
    this.interceptSync(call, () => this.inner.rmdirSync(path));
  }

  chmod(path: string, mode: number): Promise<void> {
    const call: VfsCall = { name: 'chmod', blocking: false, path };
    return this.intercept(call, () => this.inner.chmod(path, mode));
  }

  chmodSync(path: string, mode: number): void {
    const call: VfsCall = { name: 'chmod', blocking: true, path };
    this.interceptSync(call, () => this.inner.chmodSync(path, mode));
  }
}
