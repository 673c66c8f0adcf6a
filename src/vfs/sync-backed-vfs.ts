/**
 * Bases for implementations whose blocking calls wait for nothing, because all is in memory: the
 * asynchronous form of each call is the blocking one behind a promise. Not for anything that may
 * touch a device.
 */

import type { DirectoryEntry, FileStat, OpenOptions, Vfs, VfsDirectory, VfsFile } from './vfs.ts';

/** A file whose asynchronous calls are its blocking ones. */
export abstract class SyncBackedFile implements VfsFile {
  abstract readonly path: string;
  abstract readSync(buffer: Uint8Array, offset: number, length: number, position: number): number;
  abstract writeSync(buffer: Uint8Array, offset: number, length: number, position: number): number;
  abstract truncateSync(size: number): void;
  abstract syncSync(): void;
  abstract datasyncSync(): void;
  abstract statSync(): FileStat;
  abstract chmodSync(mode: number): void;
  abstract chownSync(uid: number, gid: number): void;
  abstract closeSync(): void;

  async read(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<number> {
    return this.readSync(buffer, offset, length, position);
  }

  async write(
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): Promise<number> {
    return this.writeSync(buffer, offset, length, position);
  }

  async truncate(size: number): Promise<void> {
    this.truncateSync(size);
  }

  async sync(): Promise<void> {
    this.syncSync();
  }

  async datasync(): Promise<void> {
    this.datasyncSync();
  }

  async stat(): Promise<FileStat> {
    return this.statSync();
  }

  async chmod(mode: number): Promise<void> {
    this.chmodSync(mode);
  }

  async chown(uid: number, gid: number): Promise<void> {
    this.chownSync(uid, gid);
  }

  async close(): Promise<void> {
    this.closeSync();
  }
}

/** A directory whose asynchronous calls are its blocking ones. */
export abstract class SyncBackedDirectory implements VfsDirectory {
  abstract readonly path: string;
  abstract syncSync(): void;
  abstract closeSync(): void;

  async sync(): Promise<void> {
    this.syncSync();
  }

  async close(): Promise<void> {
    this.closeSync();
  }
}

/** A vfs whose asynchronous calls are its blocking ones. */
export abstract class SyncBackedVfs implements Vfs {
  abstract openSync(path: string, options: OpenOptions): VfsFile;
  abstract openDirectorySync(path: string): VfsDirectory;
  abstract mkdirSync(path: string, mode?: number): void;
  abstract readDirectorySync(path: string): DirectoryEntry[];
  abstract statSync(path: string): FileStat;
  abstract lstatSync(path: string): FileStat;
  abstract realpathSync(path: string): string;
  abstract readLinkSync(path: string): string;
  abstract symlinkSync(target: string, path: string): void;
  abstract linkSync(existingPath: string, newPath: string): void;
  abstract renameSync(from: string, to: string): void;
  abstract unlinkSync(path: string): void;
  abstract rmdirSync(path: string): void;
  abstract chmodSync(path: string, mode: number): void;

  async open(path: string, options: OpenOptions): Promise<VfsFile> {
    return this.openSync(path, options);
  }

  async openDirectory(path: string): Promise<VfsDirectory> {
    return this.openDirectorySync(path);
  }

  async mkdir(path: string, mode?: number): Promise<void> {
    this.mkdirSync(path, mode);
  }

  async readDirectory(path: string): Promise<DirectoryEntry[]> {
    return this.readDirectorySync(path);
  }

  async stat(path: string): Promise<FileStat> {
    return this.statSync(path);
  }

  async lstat(path: string): Promise<FileStat> {
    return this.lstatSync(path);
  }

  async realpath(path: string): Promise<string> {
    return this.realpathSync(path);
  }

  async readLink(path: string): Promise<string> {
    return this.readLinkSync(path);
  }

  async symlink(target: string, path: string): Promise<void> {
    this.symlinkSync(target, path);
  }

  async link(existingPath: string, newPath: string): Promise<void> {
    this.linkSync(existingPath, newPath);
  }

  async rename(from: string, to: string): Promise<void> {
    this.renameSync(from, to);
  }

  async unlink(path: string): Promise<void> {
    this.unlinkSync(path);
  }

  async rmdir(path: string): Promise<void> {
    this.rmdirSync(path);
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.chmodSync(path, mode);
  }
}
