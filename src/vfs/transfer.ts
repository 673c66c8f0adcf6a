/**
 * Loops around single reads and writes, which may move fewer bytes than asked. Not here: syncing.
 * What these functions wrote is with the operating system and no further.
 */

import { assert } from '../base/assert.ts';
import { systemError } from './errno.ts';
import type { Vfs, VfsFile } from './vfs.ts';

/** Node refuses calls of 2^31 bytes and more, and Linux moves less than that in one. */
const CALL_BYTES_MAX = 2 ** 30;

function atOnce(length: number): number {
  return Math.min(length, CALL_BYTES_MAX);
}

/**
 * Writes `length` bytes of `buffer` from `offset` at `position` (ignored by a file opened with
 * `append`). When it resolves, all are with the operating system. When it rejects, any number of
 * the first bytes may be. Rejects with the error of the write that failed, or EIO when a write
 * moves nothing and says no reason.
 */
export async function writeFully(
  file: VfsFile,
  buffer: Uint8Array,
  position: number,
  offset: number = 0,
  length: number = buffer.byteLength - offset,
): Promise<void> {
  let done = 0;
  while (done < length) {
    const count = await file.write(buffer, offset + done, atOnce(length - done), position + done);
    checkWritten(count, length - done, file.path);
    done += count;
  }
}

/** As `writeFully`, on the calling thread. */
export function writeFullySync(
  file: VfsFile,
  buffer: Uint8Array,
  position: number,
  offset: number = 0,
  length: number = buffer.byteLength - offset,
): void {
  let done = 0;
  while (done < length) {
    const count = file.writeSync(buffer, offset + done, atOnce(length - done), position + done);
    checkWritten(count, length - done, file.path);
    done += count;
  }
}

/**
 * Reads into `buffer` from `offset` until `length` bytes are there or the file ends. Resolves to
 * the count: less than `length` only at the end of the file. When it rejects, the buffer's range
 * holds anything.
 */
export async function readFully(
  file: VfsFile,
  buffer: Uint8Array,
  position: number,
  offset: number = 0,
  length: number = buffer.byteLength - offset,
): Promise<number> {
  let done = 0;
  while (done < length) {
    const count = await file.read(buffer, offset + done, atOnce(length - done), position + done);
    assert(count >= 0 && count <= length - done, 'a read returned more bytes than asked');
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** As `readFully`, on the calling thread. */
export function readFullySync(
  file: VfsFile,
  buffer: Uint8Array,
  position: number,
  offset: number = 0,
  length: number = buffer.byteLength - offset,
): number {
  let done = 0;
  while (done < length) {
    const count = file.readSync(buffer, offset + done, atOnce(length - done), position + done);
    assert(count >= 0 && count <= length - done, 'a read returned more bytes than asked');
    if (count === 0) break;
    done += count;
  }
  return done;
}

/**
 * All bytes of a file, as many as it has when its end is reached. Rejects with the error of the
 * failed call.
 */
export async function readWholeFile(vfs: Vfs, path: string): Promise<Uint8Array> {
  const file = await vfs.open(path, { read: true });
  try {
    // One more than the file has, so that it is seen to end without a larger buffer.
    let buffer = new Uint8Array((await file.stat()).size + 1);
    let done = await readFully(file, buffer, 0);
    // A file that grew meanwhile, or that has no size of its own (as in /proc), has more than
    // `stat` said.
    for (let full = done === buffer.length; full; full = done === buffer.length) {
      buffer = enlarged(buffer, done);
      done += await readFully(file, buffer, done, done);
    }
    return buffer.subarray(0, done);
  } finally {
    await file.close();
  }
}

/** As `readWholeFile`, on the calling thread. */
export function readWholeFileSync(vfs: Vfs, path: string): Uint8Array {
  const file = vfs.openSync(path, { read: true });
  try {
    let buffer = new Uint8Array(file.statSync().size + 1);
    let done = readFullySync(file, buffer, 0);
    for (let full = done === buffer.length; full; full = done === buffer.length) {
      buffer = enlarged(buffer, done);
      done += readFullySync(file, buffer, done, done);
    }
    return buffer.subarray(0, done);
  } finally {
    file.closeSync();
  }
}

/**
 * POSIX lets no write to a regular file move 0 of 1 or more bytes; if one does, a loop must not
 * spin on it.
 */
function checkWritten(count: number, asked: number, path: string): void {
  assert(count >= 0 && count <= asked, 'a write returned more bytes than asked');
  if (count === 0) throw systemError('EIO', 'write', path);
}

function enlarged(buffer: Uint8Array, used: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(used + Math.max(used >> 3, 4096));
  larger.set(buffer.subarray(0, used));
  return larger;
}
