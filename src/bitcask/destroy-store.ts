/**
 * Removes a store for good. The manifest becomes one of no files, then the files go, then the
 * manifest: data without a manifest would be taken for a store that has lost it.
 */

import { dirname, join } from 'node:path';

import { DurableDirectory } from '../durable/durable-directory.ts';
import { DirectoryLock } from '../durable/lock-file.ts';
import { replacePointer } from '../durable/pointer-file.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { errorCode } from '../vfs/errno.ts';
import { parseFileName } from './entry-format.ts';
import { MANIFEST_NAME, encodeManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';

const NOTHING: Manifest = { nextFile: 1, sequence: 0, clock: 0, files: [] };

/** A directory that cannot be removed, because something is in it or somebody else has done so. */
const STAYS: ReadonlySet<string | undefined> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EBUSY']);

/** See `EngineKind.destroy`. */
export async function destroyStore(directory: string, dispatch: SyncDispatch): Promise<void> {
  const { vfs } = dispatch;
  let lock: DirectoryLock;
  try {
    lock = await DirectoryLock.acquire(directory, { vfs });
  } catch (error) {
    // Nothing there: what was asked for holds.
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  const names = new DurableDirectory(dispatch);
  try {
    const entries = await vfs.readDirectory(directory);
    const ours = entries.map(({ name }) => name).filter((name) => parseFileName(name) !== null);
    if (entries.some(({ name }) => name === MANIFEST_NAME)) {
      await replacePointer(vfs, join(directory, MANIFEST_NAME), encodeManifest(NOTHING));
    }
    for (const name of ours) await vfs.unlink(join(directory, name));
    await dispatch.names(directory);
    await names.rm(join(directory, MANIFEST_NAME), { force: true });
  } finally {
    await lock.release();
  }
  try {
    await vfs.rmdir(directory);
  } catch (error) {
    // Something else is in it, and stays.
    if (!STAYS.has(errorCode(error))) throw error;
    return;
  }
  await dispatch.names(dirname(directory));
}
