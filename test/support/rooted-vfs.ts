/**
 * Shows one directory of a file system as the root of another, so that a story that says `/store` runs anywhere on a
 * real disk, and several side by side. Paths that begin with the directory already stay as they are: handles know
 * themselves by those. Not a jail: `..` and links lead out.
 */

import type {
  DirectoryEntry,
  FileStat,
  OpenOptions,
  VfsDirectory,
  VfsFile,
} from '../../src/vfs/vfs.ts';
import { ForwardingVfs } from '../../src/vfs/forwarding-vfs.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';

export class RootedVfs extends ForwardingVfs {
  readonly #root: string;

  /** `root` is absolute and exists. */
  constructor(inner: Vfs, root: string) {
    super(inner);
    this.#root = root;
  }

  override open(path: string, options: OpenOptions): Promise<VfsFile> {
    return super.open(this.#at(path), options);
  }

  override openSync(path: string, options: OpenOptions): VfsFile {
    return super.openSync(this.#at(path), options);
  }

  override openDirectory(path: string): Promise<VfsDirectory> {
    return super.openDirectory(this.#at(path));
  }

  override openDirectorySync(path: string): VfsDirectory {
    return super.openDirectorySync(this.#at(path));
  }

  override mkdir(path: string, mode?: number): Promise<void> {
    return super.mkdir(this.#at(path), mode);
  }

  override mkdirSync(path: string, mode?: number): void {
    super.mkdirSync(this.#at(path), mode);
  }

  override readDirectory(path: string): Promise<DirectoryEntry[]> {
    return super.readDirectory(this.#at(path));
  }

  override readDirectorySync(path: string): DirectoryEntry[] {
    return super.readDirectorySync(this.#at(path));
  }

  override stat(path: string): Promise<FileStat> {
    return super.stat(this.#at(path));
  }

  override statSync(path: string): FileStat {
    return super.statSync(this.#at(path));
  }

  override lstat(path: string): Promise<FileStat> {
    return super.lstat(this.#at(path));
  }

  override lstatSync(path: string): FileStat {
    return super.lstatSync(this.#at(path));
  }

  override async realpath(path: string): Promise<string> {
    return this.#within(await super.realpath(this.#at(path)));
  }

  override realpathSync(path: string): string {
    return this.#within(super.realpathSync(this.#at(path)));
  }

  override link(existingPath: string, newPath: string): Promise<void> {
    return super.link(this.#at(existingPath), this.#at(newPath));
  }

  override linkSync(existingPath: string, newPath: string): void {
    super.linkSync(this.#at(existingPath), this.#at(newPath));
  }

  override rename(from: string, to: string): Promise<void> {
    return super.rename(this.#at(from), this.#at(to));
  }

  override renameSync(from: string, to: string): void {
    super.renameSync(this.#at(from), this.#at(to));
  }

  override unlink(path: string): Promise<void> {
    return super.unlink(this.#at(path));
  }

  override unlinkSync(path: string): void {
    super.unlinkSync(this.#at(path));
  }

  override rmdir(path: string): Promise<void> {
    return super.rmdir(this.#at(path));
  }

  override rmdirSync(path: string): void {
    super.rmdirSync(this.#at(path));
  }

  override chmod(path: string, mode: number): Promise<void> {
    return super.chmod(this.#at(path), mode);
  }

  override chmodSync(path: string, mode: number): void {
    super.chmodSync(this.#at(path), mode);
  }

  #at(path: string): string {
    if (path === this.#root || path.startsWith(`${this.#root}/`)) return path;
    return path === '/' ? this.#root : this.#root + path;
  }

  #within(path: string): string {
    if (path === this.#root) return '/';
    return path.startsWith(`${this.#root}/`) ? path.slice(this.#root.length) : path;
  }
}
