import assert from 'node:assert/strict';
import test from 'node:test';
import { assessPlace } from '../../../../src/durable/doctor/assess-place.ts';
import { macPlace, windowsPlace } from '../../../../src/durable/doctor/foreign-place.ts';
import type { ForeignPlace } from '../../../../src/durable/doctor/place-facts.ts';

const MAC_MOUNTS = [
  '/dev/disk3s1s1 on / (apfs, sealed, local, read-only, journaled)',
  'devfs on /dev (devfs, local, nobrowse)',
  '/dev/disk3s5 on /System/Volumes/Data (apfs, local, journaled, nobrowse)',
  '//me@server/share on /Volumes/My Share (smbfs, nodev, nosuid, mounted by me)',
  '/dev/disk4s1 on /Volumes/STICK (msdos, local, nodev, nosuid, noowners)',
  '',
].join('\n');

function reasonsOf(place: ForeignPlace): string[] {
  return assessPlace(place).reasons.map((one) => one.id);
}

function volumeOf(path: string): ForeignPlace {
  return macPlace(path, MAC_MOUNTS, 'node');
}

test('on macOS the volume with the longest matching mount point counts', () => {
  assert.equal(volumeOf('/Users/me').fileSystem, 'apfs');
  assert.equal(volumeOf('/Volumes/My Share/x').fileSystem, 'smbfs');
  assert.equal(volumeOf('/Volumes/My Share/x').network, true);
  assert.equal(volumeOf('/Volumes/STICK').fileSystem, 'msdos');
  assert.equal(volumeOf('/Volumes/STICKY').fileSystem, 'apfs');
  assert.equal(macPlace('/Users/me', null, 'node').fileSystem, null);
});

test('APFS under Node is only inferred, with the weaker model named', () => {
  const answer = assessPlace(macPlace('/Users/me', MAC_MOUNTS, 'node'));
  assert.equal(answer.verdict, 'assumed');
  assert.deepEqual(answer.model, { name: 'apfs-fullfsync', otherwise: 'apfs-fsync' });
  assert.match(answer.reasons[0]?.text ?? '', /^Inferred/);
});

test('a runtime that calls plain fsync breaks the promises on macOS', () => {
  const answer = assessPlace(macPlace('/Users/me', MAC_MOUNTS, 'bun'));
  assert.equal(answer.verdict, 'fails');
  assert.equal(answer.model.name, 'apfs-fsync');
  assert.deepEqual(reasonsOf(macPlace('/Users/me', MAC_MOUNTS, 'deno')), ['mac-names']);
});

test('network and FAT volumes of macOS are told apart', () => {
  assert.deepEqual(reasonsOf(macPlace('/Volumes/My Share', MAC_MOUNTS, 'node')), ['network']);
  const stick = reasonsOf(macPlace('/Volumes/STICK', MAC_MOUNTS, 'node'));
  assert.deepEqual(stick, ['fat-rename', 'mac-fallback', 'mac-names']);
  const unknown = reasonsOf(macPlace('/Users/me', null, 'node'));
  assert.ok(unknown.includes('no-model'));
});

test('on Windows bytes hold and names are assumed', () => {
  const answer = assessPlace(windowsPlace('C:\\data', 'NTFS', 'node'));
  assert.deepEqual(
    answer.reasons.map((one) => one.id),
    ['windows-names'],
  );
  const claim = (id: string): string | undefined =>
    answer.claims.find((one) => one.id === id)?.verdict;
  assert.equal(claim('bytes'), 'holds');
  assert.equal(claim('names'), 'assumed');
  assert.equal(answer.model.name, 'posix');
});

test('a share of Windows is on the network, a long local path is not', () => {
  for (const path of ['\\\\server\\share\\x', '//server/share', '\\\\?\\UNC\\server\\share']) {
    assert.equal(windowsPlace(path, null, 'node').network, true, path);
  }
  for (const path of ['C:\\data', '\\\\?\\C:\\data', '\\\\.\\C:\\data']) {
    assert.equal(windowsPlace(path, null, 'node').network, null, path);
  }
  assert.ok(reasonsOf(windowsPlace('E:\\', 'FAT32', 'node')).includes('fat-rename'));
});
