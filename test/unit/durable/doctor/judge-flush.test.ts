import assert from 'node:assert/strict';
import test from 'node:test';
import { judgeMeasurement } from '../../../../src/durable/doctor/judge-flush.ts';
import { linuxPlace } from '../../../../src/durable/doctor/linux-place.ts';
import { macPlace } from '../../../../src/durable/doctor/foreign-place.ts';
import type { Measurement } from '../../../../src/durable/doctor/measure-syncs.ts';
import type { PlaceFacts } from '../../../../src/durable/doctor/place-facts.ts';
import { fakeDisk, fakeSystem, joined } from './fake-system.ts';

function figures(flushUs: number, namesRefused: string | null = null): Measurement {
  const method = { label: '', count: 9, slowUs: flushUs, refused: null };
  return {
    writeBytes: 4096,
    elapsedMs: 3000,
    rounds: 9,
    methods: [
      { ...method, id: 'overwrite-fdatasync', medianUs: flushUs },
      { ...method, id: 'create-directory-sync', medianUs: 1, refused: namesRefused },
    ],
  };
}

/** A directory on XFS on one disk. */
function onDisk(
  path: string,
  cache: 'write back' | 'write through',
  rotational: boolean,
): PlaceFacts {
  const more = { 'queue/rotational': rotational ? '1\n' : '0\n' };
  return linuxPlace(
    fakeSystem(
      joined(fakeDisk('8:0', path, cache, more), {
        files: { '/proc/self/mountinfo': '1 0 8:0 / / rw - xfs /dev/sda rw\n' },
      }),
    ),
    '/data',
  );
}

const SATA = '/sys/devices/pci0000:00/ata1/block/sda';
const VIRTIO = '/sys/devices/pci0000:00/virtio1/block/sda';

function doubts(facts: PlaceFacts, us: number): string[] {
  return judgeMeasurement(facts, figures(us)).map((one) => one.id);
}

test('a spinning disk cannot flush in less than part of a turn', () => {
  assert.deepEqual(doubts(onDisk(SATA, 'write back', true), 300), ['flush-too-fast']);
  assert.deepEqual(doubts(onDisk(SATA, 'write back', true), 8000), []);
});

test('a volatile cache of an SSD is not emptied in microseconds', () => {
  const [doubt] = judgeMeasurement(onDisk(SATA, 'write back', false), figures(20));
  assert.equal(doubt?.id, 'flush-too-fast');
  assert.equal(doubt.verdict, 'assumed', 'capacitors would explain it: doubt, not proof');
  assert.match(doubt.text, /20 µs.*sda.*capacitors/);
  assert.deepEqual(doubts(onDisk(SATA, 'write back', false), 900), []);
});

test('a drive without a volatile cache may be as fast as it likes', () => {
  assert.deepEqual(doubts(onDisk(SATA, 'write through', false), 12), []);
});

test('a virtual disk that calls itself spinning is not measured as one', () => {
  assert.deepEqual(doubts(onDisk(VIRTIO, 'write back', true), 400), []);
  assert.deepEqual(doubts(onDisk(VIRTIO, 'write back', true), 30), ['flush-too-fast']);
});

test('a full flush of macOS that takes no time was refused', () => {
  const place = macPlace('/x', '/dev/disk1 on / (apfs, local)\n', 'node');
  assert.deepEqual(doubts(place, 60), ['flush-too-fast']);
  assert.deepEqual(doubts(place, 4000), []);
});

test('a directory that cannot be synced leaves names to assumption', () => {
  const facts = onDisk(SATA, 'write back', false);
  const [doubt] = judgeMeasurement(facts, figures(900, 'EINVAL'));
  assert.equal(doubt?.id, 'no-directory-sync');
  assert.ok(!doubt.claims.includes('bytes'));
});
