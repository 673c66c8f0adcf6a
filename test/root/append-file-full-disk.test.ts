/** A file system that is full for real, in memory so that nothing else is needed but root. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { AppendFile } from '../../src/durable/append-file.ts';
import { errorCode } from '../../src/vfs/errno.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const RECORD_BYTES = 1000;
const DISK_BYTES = 4 << 20;
const BALLAST_BYTES = 1 << 20;

const skip = process.getuid?.() !== 0 && 'mounting a file system needs root';

function record(index: number): Uint8Array {
  return Buffer.from(String(index).padStart(RECORD_BYTES, '.'));
}

for (const preallocateBytes of [0, 16 << 20]) {
  const zeros = preallocateBytes > 0 ? 'with' : 'without';
  test(`a full disk, ${zeros} zeros ahead: refused, nothing lost, and on`, { skip }, async (t) => {
    const directory = temporaryDirectory(t);
    const size = `size=${DISK_BYTES}`;
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', size, 'tmpfs', directory]);
    assert.equal(mount.status, 0, mount.stderr.toString());
    try {
      await fillAndGoOn(directory, preallocateBytes);
    } finally {
      assert.equal(spawnSync('umount', [directory]).status, 0);
    }
  });
}

async function fillAndGoOn(directory: string, preallocateBytes: number): Promise<void> {
  const ballast = join(directory, 'ballast');
  writeFileSync(ballast, new Uint8Array(BALLAST_BYTES));
  const path = join(directory, 'log');
  const file = await AppendFile.create(path, { preallocateBytes });
  let kept = 0;
  const append = async (index: number): Promise<boolean> => {
    try {
      if (index % 3 === 0) file.appendSync(record(kept));
      else await file.append(record(kept));
      kept++;
      return true;
    } catch (error) {
      // The one that is looked for.
      assert.equal(errorCode(error), 'ENOSPC');
      assert.equal((error as { outcome?: string }).outcome, 'old');
      return false;
    }
  };
  let index = 0;
  while (await append(index++));
  assert.ok(kept > 2000, `${kept} fit`);
  for (let again = 0; again < 6; again++) await append(index++);
  assert.equal(file.length, kept * RECORD_BYTES);
  assert.equal(file.durableLength, file.length);
  unlinkSync(ballast);
  for (let more = 0; more < 100; more++) assert.equal(await append(index++), true);
  await file.close();
  const content = readFileSync(path);
  assert.equal(content.length, kept * RECORD_BYTES);
  for (let each = 0; each < kept; each++) {
    const found = content.subarray(each * RECORD_BYTES, (each + 1) * RECORD_BYTES);
    assert.deepEqual(found, Buffer.from(record(each)), `record ${each}`);
  }
}
