import assert from 'node:assert/strict';
import test from 'node:test';
import { assessPlace, type DoctorAnswer } from '../../../../src/durable/doctor/assess-place.ts';
import { linuxPlace } from '../../../../src/durable/doctor/linux-place.ts';
import { reason } from '../../../../src/durable/doctor/reasons.ts';
import { fakeDisk, fakeSystem, joined, type FakeSystem } from './fake-system.ts';

const DISK = '/sys/devices/pci0000:00/nvme/nvme0/nvme0n1';
const ROOT = '1 0 259:0 / / rw,relatime - ext4 /dev/nvme0n1 rw';

/** What the doctor says of `/data` on a machine with these mounts. */
function answerFor(mounts: readonly string[], ...parts: readonly FakeSystem[]): DoctorAnswer {
  const text = { files: { '/proc/self/mountinfo': `${mounts.join('\n')}\n` } };
  return assessPlace(linuxPlace(fakeSystem(joined(text, ...parts)), '/data'));
}

function ids(answer: DoctorAnswer): string[] {
  return answer.reasons.map((one) => one.id);
}

function noteIds(answer: DoctorAnswer): string[] {
  return answer.notes.map((one) => one.id);
}

function promise(answer: DoctorAnswer, id: string): string | undefined {
  return answer.promises.find((one) => one.id === id)?.verdict;
}

/** An ext4 root on one NVMe drive, with these options in force. */
function ext4On(cache: 'write back' | 'write through', options: string): FakeSystem {
  return joined(fakeDisk('259:0', DISK, cache), {
    files: {
      '/proc/fs/ext4/nvme0n1/options': options,
      '/sys/fs/ext4/nvme0n1/errors_count': '0\n',
    },
  });
}

const ORDERED = 'rw\ndelalloc\nbarrier\nauto_da_alloc\ndata=ordered\ncommit=5\n';

test('ext4 with barriers on a drive that takes flushes keeps every promise', () => {
  const answer = answerFor([ROOT], ext4On('write back', ORDERED));
  assert.equal(answer.verdict, 'holds');
  assert.deepEqual(answer.model, { name: 'ext4', otherwise: null });
  assert.deepEqual(ids(answer), []);
  for (const judged of [...answer.claims, ...answer.policies, ...answer.promises]) {
    assert.equal(judged.verdict, 'holds', judged.id);
  }
});

test('barriers off break every promise about the disk, and none about the process', () => {
  const options = ORDERED.replace('barrier', 'nobarrier');
  const answer = answerFor([ROOT], ext4On('write back', options));
  assert.equal(answer.verdict, 'fails');
  assert.deepEqual(answer.model, { name: 'ext4+nobarrier', otherwise: null });
  for (const id of ['P1', 'P2', 'P3', 'P4', 'P5', 'P6']) assert.equal(promise(answer, id), 'fails');
  for (const id of ['P7', 'P8']) assert.equal(promise(answer, id), 'holds');
  for (const policy of answer.policies) assert.equal(policy.verdict, 'fails');
});

test('barriers off over a drive without a volatile cache are only a matter of trust', () => {
  const options = ORDERED.replace('barrier', 'nobarrier');
  const answer = answerFor([ROOT], ext4On('write through', options));
  assert.deepEqual(ids(answer), ['barriers-not-needed']);
  assert.deepEqual(answer.model, { name: 'ext4', otherwise: 'ext4+nobarrier' });
  assert.equal(answer.verdict, 'assumed');
});

test('barriers off on a device that cannot be seen count as broken', () => {
  const answer = answerFor(['1 0 8:1 / / rw - xfs /dev/sda1 rw,nobarrier']);
  assert.deepEqual(ids(answer), ['no-barrier', 'device-unseen']);
});

test('a drive whose flushes were switched off by hand breaks the promises', () => {
  const part = joined(ext4On('write through', ORDERED), {
    files: { [`${DISK}/cache_type`]: 'write back\n' },
  });
  const answer = answerFor([ROOT], part);
  assert.deepEqual(ids(answer), ['flush-switched-off']);
  assert.equal(answer.model.name, 'ext4+nobarrier');
});

