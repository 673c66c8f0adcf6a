/**
 * Puts a backup, or any store that is not open, into another directory, durably. The file whose
 * name makes a directory a store is copied first and named last:
 *
 * 1. The backup is read whole and must be sound.
 * 2. The directory is made, or taken when it is empty, and locked.
 * 3. The key file is copied under another name, synced, and its name too. From here on opening the
 *    directory fails and says why.
 * 4. The other files are copied and synced, then their names.
 * 5. The key file gets its name, durably. From here on the store is there, whole.
 *
 * Not here: making backups, which is the engines'.
 */

import { basename, join } from 'node:path';

import { CorruptionError } from '../base/errors.ts';
import { copyFile } from '../durable/copied-file.ts';
import { DurableDirectory } from '../durable/durable-directory.ts';
import { makeEmptyDirectory, requireEmptyDirectory } from '../durable/empty-directory.ts';
import { DirectoryLock } from '../durable/lock-file.ts';
import { SyncDispatch } from '../durable/sync-dispatch.ts';
import type { EngineSurroundings } from '../engine/engine-kind.ts';
import type { BackupReport, ProgressOptions } from '../engine/engine-reports.ts';
import { UNFINISHED } from '../engine/unfinished-name.ts';
import { errorCode } from '../vfs/errno.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { refuseInside } from './inside-store.ts';
import { isNeutralName } from './store-files.ts';
import type { StoreFiles } from './store-files.ts';
import { storeAt, verifyStore } from './store-places.ts';

/** What `restoreStore` made. */
export interface RestoreReport extends BackupReport {
  /** The name of the store's engine. */
  readonly engine: string;
}

/**
 * Copies the store in `backup` to `directory`, which must be missing or empty. When it resolves the
 * copy is durable and can be opened. When it rejects, what was copied is removed again. After a
 * crash before it resolves, the directory holds no store, or all of it: there is no store as long as
 * a name that ends in `.restoring` is there, and opening it fails with `HOLDFAST_FOREIGN`.
 * @throws (rejects) `HOLDFAST_MISSING`: the backup is no store. `HOLDFAST_CORRUPTION`: it is damaged.
 *   `HOLDFAST_LOCKED`: it is open, or the directory is. `HOLDFAST_EXISTS`: the directory is not empty.
 */
export async function restoreStore(
  backup: string,
  directory: string,
  options: EngineSurroundings & ProgressOptions = {},
): Promise<RestoreReport> {
  const dispatch = options.dispatch ?? new SyncDispatch(nodeVfs);
  const { vfs } = dispatch;
  await requireEmptyDirectory(vfs, directory);
  const files = await storeAt(backup, { dispatch });
  refuseInside(vfs, directory, backup);
  await DirectoryLock.requireFree(backup, { vfs });
  await requireSound(backup, { ...options, dispatch });
  const made = await makeEmptyDirectory(dispatch, directory, options.clock);
  const lock = await DirectoryLock.acquire(directory, { vfs });
  try {
    await refuseCompany(vfs, directory);
    const copy = new StoreCopy(files, backup, directory, dispatch, options);
    try {
      const report = await copy.run();
      await lock.release();
      return report;
    } catch (error) {
      // What went wrong first is what counts: on a disk that fails, removing may fail as well.
      await removeUnfinished(files, directory, vfs).catch(() => undefined);
      throw error;
    }
  } catch (error) {
    await lock.release();
    // Nobody needs the directory that was made for it. Where it cannot be removed, it stays.
    if (made !== undefined) await vfs.rmdir(directory).catch(() => undefined);
    throw error;
  }
}

/** @throws HOLDFAST_CORRUPTION */
async function requireSound(
  backup: string,
  options: EngineSurroundings & ProgressOptions,
): Promise<void> {
  const { damage } = await verifyStore(backup, options);
  const [first] = damage;
  if (first === undefined) return;
  const more = damage.length === 1 ? '' : `, and ${damage.length - 1} more`;
  // Its message may begin with the place, which is told anyway.
  const place = `${first.path} is damaged at byte ${first.offset}: `;
  const { message } = first;
  const text = message.startsWith(place) ? message.slice(place.length) : message;
  throw new CorruptionError({
    path: first.path,
    offset: first.offset ?? 0,
    expected: 'a sound backup, and nothing was restored',
    found: `damage (${text})${more}`,
  });
}

/** Between the look and the lock somebody may have opened a store there. @throws HOLDFAST_EXISTS */
async function refuseCompany(vfs: Vfs, directory: string): Promise<void> {
  const others = (await vfs.readDirectory(directory)).filter(({ name }) => !isNeutralName(name));
  if (others.length > 0) await requireEmptyDirectory(vfs, directory);
}

