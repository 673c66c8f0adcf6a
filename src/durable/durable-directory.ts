/**
 * Directory changes that last: make, rename, replace, remove, each followed by the right directory
 * sync. The file's bytes are never this module's concern, except in `replace`. Groups of changes
 * with one sync for each directory are `name-group`.
 *
 * What must be synced before what:
 * - `mkdir`: the directory's name in its parent, before anything is made in it. A chain is made top
 *   down, each name synced before the next directory is made, so that one that exists has a durable
 *   parent.
 * - `rename`: nothing before; afterwards the directory of the new name, then that of the old one.
 * - `replace`: the file's bytes before, because a rename may reach the disk first; then as
 *   `rename`.
 * - `rm`: nothing before; afterwards the directory of the name. What was inside goes with its
 *   directory.
 *
 * Every method rejects with a `FileChangeError`: the operating system's code, and the outcome
 * `'old'` when nothing was changed, `'unknown'` when something was and may or may not outlive a
 * power cut.
 */

import { dirname } from 'node:path';

import { systemClock } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { FileChangeError } from '../base/errors.ts';
import { errorCode, systemError } from '../vfs/errno.ts';
import type { FileKind, FileStat, Vfs } from '../vfs/vfs.ts';
import { explainFailure } from './change-outcome.ts';
import { inDirectory } from './directory-path.ts';
import { changeNames, changeNamesSync } from './name-group.ts';
import type { NameGroup } from './name-group.ts';
import type { SyncDispatch } from './sync-dispatch.ts';

export interface RemoveOptions {
  /** A directory with all that is in it. */
  readonly recursive?: boolean | undefined;
  /** Nothing there is no error: what was asked for holds, and is made to last. */
  readonly force?: boolean | undefined;
}

/**
 * A directory that this user may not read cannot be synced by them, and on a read-only one nothing
 * is pending.
 */
const NOT_OURS: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS']);

/** Directory changes on one `Vfs`. Stateless: share or make anew. */
export class DurableDirectory {
  readonly #dispatch: SyncDispatch;
  readonly #clock: Clock;

  constructor(dispatch: SyncDispatch, clock: Clock = systemClock) {
    this.#dispatch = dispatch;
    this.#clock = clock;
  }

  /** Makes one directory. On return its name lasts. If we crash before, it may be there or not. */
  mkdir(path: string, mode?: number): Promise<void> {
    return this.#change('making directory', path, (names) => names.mkdir(path, mode));
  }

  mkdirSync(path: string, mode?: number): void {
    this.#changeSync('making directory', path, (names) => names.mkdirSync(path, mode));
  }

