import assert from 'node:assert/strict';
import test from 'node:test';
import {
  mountOfPath,
  optionValue,
  parseMountInfo,
  type Mount,
} from '../../../../src/durable/doctor/mount-table.ts';

test('every field of a line is read, however many optional fields stand before the dash', () => {
  for (const optional of ['', 'shared:1 ', 'shared:7 master:2 propagate_from:3 ']) {
    const text = `36 35 98:0 /mnt1 /mnt2 rw,noatime ${optional}- ext3 /dev/root rw,errors=continue\n`;
    assert.deepEqual(parseMountInfo(text), [
      {
        id: 36,
        parentId: 35,
        device: '98:0',
        root: '/mnt1',
        mountPoint: '/mnt2',
        options: ['rw', 'noatime'],
        fileSystem: 'ext3',
        source: '/dev/root',
        superOptions: ['rw', 'errors=continue'],
      },
    ]);
  }
});

test('escapes in paths, sources and options are undone', () => {
  const text =
    '40 27 0:40 / /mnt/a\\040b\\011c\\134d rw - overlay over\\040lay rw,upperdir=/u\\054v,workdir=/w';
  const [mount] = parseMountInfo(text);
  assert.equal(mount?.mountPoint, '/mnt/a b\tc\\d');
  assert.equal(mount.source, 'over lay');
  assert.equal(optionValue(mount.superOptions, 'upperdir'), '/u,v');
  assert.equal(optionValue(mount.superOptions, 'workdir'), '/w');
  assert.equal(optionValue(mount.superOptions, 'dir'), null);
});

test('an option is not mistaken for a longer one that begins with its name', () => {
  assert.equal(optionValue(['commitment=9', 'commit', 'commit=30'], 'commit'), '30');
  assert.equal(optionValue(['commitment=9', 'commit'], 'commit'), null);
});

test('an escaped backslash before digits is not taken for an escape', () => {
  const [mount] = parseMountInfo('1 0 8:1 / /a\\134040b rw - ext4 /dev/sda1 rw');
  assert.equal(mount?.mountPoint, '/a\\040b');
});

test('lines in another form are left out', () => {
  assert.deepEqual(parseMountInfo('\nnonsense\n1 2 3:4 /\n - ext4 x rw\n'), []);
});

function mountAt(id: number, parentId: number, mountPoint: string): Mount {
  return {
    id,
    parentId,
    device: '8:1',
    root: '/',
    mountPoint,
    options: ['rw'],
    fileSystem: 'ext4',
    source: '/dev/sda1',
    superOptions: ['rw'],
  };
}

/** The id of the mount that a path is on. */
function idOf(mounts: readonly Mount[], path: string): number | undefined {
  return mountOfPath(mounts, path)?.id;
}

test('a path is on the deepest mount above it, and a similar name is not above it', () => {
  const mounts = [mountAt(1, 0, '/'), mountAt(2, 1, '/srv'), mountAt(3, 2, '/srv/me')];
  assert.equal(idOf(mounts, '/'), 1);
  assert.equal(idOf(mounts, '/srvs'), 1);
  assert.equal(idOf(mounts, '/srv'), 2);
  assert.equal(idOf(mounts, '/srv/me/x'), 3);
  assert.equal(idOf(mounts, '/srv/mean'), 2);
});

test('of stacked mounts the topmost counts', () => {
  const mounts = [
    mountAt(1, 0, '/'),
    mountAt(2, 1, '/a'),
    mountAt(5, 2, '/a'),
    mountAt(9, 5, '/a'),
  ];
  assert.equal(idOf(mounts, '/a/b'), 9);
});

test('a mount that a later mount on its parent hides does not count', () => {
  // 2 is mounted on /a/b of the root; then 3 is mounted on /a and hides it.
  const mounts = [mountAt(1, 0, '/'), mountAt(2, 1, '/a/b'), mountAt(3, 1, '/a')];
  assert.equal(idOf(mounts, '/a/b'), 3);
});

test('a second root mounted over the first is the root', () => {
  const mounts = [mountAt(1, 1, '/'), mountAt(2, 1, '/'), mountAt(3, 1, '/a'), mountAt(4, 2, '/b')];
  assert.equal(idOf(mounts, '/a'), 2);
  assert.equal(idOf(mounts, '/b'), 4);
});

test('without a root mount, as in a chroot, the answer is that nothing is known', () => {
  assert.equal(mountOfPath([mountAt(4, 3, '/proc')], '/data'), null);
});
