/** What a repair before the mount says of a disk, with a shell in the place of e2fsck. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { diskProfile } from '../../../../src/lab/powercut/disk-profile.ts';
import { repairImage } from '../../../../src/lab/powercut/disk-tools.ts';

async function repaired(exitCode: number, line: string): Promise<string | null> {
  const script = `echo 'Pass 1: Checking inodes'; echo '${line}'; exit ${exitCode}`;
  const profile = { ...diskProfile('ext4-nojournal'), repair: ['/bin/sh', '-c', script] };
  return repairImage(profile, 'disk.img');
}

test('a disk is as good as its repair says', async () => {
  assert.equal(await repaired(0, ''), null);
  assert.equal(await repaired(1, 'Inode 26, i_blocks is 48, should be 40.  Fix? yes'), null);
  const failed = await repaired(4, 'Deleted inode 52 has zero dtime.  Fix? yes');
  assert.match(failed ?? '', /ended with exit code 4: Deleted inode 52/);
});

test('a repair that clears the extent in which a file ends has taken away what was durable', async () => {
  const said = await repaired(1, 'Inode 26, end of extent exceeds allowed value');
  assert.match(said ?? '', /takes data away: Inode 26/);
});
