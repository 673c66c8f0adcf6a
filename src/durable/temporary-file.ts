/**
 * Temporary files beside the file that they will become: names that say who made them, creation
 * that never follows or reuses what is there, and the sweep of what dead processes have left. Not
 * here: who counts as dead, which is `temporary-file-owner`.
 *
 * A name is `.holdfast-WORLD-HOST-PID-START-NONCE.tmp`. It does not hold the target's name, which
 * may be as long as a name can be, and it does not end like the target, so that no pattern picks it
 * up.
 */

import { errorCode } from '../vfs/errno.ts';
import type { DirectoryEntry, OpenOptions, Vfs, VfsFile } from '../vfs/vfs.ts';
import { inDirectory } from './directory-path.ts';
import type { FileOwner, OwnerJudge } from './temporary-file-owner.ts';

const NAME = /^\.holdfast-([0-9a-f]{16})-([0-9a-f]{16}|0)-(\d{1,10})-(\d{1,20})-[0-9a-f]{16}\.tmp$/;

/**
 * A random name of 64 bits is taken once in a lifetime by chance; more often by somebody who wants
 * to.
 */
const NAME_ATTEMPTS = 3;

const NEW_FILE: OpenOptions = { write: true, create: true, exclusive: true, noFollow: true };

/** The path of a new temporary file of `owner` in `directory`. `nonce` is 16 hexadecimal digits. */
export function temporaryPath(directory: string, owner: FileOwner, nonce: string): string {
  const { world, host, processId, start } = owner;
  return inDirectory(directory, `.holdfast-${world}-${host}-${processId}-${start}-${nonce}.tmp`);
}

/** Who made the temporary file of this name; null for a name that is not one of ours. */
export function temporaryFileOwner(name: string): FileOwner | null {
  const match = NAME.exec(name);
  if (match === null) return null;
  const [, world = '', host = '', processId = '', start = ''] = match;
  return { world, host, processId: Number(processId), start };
}

/**
 * Makes a new, empty file with a random name in `directory` and opens it for writing. Nothing that
 * has the name already, link or not, is opened. A crash may leave it behind: the next sweep takes
 * it.
 * @throws the operating system's error
 */
export async function createTemporaryFile(
  vfs: Vfs,
  directory: string,
  owner: FileOwner,
  mode: number,
  nonce: () => string,
): Promise<VfsFile> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await vfs.open(temporaryPath(directory, owner, nonce()), { ...NEW_FILE, mode });
    } catch (error) {
      // Somebody has that name: another one, unless somebody has them all.
      if (errorCode(error) !== 'EEXIST' || attempt === NAME_ATTEMPTS) throw error;
    }
  }
}

/** As `createTemporaryFile`, on the calling thread. */
export function createTemporaryFileSync(
  vfs: Vfs,
  directory: string,
  owner: FileOwner,
  mode: number,
  nonce: () => string,
): VfsFile {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return vfs.openSync(temporaryPath(directory, owner, nonce()), { ...NEW_FILE, mode });
    } catch (error) {
      // As in `createTemporaryFile`.
      if (errorCode(error) !== 'EEXIST' || attempt === NAME_ATTEMPTS) throw error;
    }
  }
}

/**
 * Deletes the temporary files that dead processes have left in `directory`, and never one of a
 * process that may be alive. Resolves to the number deleted, and never rejects: tidying is not what
 * the caller asked for, and what is wrong with the directory the caller's own call will say. A file
 * that stays is swept another time.
 */
export async function sweepTemporaryFiles(
  vfs: Vfs,
  directory: string,
  judge: OwnerJudge,
): Promise<number> {
  let swept = 0;
  try {
    for (const path of abandoned(directory, await vfs.readDirectory(directory), judge)) {
      await vfs.unlink(path).then(
        () => (swept += 1),
        // Another sweeper was first, or it is not ours to delete (a directory with the sticky bit).
        () => undefined,
      );
    }
  } catch {
    // The directory cannot be read: nothing to sweep.
  }
  return swept;
}

/** As `sweepTemporaryFiles`, on the calling thread. */
export function sweepTemporaryFilesSync(vfs: Vfs, directory: string, judge: OwnerJudge): number {
  let swept = 0;
  try {
    for (const path of abandoned(directory, vfs.readDirectorySync(directory), judge)) {
      try {
        vfs.unlinkSync(path);
        swept += 1;
      } catch {
        // As in `sweepTemporaryFiles`.
      }
    }
  } catch {
    // As in `sweepTemporaryFiles`.
  }
  return swept;
}

function abandoned(
  directory: string,
  entries: readonly DirectoryEntry[],
  judge: OwnerJudge,
): readonly string[] {
  return entries
    .filter(({ name, kind }) => {
      const owner = kind === 'file' ? temporaryFileOwner(name) : null;
      return owner !== null && judge.isDead(owner);
    })
    .map(({ name }) => inDirectory(directory, name));
}
