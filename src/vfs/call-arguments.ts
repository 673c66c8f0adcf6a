/**
 * Checks of arguments that every vfs makes before it does anything, so that wrong use looks the
 * same on all: a TypeError without a code, and nothing has changed.
 */

import type { OpenOptions } from './vfs.ts';

/**
 * Throws a TypeError for combinations that have no meaning: neither reading nor writing,
 * `exclusive` without `create` (undefined in POSIX), `truncate` without writing (undefined in
 * POSIX).
 * @see open(2)
 */
export function checkOpenOptions(options: OpenOptions): void {
  const writes = options.write === true || options.append === true;
  if (!writes && options.read !== true) {
    throw new TypeError('open needs at least one of read, write and append');
  }
  if (options.exclusive === true && options.create !== true) {
    throw new TypeError('exclusive needs create');
  }
  if (options.truncate === true && !writes) throw new TypeError('truncate needs write');
}

/**
 * Throws a TypeError when the range is not inside the buffer or the position is not a byte
 * position.
 */
export function checkTransfer(
  buffer: Uint8Array,
  offset: number,
  length: number,
  position: number,
): void {
  if (!isCount(offset) || !isCount(length) || offset + length > buffer.byteLength) {
    throw new TypeError(
      `offset ${offset} and length ${length} are not inside a buffer of ${buffer.byteLength} bytes`,
    );
  }
  // Node takes a negative position for "where the last call ended": no caller here means that.
  if (!isCount(position)) throw new TypeError(`position ${position} is not a byte position`);
}

/** Throws a TypeError when `size` is not a number of bytes. */
export function checkSize(size: number): void {
  if (!isCount(size)) throw new TypeError(`size ${size} is not a number of bytes`);
}

/**
 * Throws a TypeError for a path that no operating system takes. The empty path is theirs to refuse
 * (ENOENT).
 */
export function checkPath(path: string): void {
  if (path.includes('\0')) throw new TypeError('a path must not contain a zero byte');
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
