/**
 * Changes to names that become durable together: any number of creations, renames and removals,
 * then one sync for each directory they touched, in the order in which they were first touched. A
 * directory is opened before its first change, so that having no descriptor left refuses the change
 * instead of leaving it unsynced.
 *
 * Not here: bytes. A file whose bytes matter is synced before its name is changed.
 */

import { dirname } from 'node:path';

import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { renameOver, renameOverSync } from './atomic-rename.ts';
import type { RenameSystem } from './atomic-rename.ts';
import { wasRefused } from './change-outcome.ts';
import type { NameSync, SyncDispatch } from './sync-dispatch.ts';

/**
 * Runs `change` and then makes all names it changed durable. When it rejects, the changes that were
 * made stand and each may or may not outlive a power cut.
 */
export async function changeNames<T>(
  dispatch: SyncDispatch,
  change: (names: NameGroup) => Promise<T>,
  clock: Clock = systemClock,
): Promise<T> {
  const names = new NameGroup(dispatch, clock);
  try {
    const result = await change(names);
    await names.sync();
    return result;
  } finally {
    names.close();
  }
}

/** As `changeNames`, on the calling thread. */
export function changeNamesSync<T>(
  dispatch: SyncDispatch,
  change: (names: NameGroup) => T,
  clock: Clock = systemClock,
): T {
  const names = new NameGroup(dispatch, clock);
  try {
    const result = change(names);
    names.syncSync();
    return result;
  } finally {
    names.close();
  }
}

/** The changes of one group. Made by `changeNames`. */
export class NameGroup {
  readonly #dispatch: SyncDispatch;
  readonly #clock: Clock;
  readonly #touched = new Map<string, { readonly names: NameSync; readonly newFiles: string[] }>();
  #changed = false;

  constructor(dispatch: SyncDispatch, clock: Clock) {
    this.#dispatch = dispatch;
    this.#clock = clock;
  }

  /** True when a change of the group has been made, or may have been. */
  get changed(): boolean {
    return this.#changed;
  }

  /**
   * Announces a name in a directory that the caller is about to change by itself, such as a file it
   * makes.
   */
  async touch(path: string): Promise<void> {
    const directory = dirname(path);
    if (this.#touched.has(directory)) return;
    const names = await this.#dispatch.openNames(directory);
    this.#touched.set(directory, { names, newFiles: [] });
  }

  touchSync(path: string): void {
    const directory = dirname(path);
    if (this.#touched.has(directory)) return;
    const names = this.#dispatch.openNamesSync(directory);
    this.#touched.set(directory, { names, newFiles: [] });
  }

  /**
   * Says that the caller has changed a touched directory; that the file at `path`, if given, is new
   * there.
   */
  noteChange(newFile?: string): void {
    this.#changed = true;
    if (newFile !== undefined) this.#touched.get(dirname(newFile))?.newFiles.push(newFile);
  }

  async mkdir(path: string, mode?: number): Promise<void> {
    await this.touch(path);
    await this.#make(() => this.#dispatch.vfs.mkdir(path, mode));
  }

  mkdirSync(path: string, mode?: number): void {
    this.touchSync(path);
    this.#makeSync(() => this.#dispatch.vfs.mkdirSync(path, mode));
  }

  /**
   * `newFile` is false for a directory: it has no bytes that could carry its name where names
   * cannot be synced.
   */
  async rename(from: string, to: string, newFile: boolean = true): Promise<void> {
    // The destination first: a power cut between the two syncs may show both names, but never
    // neither.
    await this.touch(to);
    await this.touch(from);
    await this.#make(() => renameOver(this.#renameSystem, from, to, false));
    if (newFile) this.noteChange(to);
  }

  renameSync(from: string, to: string, newFile: boolean = true): void {
    this.touchSync(to);
    this.touchSync(from);
    this.#makeSync(() => renameOverSync(this.#renameSystem, from, to));
    if (newFile) this.noteChange(to);
  }

  async unlink(path: string): Promise<void> {
    await this.touch(path);
    await this.#make(() => this.#dispatch.vfs.unlink(path));
  }

  unlinkSync(path: string): void {
    this.touchSync(path);
    this.#makeSync(() => this.#dispatch.vfs.unlinkSync(path));
  }

  async rmdir(path: string): Promise<void> {
    await this.touch(path);
    await this.#make(() => this.#dispatch.vfs.rmdir(path));
  }

  rmdirSync(path: string): void {
    this.touchSync(path);
    this.#makeSync(() => this.#dispatch.vfs.rmdirSync(path));
  }

  /**
   * Syncs each touched directory once. Rejects at the first that fails; the later ones are not
   * synced then.
   */
  async sync(): Promise<void> {
    for (const { names, newFiles } of this.#touched.values()) await names.sync(newFiles);
  }

  syncSync(): void {
    for (const { names, newFiles } of this.#touched.values()) names.syncSync(newFiles);
  }

  close(): void {
    for (const { names } of this.#touched.values()) names.closeSync();
    this.#touched.clear();
  }

  async #make(change: () => Promise<void>): Promise<void> {
    try {
      await change();
      this.#changed = true;
    } catch (error) {
      if (!wasRefused(error)) this.#changed = true;
      throw error;
    }
  }

  #makeSync(change: () => void): void {
    try {
      change();
      this.#changed = true;
    } catch (error) {
      if (!wasRefused(error)) this.#changed = true;
      throw error;
    }
  }

  get #renameSystem(): RenameSystem {
    const { vfs, rules } = this.#dispatch;
    return { vfs, platform: rules.platform, clock: this.#clock };
  }
}
