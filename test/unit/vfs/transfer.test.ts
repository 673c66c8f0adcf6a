import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { errorCode } from '../../../src/vfs/errno.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import {
  readFully,
  readFullySync,
  readWholeFile,
  readWholeFileSync,
  writeFully,
  writeFullySync,
} from '../../../src/vfs/transfer.ts';
import type { VfsFile } from '../../../src/vfs/vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

/** A file in memory that moves at most `step` bytes a call. */
function slowFile(content: Uint8Array, step: number): VfsFile {
  const readSync = (
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number => {
    const part = content.subarray(position, position + Math.min(step, length));
    buffer.set(part, offset);
    return part.length;
  };
  const writeSync = (
    buffer: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ): number => {
    const count = Math.min(step, length);
    content.set(buffer.subarray(offset, offset + count), position);
    return count;
  };
  const file: Partial<VfsFile> = {
    path: '/slow',
    readSync,
    writeSync,
    read: async (...range) => readSync(...range),
    write: async (...range) => writeSync(...range),
  };
  return file as VfsFile;
}

const bytes = Uint8Array.from({ length: 10 }, (_, index) => index + 1);

describe('transfer', () => {
  it('writes the rest after a short write, at its place', async () => {
    for (const step of [1, 3, 10, 99]) {
      const content = new Uint8Array(12);
      await writeFully(slowFile(content, step), bytes, 2);
      assert.deepEqual([...content], [0, 0, ...bytes]);
      content.fill(0);
      writeFullySync(slowFile(content, step), bytes, 1, 4, 3);
      assert.deepEqual([...content], [0, 5, 6, 7, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
  });

  it('reads on after a short read and stops only at the end of the file', async () => {
    for (const step of [1, 3, 10, 99]) {
      const buffer = new Uint8Array(12);
      assert.equal(await readFully(slowFile(bytes, step), buffer, 1, 2), 9);
      assert.deepEqual([...buffer], [0, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0]);
      buffer.fill(0);
      assert.equal(readFullySync(slowFile(bytes, step), buffer, 5, 0, 3), 3);
      assert.deepEqual([...buffer.subarray(0, 4)], [6, 7, 8, 0]);
    }
  });

  it('takes a write of nothing for an error and does not loop for ever', async () => {
    const file = slowFile(new Uint8Array(10), 0);
    assert.throws(
      () => writeFullySync(file, bytes, 0),
      (error) => errorCode(error) === 'EIO',
    );
    await assert.rejects(writeFully(file, bytes, 0), (error) => errorCode(error) === 'EIO');
  });

  it('reads a whole file, also one whose size is not known before', async (t) => {
    const path = join(temporaryDirectory(t), 'file');
    const content = new Uint8Array(100_000).map((_, index) => index % 251);
    const file = nodeVfs.openSync(path, { write: true, create: true });
    writeFullySync(file, content, 0);
    file.closeSync();
    assert.deepEqual(readWholeFileSync(nodeVfs, path), content);
    assert.deepEqual(await readWholeFile(nodeVfs, path), content);
    if (process.platform === 'linux') {
      assert.ok(readWholeFileSync(nodeVfs, '/proc/self/mountinfo').length > 0);
      assert.ok((await readWholeFile(nodeVfs, '/proc/self/mountinfo')).length > 0);
    }
  });
});
