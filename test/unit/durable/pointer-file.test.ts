import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crc32c } from '../../../src/base/crc32c.ts';
import { CorruptionError } from '../../../src/base/errors.ts';
import {
  decodePointer,
  encodePointer,
  POINTER_PAYLOAD_BYTES_MAX,
  readPointer,
  readPointerSync,
  replacePointer,
  replacePointerSync,
} from '../../../src/durable/pointer-file.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { MeteredVfs } from '../../../src/vfs/metered-vfs.ts';

const PAYLOAD = Buffer.from('segment 7');

test('what was put there last is read, in both forms, and nothing else is left', async () => {
  const vfs = new MemoryVfs();
  assert.equal(await readPointer(vfs, '/CURRENT'), null);
  assert.equal(readPointerSync(vfs, '/CURRENT'), null);
  await replacePointer(vfs, '/CURRENT', PAYLOAD);
  assert.deepEqual(Buffer.from(readPointerSync(vfs, '/CURRENT')!), PAYLOAD);
  replacePointerSync(vfs, '/CURRENT', Buffer.from(''));
  assert.deepEqual(Buffer.from((await readPointer(vfs, '/CURRENT'))!), Buffer.from(''));
  assert.deepEqual(
    vfs.readDirectorySync('/').map((entry) => entry.name),
    ['CURRENT'],
  );
});

test('a replacement is one write, one sync of the file, one rename and one directory sync', () => {
  const vfs = new MeteredVfs(new MemoryVfs());
  replacePointerSync(vfs, '/CURRENT', PAYLOAD);
  vfs.reset();
  replacePointerSync(vfs, '/CURRENT', PAYLOAD);
  assert.equal(vfs.count('file.write'), 1);
  assert.equal(vfs.count('rename'), 1);
  assert.equal(vfs.syncCount, 2);
});

test('the layout is the documented one', () => {
  assert.equal(
    Buffer.from(encodePointer(PAYLOAD)).toString('hex'),
    ['484f4c445054520a', '01000000', '09000000', '7365676d656e742037', '623b1314'].join(''),
  );
});

test('every flipped bit, every cut and every addition is found, with its place', () => {
  const good = encodePointer(PAYLOAD);
  const isFound = (bytes: Uint8Array, what: string): void =>
    assert.throws(
      () => decodePointer(bytes, '/CURRENT'),
      (error) => error instanceof CorruptionError && error.path === '/CURRENT',
      what,
    );
  for (let bit = 0; bit < 8 * good.length; bit++) {
    const bytes = good.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    isFound(bytes, `bit ${bit}`);
  }
  for (let length = 0; length < good.length; length++) {
    isFound(good.subarray(0, length), `${length} bytes`);
    const zeroed = good.slice();
    zeroed.fill(0, length);
    if (length < good.length - 1) isFound(zeroed, `zeros from ${length}`);
  }
  isFound(Buffer.concat([good, good]), 'twice');
});

test('a whole pointer of another version says so, a flipped version byte is damage', () => {
  const bytes = Buffer.from(encodePointer(PAYLOAD));
  bytes[8] = 2;
  assert.throws(() => decodePointer(bytes, '/CURRENT'), {
    code: 'HOLDFAST_CORRUPTION',
    message: '/CURRENT is damaged at byte 8: expected version 1, found 2',
  });
  // Nor does a later version have to keep the place of the length.
  bytes[12] = 99;
  const end = bytes.length - 4;
  bytes.writeUInt32LE(crc32c(bytes, 0, end), end);
  assert.throws(() => decodePointer(bytes, '/CURRENT'), {
    code: 'HOLDFAST_FORMAT',
    message: '/CURRENT is of version 2, and this program knows version 1',
  });
});

test('a payload over the limit is a TypeError, one of that size is taken', async () => {
  const vfs = new MemoryVfs();
  const most = new Uint8Array(POINTER_PAYLOAD_BYTES_MAX).fill(9);
  replacePointerSync(vfs, '/p', most);
  assert.deepEqual(readPointerSync(vfs, '/p'), most);
  const more = new Uint8Array(POINTER_PAYLOAD_BYTES_MAX + 1);
  assert.throws(() => replacePointerSync(vfs, '/p', more), TypeError);
  await assert.rejects(replacePointer(vfs, '/p', more), TypeError);
});

test('a pointer that cannot be read is an error of the system', async () => {
  const vfs = new MemoryVfs();
  vfs.mkdirSync('/p');
  await assert.rejects(readPointer(vfs, '/p'), { code: 'EISDIR' });
  assert.throws(() => readPointerSync(vfs, '/p'), { code: 'EISDIR' });
});

test('a path where the file system should stand is a TypeError that says so', async () => {
  const confused = '/p' as unknown as MemoryVfs;
  const says = { name: 'TypeError', message: /^the first argument must be a file system/ };
  await assert.rejects(readPointer(confused, '/p'), says);
  assert.throws(() => readPointerSync(confused, '/p'), says);
  await assert.rejects(replacePointer(confused, '/p', Uint8Array.of(1)), says);
  assert.throws(() => replacePointerSync(confused, '/p', Uint8Array.of(1)), says);
});
