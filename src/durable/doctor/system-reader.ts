/**
 * What the doctor may ask of the operating system, as one small interface, so that every answer can be tested with
 * injected text; and the real one. Reads `/proc`, `/sys` and nothing that it would change.
 */

import { closeSync, openSync, readFileSync, readSync, readdirSync, realpathSync } from 'node:fs';

/** Null everywhere means: not there, or not ours to read. The doctor then says what it could not see. */
export interface SystemReader {
  /** A whole text file. */
  text(path: string): string | null;
  /** `length` bytes at `offset`, or fewer at the end. */
  bytes(path: string, offset: number, length: number): Uint8Array | null;
  /** The names in a directory. */
  names(path: string): readonly string[] | null;
  /** The absolute path without links. */
  realPath(path: string): string | null;
  /** The id, in mountinfo, of the mount that a directory is on. */
  mountId(directory: string): number | null;
}

/** The machine this process runs on. */
export const systemReader: SystemReader = {
  text: (path) => orNull(() => readFileSync(path, 'utf8')),
  names: (path) => orNull(() => readdirSync(path)),
  realPath: (path) => orNull(() => realpathSync.native(path)),
  bytes: (path, offset, length) => orNull(() => readBytes(path, offset, length)),
  mountId: (directory) => orNull(() => readMountId(directory)),
};

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    // What cannot be read is reported as not seen, by name, in the answer.
    return null;
  }
}

function readBytes(path: string, offset: number, length: number): Uint8Array {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    const count = readSync(descriptor, bytes, 0, length, offset);
    return bytes.subarray(0, count);
  } finally {
    closeSync(descriptor);
  }
}

function readMountId(directory: string): number | null {
  const descriptor = openSync(directory, 'r');
  try {
    const text = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'utf8');
    const id = /^mnt_id:\s*(\d+)$/m.exec(text)?.[1];
    return id === undefined ? null : Number(id);
  } finally {
    closeSync(descriptor);
  }
}
