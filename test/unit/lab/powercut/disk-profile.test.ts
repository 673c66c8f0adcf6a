import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UsageError } from '../../../../src/base/errors.ts';
import { diskProfile, mountArguments } from '../../../../src/lab/powercut/disk-profile.ts';

describe('disk profiles', () => {
  it('name the known ones when an unknown one is asked for', () => {
    assert.throws(
      () => diskProfile('ext5'),
      (error) =>
        error instanceof UsageError && /'ext5' \(known: ext4, .*btrfs\)/.test(error.message),
    );
  });

  it('give general mount options as bits and the rest as text', () => {
    const noatimeAndSync = 1024 | 16;
    assert.deepEqual(mountArguments('noatime,data=journal', '', 'rw,sync,commit=1'), {
      flags: noatimeAndSync,
      data: 'data=journal,commit=1',
    });
  });

  it('refuse a disk that no program could change', () => {
    assert.throws(() => mountArguments('ro'), UsageError);
  });
});
