/**
 * Litmus programs on the kernel: every tree that it leaves must be one that its model allows. A small run; the long
 * one is `npm run models:kernels`. Needs root and the rig's pieces; skipped with the reason where one is missing.
 */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { litmusOnKernel } from '../../src/lab/litmus/litmus-kernel.ts';
import { litmusProgram } from '../../src/lab/litmus/litmus-list.ts';
import { diskProfile, diskProfiles } from '../../src/lab/powercut/disk-profile.ts';
import { skipWithout } from '../support/powercut-needs.ts';

/** One of each kind: data against names, what a sync brings along, content. */
const PROGRAMS = ['rename-before-data', 'fsync-earlier-unrelated', 'append-subset'];
/** What only some file systems do: inodes given out at once, directories whose names come along. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  ext2: ['create-past-unlink', 'fsync-dir-other', 'move-fsync-source'],
  'ext4-nojournal': ['create-past-unlink', 'fsync-dir-other'],
  btrfs: ['rename-directory-fsync-it'],
};
const LIMITS = { runs: 2, seed: 1, subsetsMax: 32, tornMax: 8 };

for (const { name: fileSystem } of diskProfiles) {
  suite(`litmus programs on ${fileSystem}`, skipWithout(fileSystem), () => {
    for (const name of [...PROGRAMS, ...(MORE[fileSystem] ?? [])]) {
      test(`${name} leaves no tree that the model forbids`, async () => {
        const profile = diskProfile(fileSystem);
        const result = await litmusOnKernel(litmusProgram(name), { profile, ...LIMITS });
        assert.deepEqual(result.forbidden, []);
        assert.equal(result.damagedWhole, 0, 'without a torn write every disk can be mounted');
        assert.ok(result.images > 10, `${result.images} disks mounted`);
      });
    }
  });
}

suite('a model that is too strong', skipWithout('ext2', 'ext4'), () => {
  for (const name of ['create-past-unlink', 'fsync-dir-other']) {
    test(`is refuted by the kernel: ext2 is not what posix says in ${name}`, async () => {
      const profile = { ...diskProfile('ext2'), model: 'posix' };
      const { forbidden } = await litmusOnKernel(litmusProgram(name), { profile, ...LIMITS });
      assert.notDeepEqual(forbidden, []);
    });
  }

  test('is refuted by the kernel', async () => {
    const profile = { ...diskProfile('ext4'), model: 'prefix' };
    const result = await litmusOnKernel(litmusProgram('rename-before-data'), {
      profile,
      ...LIMITS,
    });
    assert.ok(result.forbidden.some(({ outcome }) => outcome === 'file empty'));
  });
});