/** Steps 3 to 5. */
class StoreCopy {
  readonly #files: StoreFiles;
  readonly #from: string;
  readonly #to: string;
  readonly #dispatch: SyncDispatch;
  readonly #options: EngineSurroundings & ProgressOptions;
  #bytes = 0;
  #total = 0;
  #count = 0;

  constructor(
    files: StoreFiles,
    from: string,
    to: string,
    dispatch: SyncDispatch,
    options: EngineSurroundings & ProgressOptions,
  ) {
    this.#files = files;
    this.#from = from;
    this.#to = to;
    this.#dispatch = dispatch;
    this.#options = options;
  }

  async run(): Promise<RestoreReport> {
    const { key, folders, kind } = this.#files;
    const { vfs } = this.#dispatch;
    const names = new DurableDirectory(this.#dispatch, this.#options.clock);
    const parts = await this.#parts();
    const unfinished = join(this.#to, key + UNFINISHED);
    await this.#copy(key, key + UNFINISHED);
    await this.#dispatch.names(this.#to, [unfinished]);
    for (const folder of folders) await vfs.mkdir(join(this.#to, folder));
    for (const part of parts) await this.#copy(part, part);
    for (const folder of folders) {
      const inside = parts.filter((part) => part !== basename(part));
      await this.#dispatch.names(join(this.#to, folder), this.#targets(inside));
    }
    await this.#dispatch.names(this.#to, this.#targets(parts));
    // Whoever opened the backup meanwhile may have changed files before or after they were copied.
    await DirectoryLock.requireFree(this.#from, { vfs });
    await names.rename(unfinished, join(this.#to, key));
    return { engine: kind.name, directory: this.#to, files: this.#count, bytes: this.#bytes };
  }

  /** The files beside the key file, as paths in the store. Counts the bytes of all. */
  async #parts(): Promise<string[]> {
    const { key, folders, isPart, pending } = this.#files;
    const { vfs } = this.#dispatch;
    const parts: string[] = [];
    const names = (await vfs.readDirectory(this.#from)).map(({ name }) => name);
    if (pending !== undefined && names.includes(pending)) {
      throw new CorruptionError({
        path: join(this.#from, pending),
        offset: 0,
        expected: 'a repair that came to its end: open the store once, or repair it again',
        found: 'one that was interrupted',
      });
    }
    const listed = await this.#list('');
    parts.push(...listed.filter((name) => name !== key && isPart(name)));
    for (const folder of folders) {
      const inside = (await this.#list(folder)).filter((name) => !isNeutralName(name));
      parts.push(...inside.map((name) => join(folder, name)));
    }
    for (const part of [key, ...parts]) {
      this.#total += (await vfs.stat(join(this.#from, part))).size;
    }
    return parts;
  }

  async #list(folder: string): Promise<string[]> {
    const entries = await this.#dispatch.vfs.readDirectory(join(this.#from, folder));
    return entries.filter(({ kind }) => kind === 'file').map(({ name }) => name);
  }

  async #copy(from: string, to: string): Promise<void> {
    const { onProgress, signal } = this.#options;
    signal?.throwIfAborted();
    await copyFile(this.#dispatch, join(this.#from, from), join(this.#to, to), (bytes) => {
      signal?.throwIfAborted();
      this.#bytes += bytes;
      const done = Math.min(this.#bytes, this.#total);
      onProgress?.({ phase: 'copying files', done, total: this.#total, unit: 'bytes' });
    });
    this.#count++;
  }

  #targets(parts: readonly string[]): string[] {
    return parts.map((part) => join(this.#to, part));
  }
}

/**
 * Removes what a copy has left that was not finished, a restored one or a backup, from a directory
 * that was empty before. Files that no copy makes stay. A store that is whole stays as well.
 */
export async function removeUnfinished(
  { key, folders, isOwn, isPart }: StoreFiles,
  directory: string,
  vfs: Vfs,
): Promise<void> {
  const present = await entriesOf(vfs, directory);
  if (present.some(({ name }) => name === key)) return;
  for (const { name, kind } of present) {
    if (kind === 'directory' && folders.includes(name)) {
      await removeFolder(vfs, join(directory, name));
    } else if (kind === 'file' && (isPart(name) || isOwn(name) || name === key + UNFINISHED)) {
      await vfs.unlink(join(directory, name));
    }
  }
}

async function removeFolder(vfs: Vfs, folder: string): Promise<void> {
  for (const { name } of await entriesOf(vfs, folder)) await vfs.unlink(join(folder, name));
  await vfs.rmdir(folder);
}

async function entriesOf(
  vfs: Vfs,
  directory: string,
): Promise<Awaited<ReturnType<Vfs['readDirectory']>>> {
  try {
    return await vfs.readDirectory(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
