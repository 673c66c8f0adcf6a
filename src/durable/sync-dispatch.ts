/**
 * The one place that makes something durable. Callers say what they need ("these bytes", "this
 * name", "this new chain of directories", "this before that"), the table in `sync-table` says which
 * call that is here, and the dispatch makes it. No other module of the store calls `sync` or
 * `datasync`.
 *
 * A failed sync is never repeated here: on Linux the pages are marked clean and a second sync
 * succeeds without having written them. What a failure means is for the caller to say.
 */

import { dirname } from 'node:path';

import { errorCode } from '../vfs/errno.ts';
import type { Vfs, VfsDirectory, VfsFile } from '../vfs/vfs.ts';
import { currentSyncRules } from './sync-table.ts';
import type { SyncRules } from './sync-table.ts';

/**
 * A directory whose file system has no way to sync it answers with one of these, and never does so
 * for data that could not be written (that is EIO, ENOSPC, EDQUOT). Its names then last by
 * assumption, as on Windows.
 * @see https://github.com/facebook/rocksdb/issues/2929 and
 *   https://github.com/libgit2/libgit2/issues/5356
 */
const NO_DIRECTORY_SYNC: ReadonlySet<string | undefined> = new Set([
  'EINVAL',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
]);

/**
 * Makes things durable on one `Vfs`, with the calls that the rules name. Stateless: share or make
 * anew.
 */
export class SyncDispatch {
  readonly vfs: Vfs;
  readonly rules: SyncRules;

  constructor(vfs: Vfs, rules: SyncRules = currentSyncRules()) {
    this.vfs = vfs;
    this.rules = rules;
  }

  /**
   * These bytes: on return, every write and size change of `file` that returned before the call is
   * on stable storage. Not its permissions, not its name.
   */
  bytes(file: VfsFile): Promise<void> {
    return this.rules.bytes.call === 'datasync' ? file.datasync() : file.sync();
  }

  bytesSync(file: VfsFile): void {
    if (this.rules.bytes.call === 'datasync') file.datasyncSync();
    else file.syncSync();
  }

  /** This whole file: as `bytes`, and its permission bits and owner. Not its name. */
  file(file: VfsFile): Promise<void> {
    return file.sync();
  }

  fileSync(file: VfsFile): void {
    file.syncSync();
  }

  /**
   * For `OpenOptions.sync`: `'data'` where a write to a file opened so is durable when it returns,
   * undefined where it is not and `bytes` must follow each write.
   */
  get durableWriteFlag(): 'data' | undefined {
    return this.rules.durableWrites.call === 'open-flag' ? 'data' : undefined;
  }

  /**
   * Prepares to sync the names in `directory`: takes the descriptor before the change is made, so
   * that having none left (EMFILE), or no right to the directory, refuses the change instead of
   * leaving its outcome open.
   */
  async openNames(directory: string): Promise<NameSync> {
    return new NameSync(this, this.#syncsNames ? await this.vfs.openDirectory(directory) : null);
  }

  openNamesSync(directory: string): NameSync {
    return new NameSync(this, this.#syncsNames ? this.vfs.openDirectorySync(directory) : null);
  }

  /**
   * These names: on return, every name created, renamed or removed in `directory` before the call
   * lasts. `newFiles` are the paths among them that are files; only platforms without a directory
   * sync use them.
   */
  async names(directory: string, newFiles: readonly string[] = []): Promise<void> {
    const names = await this.openNames(directory);
    try {
      await names.sync(newFiles);
    } finally {
      await names.close();
    }
  }

  namesSync(directory: string, newFiles: readonly string[] = []): void {
    const names = this.openNamesSync(directory);
    try {
      names.syncSync(newFiles);
    } finally {
      names.closeSync();
    }
  }

  /**
   * This new directory: on return its name lasts in its parent. A chain is made and synced top
   * down.
   */
  async newDirectory(path: string): Promise<void> {
    if (this.rules.newDirectory.call === 'directory-sync') await this.names(dirname(path));
  }

  newDirectorySync(path: string): void {
    if (this.rules.newDirectory.call === 'directory-sync') this.namesSync(dirname(path));
  }

  /**
   * This before that: runs the steps one after the other and stops at the first that fails. No call
   * of any platform orders two files; only a sync of the first that has returned before the second
   * begins does.
   */
  async inOrder(...steps: readonly (() => Promise<void>)[]): Promise<void> {
    for (const step of steps) await step();
  }

  get #syncsNames(): boolean {
    return this.rules.names.call === 'directory-sync';
  }
}

/** The names of one directory, ready to be synced once. Close it in any case. */
export class NameSync {
  readonly #dispatch: SyncDispatch;
  /** Null where directories cannot be synced. */
  readonly #directory: VfsDirectory | null;

  constructor(dispatch: SyncDispatch, directory: VfsDirectory | null) {
    this.#dispatch = dispatch;
    this.#directory = directory;
  }

  /**
   * On return the names last. After a rejection each of them may or may not outlive a power cut.
   */
  async sync(newFiles: readonly string[]): Promise<void> {
    if (this.#directory === null) {
      for (const path of newFiles) await this.#flushNewFile(path);
      return;
    }
    try {
      await this.#directory.sync();
    } catch (error) {
      // The file system has no directory sync: nothing failed to be written, see NO_DIRECTORY_SYNC.
      if (!NO_DIRECTORY_SYNC.has(errorCode(error))) throw error;
    }
  }

  syncSync(newFiles: readonly string[]): void {
    if (this.#directory === null) {
      for (const path of newFiles) this.#flushNewFileSync(path);
      return;
    }
    try {
      this.#directory.syncSync();
    } catch (error) {
      // As in `sync`.
      if (!NO_DIRECTORY_SYNC.has(errorCode(error))) throw error;
    }
  }

  async close(): Promise<void> {
    try {
      await this.#directory?.close();
    } catch {
      // A directory's descriptor holds no unwritten bytes: its close has nothing to say about what
      // lasts.
    }
  }

  closeSync(): void {
    try {
      this.#directory?.closeSync();
    } catch {
      // As in `close`.
    }
  }

  /** FlushFileBuffers needs write access; a descriptor opened for reading fails with EPERM. */
  async #flushNewFile(path: string): Promise<void> {
    const file = await this.#dispatch.vfs.open(path, { write: true, noFollow: true });
    try {
      await this.#dispatch.file(file);
    } finally {
      await file.close();
    }
  }

  #flushNewFileSync(path: string): void {
    const file = this.#dispatch.vfs.openSync(path, { write: true, noFollow: true });
    try {
      this.#dispatch.fileSync(file);
    } finally {
      file.closeSync();
    }
  }
}
