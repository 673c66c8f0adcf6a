import assert from 'node:assert/strict';
import test from 'node:test';
import {
  deviceByNode,
  deviceByNumber,
  type BlockDevice,
} from '../../../../src/durable/doctor/block-device.ts';
import { fakeDisk, fakeSystem, joined, type FakeSystem } from './fake-system.ts';

function device(system: FakeSystem, number: string = '8:1'): BlockDevice {
  const found = deviceByNumber(fakeSystem(system), number);
  assert.ok(found !== null);
  return found;
}

const PCI = '/sys/devices/pci0000:00/0000:00:1f.2';

test('a partition has the cache of its disk', () => {
  const disk = `${PCI}/ata1/host0/block/sda`;
  const system = joined(
    fakeDisk('8:0', disk, 'write back', {
      'sda1/partition': '1\n',
      'device/vendor': 'ATA     \n',
      'device/model': 'Some SSD\n',
    }),
    { links: { '/sys/dev/block/8:1': `${disk}/sda1` } },
  );
  const seen = device(system);
  assert.equal(seen.name, 'sda');
  assert.equal(seen.writeCache, 'write back');
  assert.equal(seen.model, 'ATA Some SSD');
  assert.equal(seen.virtualBy, null);
  assert.equal(seen.rotational, false);
});

test('a mapper over two partitions shows both disks', () => {
  const first = `${PCI}/block/sda`;
  const second = `${PCI}/block/sdb`;
  const mapper = '/sys/devices/virtual/block/dm-0';
  const system = joined(
    fakeDisk('8:0', first, 'write back', { 'sda2/partition': '2\n' }),
    fakeDisk('8:16', second, 'write through'),
    fakeDisk('253:0', mapper, 'write back'),
    {
      links: {
        [`${mapper}/slaves/sda2`]: `${first}/sda2`,
        [`${mapper}/slaves/sdb`]: second,
      },
    },
  );
  const seen = device(system, '253:0');
  assert.equal(seen.kind, 'mapper');
  assert.deepEqual(
    seen.below.map(({ name, writeCache }) => [name, writeCache]),
    [
      ['sda', 'write back'],
      ['sdb', 'write through'],
    ],
  );
});

test('a device node is found by its name in /sys/class/block', () => {
  const mapper = '/sys/devices/virtual/block/dm-3';
  const system = joined(fakeDisk('253:3', mapper, 'write back'), {
    links: { '/dev/mapper/data': '/dev/dm-3' },
  });
  assert.equal(deviceByNode(fakeSystem(system), '/dev/mapper/data')?.name, 'dm-3');
  assert.equal(deviceByNode(fakeSystem(system), '/dev/nothing'), null);
});

test('a loop device names its image', () => {
  const path = '/sys/devices/virtual/block/loop3';
  const more = { 'loop/backing_file': '/srv/my image.img\n' };
  const seen = device(fakeDisk('7:3', path, 'write back', more), '7:3');
  assert.equal(seen.kind, 'loop');
  assert.equal(seen.backingFile, '/srv/my image.img');
});

test('who answers for a virtual disk is seen by its path or its model', () => {
  const cases: [string, Record<string, string>, string | null][] = [
    [`${PCI}/virtio1/block/vda`, { 'device/vendor': '0x1af4\n' }, 'virtio'],
    ['/sys/devices/vbd-768/block/xvda', {}, 'Xen'],
    ['/sys/devices/LNXSYSTM:00/VMBUS:01/uuid/host0/block/sda', {}, 'Hyper-V'],
    [
      `${PCI}/nvme/nvme0/nvme0n1`,
      { 'device/model': 'Amazon Elastic Block Store\n' },
      'Amazon Elastic Block Store',
    ],
    [
      `${PCI}/ata1/block/sda`,
      { 'device/vendor': 'QEMU\n', 'device/model': 'HARDDISK\n' },
      'QEMU HARDDISK',
    ],
    [`${PCI}/nvme/nvme0/nvme0n1`, { 'device/model': 'Samsung SSD 990 PRO\n' }, null],
  ];
  for (const [path, more, expected] of cases) {
    assert.equal(device(fakeDisk('8:1', path, 'write back', more)).virtualBy, expected, path);
  }
});

test('disks in memory and on other machines are told apart', () => {
  const kinds: [string, string][] = [
    ['/sys/devices/virtual/block/zram0', 'memory'],
    ['/sys/devices/virtual/block/ram1', 'memory'],
    ['/sys/devices/virtual/block/nbd0', 'network'],
    ['/sys/devices/platform/host3/session1/target3:0:0/3:0:0:1/block/sdc', 'network'],
    ['/sys/devices/virtual/block/md0', 'raid'],
    [`${PCI}/mmc0/block/mmcblk0`, 'disk'],
  ];
  for (const [path, kind] of kinds) {
    assert.equal(device(fakeDisk('8:1', path, 'write back')).kind, kind, path);
  }
});

test('what the drive itself says of its cache is read beside what the kernel acts on', () => {
  const path = `${PCI}/block/sda`;
  for (const [text, expected] of [
    ['write back', 'write back'],
    ['write back, no read (daft)', 'write back'],
    ['write through', 'write through'],
    ['none', 'write through'],
  ] as const) {
    const more = { 'device/scsi_disk/0:0:0:0/cache_type': `${text}\n` };
    const seen = device(fakeDisk('8:1', path, 'write through', more));
    assert.equal(seen.reportedCache, expected, text);
    assert.equal(seen.writeCache, 'write through');
  }
  const virtio = { cache_type: 'write back\n' };
  assert.equal(device(fakeDisk('8:1', path, 'write through', virtio)).reportedCache, 'write back');
});

test('devices that claim to lie on each other do not hang the doctor', () => {
  const a = '/sys/devices/virtual/block/dm-0';
  const system = joined(fakeDisk('253:0', a, 'write back'), { links: { [`${a}/slaves/dm-0`]: a } });
  assert.equal(device(system, '253:0').name, 'dm-0');
});

test('a number that /sys does not show is no device', () => {
  assert.equal(deviceByNumber(fakeSystem({}), '8:1'), null);
});
