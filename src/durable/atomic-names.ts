/**
 * One directory sync for many replacements: renames that wait for a sync of the same directory at
 * the same moment share the next one, which begins after all of them. A sync that is already
 * running is never taken for one's own: it may have begun before the rename.
 *
 * All users of a directory share one descriptor. Linux reports a failed write-back once for a
 * descriptor, so a later success on it would hide the failure from those who had already renamed:
 * after one failure everybody on the descriptor is refused, and the next user gets a new one.
 */

import { assert } from '../base/assert.ts';
import type { NameSync, SyncDispatch } from './sync-dispatch.ts';

/** The directories in which replacements are under way. */
export class SharedNames {
  readonly #dispatch: SyncDispatch;
  readonly #open = new Map<string, DirectoryNames>();

  constructor(dispatch: SyncDispatch) {
    this.#dispatch = dispatch;
  }

  /**
   * To be called before the rename, so that a missing right or descriptor refuses it; `release`
   * afterwards.
   * @throws the operating system's error when the directory cannot be opened
   */
  acquire(directory: string): DirectoryNames {
    const identity = this.#identityOf(directory);
    const shared = this.#open.get(directory);
    // The path may have come to name another directory since: its syncs are no use to us.
    if (shared !== undefined && !shared.failed && shared.identity === identity) {
      shared.users += 1;
      return shared;
    }
    const opened = this.#dispatch.openNamesSync(directory);
    const names = new DirectoryNames(directory, identity, opened);
    this.#open.set(directory, names);
    return names;
  }

  #identityOf(directory: string): string {
    const { device, inode } = this.#dispatch.vfs.statSync(directory);
    return `${device}:${inode}`;
  }

  release(names: DirectoryNames): void {
    assert(names.users > 0, 'names are released once for each acquire');
    names.users -= 1;
    if (names.users > 0) return;
    names.close();
    if (this.#open.get(names.directory) === names) this.#open.delete(names.directory);
  }
}

/** The names of one directory, shared by its users. */
export class DirectoryNames {
  readonly directory: string;
  /** Device and inode. */
  readonly identity: string;
  users = 1;
  readonly #names: NameSync;
  #running: Promise<void> | null = null;
  /** The sync that begins when the running one ends, and the new files that it is for. */
  #next: { readonly done: Promise<void>; readonly files: string[] } | null = null;
  #failure: { readonly error: unknown } | null = null;

  constructor(directory: string, identity: string, names: NameSync) {
    this.directory = directory;
    this.identity = identity;
    this.#names = names;
  }

  get failed(): boolean {
    return this.#failure !== null;
  }

  /**
   * On return the names made in the directory before the call last, `newFile` among them. After a
   * rejection each of them may or may not outlive a power cut.
   */
  sync(newFile: string): Promise<void> {
    if (this.#failure !== null) return Promise.reject(this.#failure.error);
    if (this.#running === null) return this.#start([newFile]);
    if (this.#next === null) {
      const files: string[] = [];
      const done = this.#running.then(() => {
        this.#next = null;
        return this.#start(files);
      });
      this.#next = { done, files };
    }
    this.#next.files.push(newFile);
    return this.#next.done;
  }

  close(): void {
    this.#names.closeSync();
  }

  async #start(files: readonly string[]): Promise<void> {
    const run = this.#names.sync(files);
    this.#running = run;
    try {
      await run;
    } catch (error) {
      this.#failure = { error };
      throw error;
    } finally {
      if (this.#running === run) this.#running = null;
    }
  }
}
