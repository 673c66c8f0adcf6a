/**
 * System errors: how those that are made here look, and how to ask any error for its code. The
 * texts and numbers are Linux's. Not here: Holdfast's own error classes (`base/errors.ts`).
 */

/** The codes that vfs implementations of this package make themselves, with number and text. */
const TABLE = {
  EPERM: [1, 'operation not permitted'],
  ENOENT: [2, 'no such file or directory'],
  EINTR: [4, 'interrupted system call'],
  EIO: [5, 'i/o error'],
  EBADF: [9, 'bad file descriptor'],
  ENOMEM: [12, 'not enough memory'],
  EACCES: [13, 'permission denied'],
  EBUSY: [16, 'resource busy or locked'],
  EEXIST: [17, 'file already exists'],
  EXDEV: [18, 'cross-device link not permitted'],
  ENOTDIR: [20, 'not a directory'],
  EISDIR: [21, 'illegal operation on a directory'],
  EINVAL: [22, 'invalid argument'],
  ENFILE: [23, 'file table overflow'],
  EMFILE: [24, 'too many open files'],
  EFBIG: [27, 'file too large'],
  ENOSPC: [28, 'no space left on device'],
  EROFS: [30, 'read-only file system'],
  ENAMETOOLONG: [36, 'name too long'],
  ENOTEMPTY: [39, 'directory not empty'],
  ELOOP: [40, 'too many symbolic links encountered'],
  EDQUOT: [122, 'disk quota exceeded'],
} as const;

/** A code that `systemError` can make. */
export type SystemErrorCode = keyof typeof TABLE;

/** An operating system's error, with the fields that Node gives it. */
export interface SystemError extends Error {
  readonly code: string;
  /** Negative, as in Node. */
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
  /** The second path of `rename`, `link` and `symlink`. */
  readonly dest?: string;
}

/** Makes an error like the one that Node throws for the same failure. */
export function systemError(
  code: SystemErrorCode,
  syscall: string,
  path: string,
  destination?: string,
): SystemError {
  const [number, text] = TABLE[code];
  const target = destination === undefined ? '' : ` -> '${destination}'`;
  const fields = { errno: -number, code, syscall, path };
  return Object.assign(
    new Error(`${code}: ${text}, ${syscall} '${path}'${target}`),
    destination === undefined ? fields : { ...fields, dest: destination },
  );
}

/** The `code` of any thrown value, or undefined where it has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
