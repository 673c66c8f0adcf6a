/**
 * Whether a log gains by zeros written ahead of its records: where the file system overwrites blocks
 * in place, a commit into zeros changes no metadata; where it never does (btrfs, ZFS, APFS), zeros
 * are work for nothing.
 */

import { mountOfPath, parseMountInfo } from '../durable/doctor/mount-table.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import { readWholeFileSync } from '../vfs/transfer.ts';
import type { Vfs } from '../vfs/vfs.ts';

const OVERWRITE_IN_PLACE: ReadonlySet<string> = new Set(['ext2', 'ext3', 'ext4', 'xfs']);

/** Whether files in `directory` gain. False where that cannot be told. */
export function gainsByPreallocation(
  vfs: Vfs,
  directory: string,
  platform: string = process.platform,
): boolean {
  if (vfs !== nodeVfs || platform !== 'linux') return false;
  try {
    // From the kernel's memory: no device is waited for.
    const text = new TextDecoder().decode(readWholeFileSync(vfs, '/proc/self/mountinfo'));
    const mount = mountOfPath(parseMountInfo(text), vfs.realpathSync(directory));
    return mount !== null && OVERWRITE_IN_PLACE.has(mount.fileSystem);
  } catch {
    // Without /proc nothing is known of the file system, and a log needs no zeros.
    return false;
  }
}