  /**
   * Makes a directory and all that are missing above it. On return all their names last, also that
   * of the lowest one that was there already: a process that made it may have been killed before it
   * synced. Resolves to the topmost directory made, or undefined.
   */
  async mkdirAll(path: string, mode?: number): Promise<string | undefined> {
    let topmost: string | undefined;
    try {
      const missing: string[] = [];
      let existing = path;
      while (!isDirectory(await this.#statOrNull(existing), existing, path)) {
        missing.push(existing);
        existing = parentOf(existing, path);
      }
      for (const directory of await this.#named(existing)) {
        await this.#dispatch.newDirectory(directory).catch(unlessNotOurs);
      }
      for (const directory of missing.toReversed()) {
        if (await this.#mkdirUnlessThere(directory, mode)) topmost ??= directory;
      }
      return topmost;
    } catch (error) {
      throw explainChain(error, path, topmost !== undefined);
    }
  }

  mkdirAllSync(path: string, mode?: number): string | undefined {
    let topmost: string | undefined;
    try {
      const missing: string[] = [];
      let existing = path;
      while (!isDirectory(this.#statOrNullSync(existing), existing, path)) {
        missing.push(existing);
        existing = parentOf(existing, path);
      }
      for (const directory of this.#namedSync(existing)) this.#syncExisting(directory);
      for (const directory of missing.toReversed()) {
        if (this.#mkdirUnlessThereSync(directory, mode)) topmost ??= directory;
      }
      return topmost;
    } catch (error) {
      throw explainChain(error, path, topmost !== undefined);
    }
  }

  /**
   * Renames, over what has the new name. On return the new name lasts and the old one is gone for
   * good. If we crash before, the file has its old name, its new one or both. REQUIRES: bytes that
   * matter are synced.
   */
  rename(from: string, to: string): Promise<void> {
    return this.#change('renaming', from, async (names) => {
      const { kind } = await this.#vfs.lstat(from);
      await names.rename(from, to, kind === 'file');
    });
  }

  renameSync(from: string, to: string): void {
    this.#changeSync('renaming', from, (names) => {
      const { kind } = this.#vfs.lstatSync(from);
      names.renameSync(from, to, kind === 'file');
    });
  }

  /**
   * As `rename`, with the file's bytes and attributes synced before. On return the new name lasts
   * with them. A directory's content is not synced, a link has none.
   */
  replace(from: string, to: string): Promise<void> {
    return this.#change('renaming', from, async (names) => {
      const { kind } = await this.#vfs.lstat(from);
      if (kind === 'file') await this.#syncFile(from);
      await names.rename(from, to, kind === 'file');
    });
  }

  replaceSync(from: string, to: string): void {
    this.#changeSync('renaming', from, (names) => {
      const { kind } = this.#vfs.lstatSync(from);
      if (kind === 'file') this.#syncFileSync(from);
      names.renameSync(from, to, kind === 'file');
    });
  }

  /**
   * Removes a file, a link (not what it points to), or with `recursive` a directory. On return the
   * name is gone for good. If we crash before, or it rejects half-way, any part of a directory's
   * content may be gone.
   * @throws EISDIR for a directory without `recursive`
   */
  rm(path: string, { recursive, force }: RemoveOptions = {}): Promise<void> {
    return this.#change('removing', path, async (names) => {
      requireOwnName(this.#vfs, path);
      const found = force === true ? await this.#lstatOrNull(path) : await this.#vfs.lstat(path);
      if (found === null) {
        // The name may be gone only for now, when the one who removed it was killed before syncing.
        if ((await this.#lstatOrNull(dirname(path))) !== null) await names.touch(path);
      } else if (found.kind !== 'directory') {
        await names.unlink(path);
      } else {
        if (recursive !== true) throw systemError('EISDIR', 'rm', path);
        await names.touch(path);
        await this.#empty(path, names);
        await names.rmdir(path);
      }
    });
  }

  rmSync(path: string, { recursive, force }: RemoveOptions = {}): void {
    this.#changeSync('removing', path, (names) => {
      requireOwnName(this.#vfs, path);
      const found = force === true ? this.#lstatOrNullSync(path) : this.#vfs.lstatSync(path);
      if (found === null) {
        if (this.#lstatOrNullSync(dirname(path)) !== null) names.touchSync(path);
      } else if (found.kind !== 'directory') {
        names.unlinkSync(path);
      } else {
        if (recursive !== true) throw systemError('EISDIR', 'rm', path);
        names.touchSync(path);
        this.#emptySync(path, names);
        names.rmdirSync(path);
      }
    });
  }

  get #vfs(): Vfs {
    return this.#dispatch.vfs;
  }

  async #change(
    what: string,
    path: string,
    change: (names: NameGroup) => Promise<void>,
  ): Promise<void> {
    let group: NameGroup | undefined;
    try {
      await changeNames(
        this.#dispatch,
        (names) => {
          group = names;
          return change(names);
        },
        this.#clock,
      );
    } catch (error) {
      throw explainFailure(error, what, path, group?.changed === true ? 'unknown' : 'old');
    }
  }

  #changeSync(what: string, path: string, change: (names: NameGroup) => void): void {
    let group: NameGroup | undefined;
    try {
      changeNamesSync(
        this.#dispatch,
        (names) => {
          group = names;
          change(names);
        },
        this.#clock,
      );
    } catch (error) {
      throw explainFailure(error, what, path, group?.changed === true ? 'unknown' : 'old');
    }
  }

  /** Without syncs: all of it goes with the directory's own name. */
  async #empty(path: string, names: NameGroup): Promise<void> {
    for (const { name, kind } of await this.#vfs.readDirectory(path)) {
      const inside = inDirectory(path, name);
      names.noteChange();
      try {
        if (kind === 'directory') {
          await this.#empty(inside, names);
          await this.#vfs.rmdir(inside);
        } else {
          await this.#vfs.unlink(inside);
        }
      } catch (error) {
        unlessGone(error);
      }
    }
  }

  #emptySync(path: string, names: NameGroup): void {
    for (const { name, kind } of this.#vfs.readDirectorySync(path)) {
      const inside = inDirectory(path, name);
      names.noteChange();
      try {
        if (kind === 'directory') {
          this.#emptySync(inside, names);
          this.#vfs.rmdirSync(inside);
        } else {
          this.#vfs.unlinkSync(inside);
        }
      } catch (error) {
        unlessGone(error);
      }
    }
  }

  /** An existing directory by every name that leads to it here: behind a link it lasts only with its own. */
  async #named(path: string): Promise<string[]> {
    if (dirname(path) === path) return [];
    if (!isIndirect(path) && (await this.#vfs.lstat(path)).kind === 'directory') return [path];
    const real = await this.#vfs.realpath(path);
    return dirname(real) === real ? [path] : [path, real];
  }

  #namedSync(path: string): string[] {
    if (dirname(path) === path) return [];
    if (!isIndirect(path) && this.#vfs.lstatSync(path).kind === 'directory') return [path];
    const real = this.#vfs.realpathSync(path);
    return dirname(real) === real ? [path] : [path, real];
  }

  #syncExisting(directory: string): void {
    try {
      this.#dispatch.newDirectorySync(directory);
    } catch (error) {
      unlessNotOurs(error);
    }
  }

  /**
   * FlushFileBuffers needs write access; elsewhere reading is enough, and rights for it are more
   * common.
   */
  async #syncFile(path: string): Promise<void> {
    const file = await this.#vfs.open(path, this.#openForSync);
    try {
      await this.#dispatch.file(file);
    } finally {
      await file.close();
    }
  }

  #syncFileSync(path: string): void {
    const file = this.#vfs.openSync(path, this.#openForSync);
    try {
      this.#dispatch.fileSync(file);
    } finally {
      file.closeSync();
    }
  }

  get #openForSync(): { read?: boolean; write?: boolean; noFollow: boolean } {
    const windows = this.#dispatch.rules.platform === 'win32';
    return windows ? { write: true, noFollow: true } : { read: true, noFollow: true };
  }

  /** False when somebody else made it in the meantime; then its name is synced all the same. */
  async #mkdirUnlessThere(path: string, mode: number | undefined): Promise<boolean> {
    try {
      await this.mkdir(path, mode);
      return true;
    } catch (error) {
      const there = errorCode(error) === 'EEXIST' && (await this.#statOrNull(path));
      if (there === false || there?.kind !== 'directory') throw error;
      await this.#dispatch.newDirectory(path);
      return false;
    }
  }

  #mkdirUnlessThereSync(path: string, mode: number | undefined): boolean {
    try {
      this.mkdirSync(path, mode);
      return true;
    } catch (error) {
      const there = errorCode(error) === 'EEXIST' && this.#statOrNullSync(path);
      if (there === false || there?.kind !== 'directory') throw error;
      this.#dispatch.newDirectorySync(path);
      return false;
    }
  }

  #statOrNull(path: string): Promise<FileStat | null> {
    return this.#vfs.stat(path).catch(nullWhenMissing);
  }

  #statOrNullSync(path: string): FileStat | null {
    try {
      return this.#vfs.statSync(path);
    } catch (error) {
      return nullWhenMissing(error);
    }
  }

  #lstatOrNull(path: string): Promise<FileStat | null> {
    return this.#vfs.lstat(path).catch(nullWhenMissing);
  }

  #lstatOrNullSync(path: string): FileStat | null {
    try {
      return this.#vfs.lstatSync(path);
    } catch (error) {
      return nullWhenMissing(error);
    }
  }
}

