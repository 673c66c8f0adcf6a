/**
 * Who owns an LSM store: the lock of Holdfast, and a look for that of LevelDB, which programs like
 * `classic-level` hold on the file `LOCK` while they have the directory open. The look is possible
 * on Linux only, and one way: they do not see our lock.
 */

import { join } from 'node:path';

import { HoldfastError } from '../base/errors.ts';
import { DirectoryLock } from '../durable/lock-file.ts';
import { errorCode } from '../vfs/errno.ts';
import { readWholeFile } from '../vfs/transfer.ts';
import type { FileStat, Vfs } from '../vfs/vfs.ts';

/** Locks of all processes of this process namespace, a line each. */
const LOCK_LIST = '/proc/locks';
/**
 * A lock that is held (one that waits has `->` behind its number): process, device, inode.
 * @see https://man7.org/linux/man-pages/man5/proc_locks.5.html
 */
const LOCK_LINE = /^\d+: \S+ +\S+ +WRITE (-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /;

/**
 * Takes the lock of a directory that exists.
 * @throws HOLDFAST_LOCKED, also when a LevelDB program has the directory open; as `DirectoryLock`
 */
export async function acquireStoreLock(directory: string, vfs: Vfs): Promise<DirectoryLock> {
  const lock = await DirectoryLock.acquire(directory, { vfs });
  try {
    const path = join(directory, 'LOCK');
    const owner = await levelDbOwner(vfs, path);
    if (owner === null) return lock;
    throw new HoldfastError(
      'HOLDFAST_LOCKED',
      `${path}: the directory is in use by process ${owner}, which locks it as LevelDB does ` +
        '(classic-level, for example); close it there, or end that process',
    );
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** The process that locks LevelDB's lock file; null when none does, or none can be seen. */
async function levelDbOwner(vfs: Vfs, path: string): Promise<string | null> {
  let stat: FileStat;
  try {
    stat = await vfs.stat(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
  for (const line of (await lockList(vfs)).split('\n')) {
    const [, owner = '', major = '', minor = '', inode = ''] = LOCK_LINE.exec(line) ?? [];
    if (inode === String(stat.inode) && isDevice(stat.device, major, minor)) return owner;
  }
  return null;
}

async function lockList(vfs: Vfs): Promise<string> {
  try {
    return new TextDecoder().decode(await readWholeFile(vfs, LOCK_LIST));
  } catch (error) {
    // Another system, or a process that may not see it.
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM') return '';
    throw error;
  }
}

/**
 * Whether a device number is the one of the list. Devices without a disk of their own (major 0)
 * have one number there and another for `stat` on btrfs and overlays: the inode has to do.
 * @see https://man7.org/linux/man-pages/man3/makedev.3.html
 */
function isDevice(device: bigint, major: string, minor: string): boolean {
  const ourMajor = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const ourMinor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  if (BigInt(`0x${major}`) !== ourMajor) return false;
  return ourMajor === 0n || BigInt(`0x${minor}`) === ourMinor;
}
