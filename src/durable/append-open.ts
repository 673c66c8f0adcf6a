/**
 * Opens the descriptors of an append file, all or none, and closes them. Not here: what goes
 * through them.
 */

import { dirname } from 'node:path';

import { FileChangeError } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';
import type { OpenOptions, VfsFile } from '../vfs/vfs.ts';
import type { SyncDispatch } from './sync-dispatch.ts';

/** See `AppendDescriptors`; `zeros` is what preallocation writes through. */
export interface AppendFiles {
  readonly calling: VfsFile;
  readonly pooled: VfsFile;
  readonly zeros: VfsFile | null;
}

const CREATE: OpenOptions = { write: true, create: true, exclusive: true, noFollow: true };

/** How each descriptor is opened, in order; the first one makes the file where it is made. */
function openings(dispatch: SyncDispatch, first: OpenOptions, withZeros: boolean): OpenOptions[] {
  const sync = dispatch.durableWriteFlag;
  const pooled: OpenOptions = sync === undefined ? { write: true } : { write: true, sync };
  return withZeros ? [first, pooled, { append: true }] : [first, pooled];
}

/**
 * Makes a file that must not exist and syncs its name.
 * @throws FileChangeError with outcome `'old'`: no new file is there; or `'unknown'`: the name
 *   could not be synced, it has been removed again, and a power cut may bring back an empty file
 */
export async function createFiles(
  dispatch: SyncDispatch,
  path: string,
  withZeros: boolean,
): Promise<AppendFiles> {
  const opened: VfsFile[] = [];
  try {
    const names = await dispatch.openNames(dirname(path));
    try {
      for (const options of openings(dispatch, CREATE, withZeros)) {
        opened.push(await dispatch.vfs.open(path, options));
      }
      await names.sync([path]);
    } finally {
      await names.close();
    }
    return toFiles(opened);
  } catch (error) {
    // Taken back as far as it got; the first error is the one to tell.
    await Promise.allSettled(opened.map((file) => file.close()));
    if (opened.length > 0) await dispatch.vfs.unlink(path).catch(() => 'nothing more to do');
    throw creationError(path, opened.length === (withZeros ? 3 : 2), error);
  }
}

/** As `createFiles`, on the calling thread. */
export function createFilesSync(
  dispatch: SyncDispatch,
  path: string,
  withZeros: boolean,
): AppendFiles {
  const opened: VfsFile[] = [];
  try {
    const names = dispatch.openNamesSync(dirname(path));
    try {
      for (const options of openings(dispatch, CREATE, withZeros)) {
        opened.push(dispatch.vfs.openSync(path, options));
      }
      names.syncSync([path]);
    } finally {
      names.closeSync();
    }
    return toFiles(opened);
  } catch (error) {
    // As in `createFiles`.
    closeAllSync(opened);
    if (opened.length > 0) quietly(() => dispatch.vfs.unlinkSync(path));
    throw creationError(path, opened.length === (withZeros ? 3 : 2), error);
  }
}

/**
 * Opens a file that is there, and cuts it durably to `length`. @throws TypeError when it is shorter
 */
export async function openFiles(
  dispatch: SyncDispatch,
  path: string,
  length: number,
  withZeros: boolean,
): Promise<AppendFiles> {
  const opened: VfsFile[] = [];
  try {
    for (const options of openings(dispatch, { write: true }, withZeros)) {
      opened.push(await dispatch.vfs.open(path, options));
    }
    const files = toFiles(opened);
    if (isLonger((await files.calling.stat()).size, length, path)) {
      await files.calling.truncate(length);
      await dispatch.bytes(files.calling);
    }
    return files;
  } catch (error) {
    // Nothing was written; whether the tail went, the next opener sees.
    await Promise.allSettled(opened.map((file) => file.close()));
    throw error;
  }
}

/** As `openFiles`, on the calling thread. */
export function openFilesSync(
  dispatch: SyncDispatch,
  path: string,
  length: number,
  withZeros: boolean,
): AppendFiles {
  const opened: VfsFile[] = [];
  try {
    for (const options of openings(dispatch, { write: true }, withZeros)) {
      opened.push(dispatch.vfs.openSync(path, options));
    }
    const files = toFiles(opened);
    if (isLonger(files.calling.statSync().size, length, path)) {
      files.calling.truncateSync(length);
      dispatch.bytesSync(files.calling);
    }
    return files;
  } catch (error) {
    // As in `openFiles`.
    closeAllSync(opened);
    throw error;
  }
}

/**
 * Closes all; calls under way end first. What a close could fail with is nobody's loss: all that
 * counts was synced before, or its callers know that it was not.
 */
export async function closeFiles(files: AppendFiles): Promise<void> {
  await Promise.allSettled(listOf(files).map((file) => file.close()));
}

/** As `closeFiles`. REQUIRES: no call is under way. */
export function closeFilesSync(files: AppendFiles): void {
  closeAllSync(listOf(files));
}

function listOf(files: AppendFiles): VfsFile[] {
  const { calling, pooled, zeros } = files;
  return zeros === null ? [calling, pooled] : [calling, pooled, zeros];
}

function toFiles(opened: readonly VfsFile[]): AppendFiles {
  const [calling, pooled, zeros = null] = opened;
  return { calling, pooled, zeros } as AppendFiles;
}

function isLonger(size: number, length: number, path: string): boolean {
  if (!Number.isSafeInteger(length) || length < 0) {
    throw new TypeError(`a length is a whole number of bytes, not ${length}`);
  }
  if (size < length) throw new TypeError(`${path} has ${size} bytes, fewer than ${length}`);
  return size > length;
}

function creationError(path: string, wasOpened: boolean, error: unknown): unknown {
  if (!(error instanceof Error) || errorCode(error) === undefined) return error;
  const outcome = wasOpened ? 'unknown' : 'old';
  return new FileChangeError('create', path, outcome, error as Error & { code: string });
}

function closeAllSync(files: readonly VfsFile[]): void {
  for (const file of files) quietly(() => file.closeSync());
}

function quietly(call: () => void): void {
  try {
    call();
  } catch {
    // See `closeFiles`; and a new file that cannot be removed again is empty.
  }
}
