/**
 * A backup that leaves nothing behind where it fails. Making the copy is the engine's; bringing one back is
 * `restore-store`.
 */

import type { BackupReport, ProgressOptions } from '../engine/engine-reports.ts';
import type { Engine } from '../engine/engine.ts';
import { errorCode } from '../vfs/errno.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { refuseInside } from './inside-store.ts';
import { removeUnfinished } from './restore-store.ts';
import { STORE_FILES } from './store-files.ts';

/**
 * As `Engine.backup`. When it rejects, also because `signal` was aborted, what was copied is removed again, and
 * the directory where it was made for it.
 * @throws (rejects) TypeError for an empty path; HOLDFAST_EXISTS; HOLDFAST_USAGE for a directory
 *   inside the store; what the engine throws
 */
export async function backupStore(
  engine: Engine,
  directory: string,
  options: ProgressOptions = {},
  vfs: Vfs = nodeVfs,
): Promise<BackupReport> {
  if (typeof directory !== 'string' || directory === '') {
    throw new TypeError("The first argument 'directory' must be a non-empty string");
  }
  const files = STORE_FILES.find(({ kind }) => kind.name === engine.name);
  if (files === undefined) return await engine.backup(directory, options);
  options.signal?.throwIfAborted();
  refuseInside(vfs, directory, engine.directory);
  // Without waiting: the copy is of the state of this call.
  const before = placeIn(vfs, directory);
  try {
    return await engine.backup(directory, options);
  } catch (error) {
    // Somebody else was faster, and what is there is theirs.
    const code = errorCode(error);
    const isTaken = code === 'HOLDFAST_EXISTS' || code === 'EEXIST';
    if (before === 'other' || isTaken) throw error;
    // What went wrong first is what counts: what cannot be removed stays, and is no store.
    await removeUnfinished(files, directory, vfs).catch(() => undefined);
    if (before === 'missing') await vfs.rmdir(directory).catch(() => undefined);
    throw error;
  }
}

/** What a directory is to a backup. */
function placeIn(vfs: Vfs, directory: string): 'missing' | 'empty' | 'other' {
  try {
    return vfs.readDirectorySync(directory).length === 0 ? 'empty' : 'other';
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? 'missing' : 'other';
  }
}
