/**
 * The small file that names the current state: which segment, table or checkpoint counts. Replaced
 * atomically (`atomic-file`) and checksummed as a whole, so that a reader gets what was last put
 * there, or an error, and never a mixture. What the payload means is its owner's business. Layout
 * and a worked example: `docs/formats/pointer.md`.
 */

import { assert } from '../base/assert.ts';
import { crc32c } from '../base/crc32c.ts';
import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';
import { readWholeFile, readWholeFileSync } from '../vfs/transfer.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { replaceFile, replaceFileSync } from './atomic-file.ts';
import { kind } from './call-checks.ts';

/** Bytes of a payload. A pointer names things, it does not hold them. */
export const POINTER_PAYLOAD_BYTES_MAX: number = 64 << 10;

/** "HOLDPTR" and a line feed, which a transfer as text would change. */
const MAGIC = [0x48, 0x4f, 0x4c, 0x44, 0x50, 0x54, 0x52, 0x0a];
const VERSION = 1;
const VERSION_OFFSET = 8;
const LENGTH_OFFSET = 12;
const HEADER_BYTES = 16;
const CHECKSUM_BYTES = 4;

/**
 * Makes the pointer at `path` name `payload`. When it resolves, that lasts; a crash before leaves
 * the old pointer or the new one, whole. Calls for one path take effect in their order.
 * @throws FileChangeError with the outcome, as `AtomicFile.replace`; TypeError for a payload that is
 *   too long
 */
export async function replacePointer(vfs: Vfs, path: string, payload: Uint8Array): Promise<void> {
  requireVfs(vfs);
  await replaceFile(vfs, path, encodePointer(payload));
}

/** As `replacePointer`, on the calling thread. */
export function replacePointerSync(vfs: Vfs, path: string, payload: Uint8Array): void {
  requireVfs(vfs);
  replaceFileSync(vfs, path, encodePointer(payload));
}

/**
 * The payload of the pointer at `path`; null when there is no such file.
 * @throws HOLDFAST_CORRUPTION when it is not what was written; HOLDFAST_FORMAT when a newer version
 *   wrote it; the operating system's error when it cannot be read
 */
export async function readPointer(vfs: Vfs, path: string): Promise<Uint8Array | null> {
  requireVfs(vfs);
  try {
    return decodePointer(await readWholeFile(vfs, path), path);
  } catch (error) {
    // No pointer is an answer: there is no state yet. Everything else is for the caller.
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** As `readPointer`, on the calling thread. */
export function readPointerSync(vfs: Vfs, path: string): Uint8Array | null {
  requireVfs(vfs);
  try {
    return decodePointer(readWholeFileSync(vfs, path), path);
  } catch (error) {
    // As in `readPointer`.
    if (errorCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** @throws TypeError for what is no file system: the path stands second */
function requireVfs(vfs: unknown): void {
  if (typeof vfs === 'object' && vfs !== null && 'open' in vfs) return;
  throw new TypeError(
    `the first argument must be a file system, such as nodeVfs of holdfast/vfs, not ${kind(vfs)}`,
  );
}

/** The bytes of a pointer file. @throws TypeError for a payload that is too long */
export function encodePointer(payload: Uint8Array): Uint8Array {
  if (payload.length > POINTER_PAYLOAD_BYTES_MAX) {
    const most = POINTER_PAYLOAD_BYTES_MAX;
    throw new TypeError(`a pointer holds at most ${most} bytes, not ${payload.length}`);
  }
  const end = HEADER_BYTES + payload.length;
  const bytes = new Uint8Array(end + CHECKSUM_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint32(VERSION_OFFSET, VERSION, true);
  view.setUint32(LENGTH_OFFSET, payload.length, true);
  bytes.set(payload, HEADER_BYTES);
  view.setUint32(end, crc32c(bytes, 0, end), true);
  return bytes;
}

/** The payload in the bytes of a pointer file. @throws HOLDFAST_CORRUPTION, HOLDFAST_FORMAT */
export function decodePointer(bytes: Uint8Array, path: string): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const damaged = (offset: number, expected: string, found: string): CorruptionError =>
    new CorruptionError({ path, offset, expected, found });
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES) {
    const least = HEADER_BYTES + CHECKSUM_BYTES;
    throw damaged(bytes.length, `at least ${least} bytes`, `${bytes.length}`);
  }
  const wrong = MAGIC.findIndex((byte, index) => bytes[index] !== byte);
  if (wrong !== -1) throw damaged(wrong, 'a pointer file', 'something else');
  const version = view.getUint32(VERSION_OFFSET, true);
  if (version !== VERSION) {
    // A later version may lay out the rest in another way, but ends with the checksum of it all:
    // without that, the version itself is what was damaged.
    const sum = bytes.length - CHECKSUM_BYTES;
    const whole = view.getUint32(sum, true) === crc32c(bytes, 0, sum);
    if (!whole) throw damaged(VERSION_OFFSET, `version ${VERSION}`, `${version}`);
    const known = `this program knows version ${VERSION}`;
    throw new HoldfastError('HOLDFAST_FORMAT', `${path} is of version ${version}, and ${known}`);
  }
  const length = view.getUint32(LENGTH_OFFSET, true);
  const end = HEADER_BYTES + length;
  if (bytes.length !== end + CHECKSUM_BYTES) {
    const found = `${bytes.length} in the file`;
    throw damaged(LENGTH_OFFSET, `${end + CHECKSUM_BYTES} bytes`, found);
  }
  const expected = crc32c(bytes, 0, end);
  const found = view.getUint32(end, true);
  if (found !== expected) throw damaged(end, `checksum ${hex(expected)}`, hex(found));
  assert(length <= POINTER_PAYLOAD_BYTES_MAX, 'a pointer that is whole was written here');
  return bytes.subarray(HEADER_BYTES, end);
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