test('a mapper that passes no flushes on breaks the promises', () => {
  const mapper = '/sys/devices/virtual/block/dm-0';
  const answer = answerFor(
    ['1 0 253:0 / / rw - xfs /dev/mapper/data rw'],
    fakeDisk('253:0', mapper, 'write through'),
    fakeDisk('259:0', DISK, 'write back'),
    { links: { [`${mapper}/slaves/nvme0n1`]: DISK } },
  );
  assert.deepEqual(ids(answer), ['flush-stopped']);
});

test('a drive without a volatile cache is believed, and the answer says so', () => {
  const answer = answerFor([ROOT], ext4On('write through', ORDERED));
  assert.equal(answer.verdict, 'holds');
  assert.ok(noteIds(answer).includes('no-volatile-cache'));
});

test('an ordinary disk in a virtual machine is not believed', () => {
  const cpu = { files: { '/proc/cpuinfo': 'flags\t\t: fpu sse2 hypervisor lahf_lm\n' } };
  const answer = answerFor([ROOT], ext4On('write back', ORDERED), cpu);
  assert.deepEqual(ids(answer), ['virtual-disk']);
  assert.deepEqual(answer.model, { name: 'ext4', otherwise: 'ext4+nobarrier' });
});

test('errors that ext4 recorded put everything in doubt', () => {
  const part = joined(ext4On('write back', ORDERED), {
    files: { '/sys/fs/ext4/nvme0n1/errors_count': '2\n' },
  });
  assert.deepEqual(ids(answerFor([ROOT], part)), ['recorded-errors']);
});

test('a journal that cannot be seen is not taken for one', () => {
  const answer = answerFor([ROOT], fakeDisk('259:0', DISK, 'write back'));
  assert.deepEqual(ids(answer), ['journal-unseen']);
  assert.deepEqual(answer.model, { name: 'ext4', otherwise: 'ext4-nojournal' });
});

test('file systems on servers, hosts and programs are only assumed', () => {
  const cases: [string, string, readonly string[]][] = [
    ['nfs4', 'rw,vers=4.2,hard', ['network']],
    ['cifs', 'rw,vers=3.1.1', ['network']],
    ['9p', 'rw,trans=virtio', ['host']],
    ['virtiofs', 'rw', ['host']],
    ['fuse.sshfs', 'rw,user_id=0', ['fuse']],
    ['fuseblk', 'rw', ['fuse']],
    ['zfs', 'rw,xattr', ['no-model']],
  ];
  for (const [type, options, expected] of cases) {
    const answer = answerFor([ROOT, `2 1 0:50 / /data rw - ${type} source ${options}`]);
    assert.deepEqual(ids(answer), expected, type);
    assert.equal(answer.verdict, 'assumed', type);
    assert.equal(answer.model.name, 'posix', type);
  }
});

test('a lock on a server is only assumed, a lock on a local disk holds', () => {
  const remote = answerFor([ROOT, '2 1 0:50 / /data rw - nfs4 s:/e rw,soft']);
  assert.equal(promise(remote, 'P8'), 'assumed');
  assert.ok(noteIds(remote).includes('network-soft'));
  const local = answerFor([ROOT, '2 1 0:50 / /data rw - tmpfs tmpfs rw']);
  assert.equal(promise(local, 'P8'), 'holds');
});

test('cifs with nostrictsync breaks the promises', () => {
  const answer = answerFor([ROOT, '2 1 0:50 / /data rw - cifs //s/e rw,nostrictsync']);
  assert.deepEqual(ids(answer), ['no-strict-sync', 'network']);
  assert.equal(answer.model.name, 'posix+nobarrier');
});

test('a FAT file system does not rename in one step', () => {
  const answer = answerFor(
    [ROOT, '2 1 259:0 / /data rw - vfat /dev/nvme0n1 rw'],
    fakeDisk('259:0', DISK, 'write back'),
  );
  assert.equal(answer.model.name, 'posix+splitrename');
  const claim = (id: string): string | undefined =>
    answer.claims.find((one) => one.id === id)?.verdict;
  assert.equal(claim('renames'), 'fails');
  assert.equal(claim('bytes'), 'assumed');
  assert.equal(answer.verdict, 'fails');
});

test('memory keeps nothing, so nothing wrong comes back either', () => {
  const answer = answerFor([ROOT, '2 1 0:50 / /data rw - tmpfs tmpfs rw,size=1g']);
  assert.equal(answer.model.name, 'posix+volatile');
  for (const id of ['P1', 'P6']) assert.equal(promise(answer, id), 'fails');
  for (const id of ['P2', 'P3', 'P4', 'P5']) assert.equal(promise(answer, id), 'holds');
  for (const policy of answer.policies) assert.equal(policy.verdict, 'fails');
});