function nullWhenMissing(error: unknown): null {
  if (errorCode(error) === 'ENOENT') return null;
  throw error;
}

function unlessGone(error: unknown): void {
  // Somebody else removed it first: what was wanted holds.
  if (errorCode(error) !== 'ENOENT') throw error;
}

function unlessNotOurs(error: unknown): void {
  // Who may not sync it has not made it, so it is as durable as whoever made it cared for.
  if (!NOT_OURS.has(errorCode(error))) throw error;
}

/**
 * As `mkdir -p`: something else in the way is EEXIST at the end of the path and ENOTDIR above it.
 */
function isDirectory(stat: FileStat | null, path: string, wanted: string): boolean {
  if (stat === null || stat.kind === 'directory') return stat !== null;
  throw systemError(path === wanted ? 'EEXIST' : 'ENOTDIR', 'mkdir', wanted);
}

/** What failed at one directory, told for the whole chain. */
function explainChain(error: unknown, path: string, made: boolean): unknown {
  const known = error instanceof FileChangeError;
  const unknown = made || (known && error.outcome === 'unknown');
  const cause = known ? error.cause : error;
  return explainFailure(cause, 'making directory', path, unknown ? 'unknown' : 'old');
}

function parentOf(path: string, wanted: string): string {
  const parent = dirname(path);
  if (parent === path) throw systemError('ENOENT', 'mkdir', wanted);
  return parent;
}

/**
 * A path that ends in a separator or a dot goes through a link, or names a directory by what is in it: emptying it
 * and then failing to remove it would destroy what nobody asked to remove.
 */
function requireOwnName(vfs: Vfs, path: string): void {
  if (isIndirect(path)) throw systemError('EINVAL', 'rm', path);
  const name = path.replace(/[\\/]+$/, '');
  if (name === path || name === '') return;
  const isLink = existingKind(vfs, name) === 'symlink';
  if (isLink) throw systemError('ENOTDIR', 'rm', path);
}

/** Whether a path ends in a dot or two, so that its last part is not the name of what it leads to. */
function isIndirect(path: string): boolean {
  return /(^|[\\/])\.{1,2}[\\/]*$/.test(path);
}

function existingKind(vfs: Vfs, path: string): FileKind | null {
  try {
    return vfs.lstatSync(path).kind;
  } catch {
    // Whatever is wrong with the path is told by the removal itself.
    return null;
  }
}
