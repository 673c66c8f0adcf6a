/** File systems that are full soon, for tests as root: in memory, and ext4 on a loop device. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { diskProfile } from '../../src/lab/powercut/disk-profile.ts';
import { Keeper } from '../../src/lab/powercut/keeper.ts';
import { makeWorkDirectory } from '../../src/lab/powercut/work-directory.ts';

/** Journal and tables of ext4. */
const EXT4_BYTES = 6 << 20;

/** A tmpfs of so many bytes over `directory`, for as long as `use` runs. */
export async function withSmallMemory(
  directory: string,
  bytes: number,
  use: () => Promise<void>,
): Promise<void> {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory]);
  try {
    await use();
  } finally {
    execFileSync('umount', ['-l', directory]);
  }
}

/**
 * An ext4 with room for so many bytes on a loop device, in a mount namespace of its own; all of it goes when `use` ends.
 */
export async function withSmallDisk(
  bytes: number,
  use: (path: string) => Promise<void>,
): Promise<void> {
  const work = makeWorkDirectory();
  const keeper = await Keeper.start(work);
  try {
    const image = join(work, 'image');
    const target = join(work, 'disk');
    writeFileSync(image, '');
    truncateSync(image, bytes + EXT4_BYTES);
    const [command = '', ...words] = diskProfile('ext4').format;
    execFileSync(command, [...words, '-m', '0', image]);
    mkdirSync(target);
    const source = await keeper.attachLoop(image);
    await keeper.mount({ source, target, type: 'ext4', flags: 0, data: '' });
    await use(keeper.outside(target));
  } finally {
    await keeper.close();
    rmSync(work, { recursive: true, force: true });
  }
}