test('a file system on a disk in memory keeps nothing', () => {
  const zram = '/sys/devices/virtual/block/zram0';
  const answer = answerFor(
    ['1 0 252:0 / / rw - btrfs /dev/zram0 rw'],
    fakeDisk('252:0', zram, 'write through'),
  );
  assert.deepEqual(ids(answer), ['memory-device']);
  assert.equal(answer.model.name, 'btrfs+volatile');
});

test('the overlay of a container, whose upper layer is a path of the host, is only assumed', () => {
  const overlay =
    '1 0 0:40 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/var/lib/docker/x/diff,workdir=/w';
  const answer = answerFor([overlay], { files: { '/.dockerenv': '' } });
  assert.deepEqual(ids(answer), ['overlay-upper-hidden']);
  assert.deepEqual(answer.model, { name: 'posix', otherwise: 'posix+nobarrier' });
  assert.ok(noteIds(answer).includes('container-layer'));
});

test('a directory of the overlay that has the name of its upper layer is not taken for it', () => {
  const overlay = '1 0 0:40 / / rw - overlay overlay rw,lowerdir=/l,upperdir=/up,workdir=/w\n';
  const files = { '/proc/self/mountinfo': overlay, '/up/x': '' };
  const place = linuxPlace(fakeSystem({ files }), '/data');
  assert.equal(place.upper, null);
  assert.deepEqual(ids(assessPlace(place)), ['overlay-upper-hidden']);
});

test('both spellings of a volatile overlay are understood', () => {
  for (const option of ['volatile', 'fsync=volatile']) {
    const line = `2 1 0:40 / /data rw - overlay overlay rw,upperdir=/up,workdir=/w,${option}`;
    const answer = answerFor([ROOT, line], ext4On('write back', ORDERED), {
      files: { '/up/x': '' },
    });
    assert.deepEqual(ids(answer), ['overlay-volatile']);
    assert.equal(answer.model.name, 'ext4+volatile');
  }
});

test('an overlay without an upper layer can only be read', () => {
  const answer = answerFor([ROOT, '2 1 0:40 / /data ro - overlay overlay ro,lowerdir=/a:/b']);
  assert.deepEqual(ids(answer), []);
  assert.deepEqual(noteIds(answer), ['read-only']);
});

test('an image that cannot be seen is only assumed', () => {
  const path = '/sys/devices/virtual/block/loop0';
  const answer = answerFor(
    ['1 0 7:0 / / rw - xfs /dev/loop0 rw'],
    fakeDisk('7:0', path, 'write back', { 'loop/backing_file': '/gone.img (deleted)\n' }),
  );
  assert.deepEqual(ids(answer), ['image-unseen']);
});

test('an image that lies on itself does not hang the doctor', () => {
  const path = '/sys/devices/virtual/block/loop0';
  const answer = answerFor(
    ['1 0 7:0 / / rw - xfs /dev/loop0 rw'],
    fakeDisk('7:0', path, 'write back', { 'loop/backing_file': '/disk.img\n' }),
    { files: { '/disk.img': '' } },
  );
  assert.deepEqual(ids(answer), ['image-unseen']);
});

test('a mount table that does not reach the directory is said to be unseen', () => {
  const answer = answerFor(['4 3 0:21 / /proc rw - proc proc rw']);
  assert.deepEqual(ids(answer), ['mount-unseen']);
});

test('a platform that nobody described is only assumed', () => {
  const answer = assessPlace({ platform: 'other', directory: '/data', name: 'sunos' });
  assert.deepEqual(ids(answer), ['unknown-platform']);
  assert.equal(answer.verdict, 'assumed');
});

test('what fails comes first, and each reason comes once', () => {
  const place = linuxPlace(
    fakeSystem(
      joined(ext4On('write back', ORDERED), { files: { '/proc/self/mountinfo': `${ROOT}\n` } }),
    ),
    '/data',
  );
  const doubt = reason('flush-too-fast', 'too fast');
  const answer = assessPlace(place, [doubt, doubt, reason('memory', 'x')]);
  assert.deepEqual(ids(answer), ['memory', 'flush-too-fast']);
});
