/**
 * What each system call of Linux means, in the words of `system-call.ts`. One describer for each name; calls that
 * copy between descriptors, make processes or map memory are the recorder's (`strace-recorder.ts`).
 */

import type { StraceArgument } from './strace-arguments.ts';
import { READ_FLAGS, type OpenFlags, type PathAt, type SystemCall } from './system-call.ts';

type Arguments = readonly StraceArgument[];
type Describer = (args: Arguments, umask: number) => SystemCall | null;

export function textOf(argument: StraceArgument | undefined): string {
  return Buffer.from(argument?.bytes ?? []).toString('utf8');
}

/** A number in decimal, octal (leading 0) or hexadecimal; 0 for anything else. */
export function numberOf(argument: StraceArgument | undefined): number {
  const text = argument?.text ?? '';
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  const number = Number.parseInt(text, text.startsWith('0x') ? 16 : 10);
  return Number.isNaN(number) ? 0 : number;
}

export function flagsOf(argument: StraceArgument | undefined): ReadonlySet<string> {
  return new Set((argument?.text ?? '').split('|'));
}

/** A path relative to a directory argument, or to the working directory. */
function at(directory: StraceArgument | undefined, path: StraceArgument | undefined): PathAt {
  const text = textOf(path);
  if (directory === undefined || directory.text.startsWith('AT_FDCWD')) return { path: text };
  return { path: text, directory: numberOf(directory) };
}

function here(path: StraceArgument | undefined): PathAt {
  return { path: textOf(path) };
}

function durabilityOf(flags: ReadonlySet<string>): OpenFlags['durable'] {
  if (flags.has('O_SYNC')) return 'all';
  return flags.has('O_DSYNC') ? 'data' : 'none';
}

export function openFlagsOfNames(names: ReadonlySet<string>): OpenFlags {
  return {
    write: names.has('O_WRONLY') || names.has('O_RDWR'),
    append: names.has('O_APPEND'),
    create: names.has('O_CREAT'),
    exclusive: names.has('O_EXCL'),
    truncate: names.has('O_TRUNC'),
    noFollow: names.has('O_NOFOLLOW'),
    temporary: names.has('O_TMPFILE'),
    closeOnExec: names.has('O_CLOEXEC'),
    durable: durabilityOf(names),
  };
}

function open(
  place: PathAt,
  flags: StraceArgument | undefined,
  mode: StraceArgument | undefined,
  umask: number,
): SystemCall {
  const names = openFlagsOfNames(flagsOf(flags));
  return { call: 'open', at: place, flags: names, mode: numberOf(mode) & 0o7777 & ~umask };
}

/** The bytes of a vector of buffers. */
function gather(vector: StraceArgument | undefined): Uint8Array {
  const parts = (vector?.list ?? []).map((part) => part.fields?.get('iov_base')?.bytes);
  return Buffer.concat(parts.map((part) => part ?? new Uint8Array(0)));
}

function write(
  fd: StraceArgument | undefined,
  data: Uint8Array,
  position: StraceArgument | undefined,
  flags?: StraceArgument,
): SystemCall {
  const names = flagsOf(flags);
  const offset = position === undefined || position.text === '-1' ? null : numberOf(position);
  return {
    call: 'write',
    fd: numberOf(fd),
    position: offset,
    data,
    ...(names.has('RWF_SYNC') ? { durable: 'all' } : {}),
    ...(names.has('RWF_DSYNC') ? { durable: 'data' } : {}),
    ...(names.has('RWF_APPEND') ? { append: true } : {}),
    ...(names.has('RWF_NOAPPEND') ? { append: false } : {}),
  };
}

function seek(fd: StraceArgument | undefined): SystemCall {
  return { call: 'seek', fd: numberOf(fd) };
}

function remove(place: PathAt, directory: boolean): SystemCall {
  return { call: 'unlink', at: place, directory };
}

function attribute(
  place: PathAt | { readonly fd: number },
  field: string,
  value: string,
  noFollow = false,
): SystemCall {
  return { call: 'attribute', at: place, field, value, ...(noFollow ? { noFollow } : {}) };
}

function octal(argument: StraceArgument | undefined): string {
  return (numberOf(argument) & 0o7777).toString(8);
}

function owner(uid: StraceArgument | undefined, gid: StraceArgument | undefined): string {
  return `${uid?.text ?? ''}:${gid?.text ?? ''}`;
}

function fdPlace(argument: StraceArgument | undefined): { readonly fd: number } {
  return { fd: numberOf(argument) };
}

function xattr(
  place: PathAt | { readonly fd: number },
  args: Arguments,
  noFollow = false,
): SystemCall {
  const value = Buffer.from(args[2]?.bytes ?? []).toString('hex');
  return attribute(place, `xattr:${textOf(args[1])}`, value, noFollow);
}

type AllocateCall = Extract<SystemCall, { call: 'allocate' }>;

function fallocate(args: Arguments): SystemCall | null {
  const [fd, modeFlags, offset, length] = args;
  const names = flagsOf(modeFlags);
  const known = (kind: AllocateCall['mode']): AllocateCall => ({
    call: 'allocate',
    fd: numberOf(fd),
    mode: kind,
    offset: numberOf(offset),
    length: numberOf(length),
  });
  if (names.has('FALLOC_FL_PUNCH_HOLE')) return known('punch-hole');
  if (names.has('FALLOC_FL_ZERO_RANGE') || names.has('FALLOC_FL_WRITE_ZEROES')) {
    const keepSize = names.has('FALLOC_FL_KEEP_SIZE');
    return { ...known('zero-range'), ...(keepSize ? { keepSize } : {}) };
  }
  // Blocks that other files share become its own; what is in them stays.
  if (names.has('FALLOC_FL_UNSHARE_RANGE')) return null;
  if (modeFlags?.text === 'FALLOC_FL_KEEP_SIZE') return known('keep-size');
  if (modeFlags?.text === '0') return known('extend');
  return { call: 'unmodelled', what: `fallocate ${modeFlags?.text ?? ''}`, at: fdPlace(fd) };
}

/** A file made by mknod; other kinds of nodes are nothing that a trace can hold. */
function mknod(place: PathAt, modeArgument: StraceArgument | undefined, umask: number): SystemCall {
  const text = modeArgument?.text ?? '';
  const kind = /S_IF[A-Z]+/.exec(text)?.[0] ?? 'S_IFREG';
  if (kind !== 'S_IFREG') return { call: 'unmodelled', what: `mknod ${kind}`, at: place };
  const bits = Number.parseInt(/0[0-7]+$/.exec(text)?.[0] ?? '0', 8) & ~umask;
  const flags = { ...READ_FLAGS, create: true, exclusive: true };
  return { call: 'open', at: place, flags, mode: bits };
}

const SYNC = (scope: 'all' | 'data'): Describer => {
  return ([fd]) => ({ call: 'sync', fd: numberOf(fd), scope });
};

/** By the name of the system call. A name that is not here touches no file, or is the recorder's. */
export const STRACE_DESCRIBERS: Readonly<Record<string, Describer>> = {
  open: ([path, flags, bits], umask) => open(here(path), flags, bits, umask),
  openat: ([directory, path, flags, bits], umask) => open(at(directory, path), flags, bits, umask),
  openat2: ([directory, path, how], umask) =>
    open(at(directory, path), how?.fields?.get('flags'), how?.fields?.get('mode'), umask),
  creat: ([path, bits], umask) =>
    open(here(path), { text: 'O_WRONLY|O_CREAT|O_TRUNC' }, bits, umask),
  close: ([fd]) => ({ call: 'close', fd: numberOf(fd) }),
  dup: ([fd]) => ({ call: 'dup', fd: numberOf(fd), closeOnExec: false }),
  dup2: ([fd]) => ({ call: 'dup', fd: numberOf(fd), closeOnExec: false }),
  dup3: ([fd, , flags]) => ({
    call: 'dup',
    fd: numberOf(fd),
    closeOnExec: flagsOf(flags).has('O_CLOEXEC'),
  }),
  read: ([fd]) => ({ call: 'read', fd: numberOf(fd) }),
  readv: ([fd]) => ({ call: 'read', fd: numberOf(fd) }),
  preadv2: ([fd, , , position]) =>
    position?.text === '-1' ? { call: 'read', fd: numberOf(fd) } : null,
  lseek: ([fd]) => seek(fd),
  _llseek: ([fd]) => seek(fd),
  write: ([fd, data]) => write(fd, data?.bytes ?? new Uint8Array(0), undefined),
  pwrite64: ([fd, data, , position]) => write(fd, data?.bytes ?? new Uint8Array(0), position),
  writev: ([fd, vector]) => write(fd, gather(vector), undefined),
  pwritev: ([fd, vector, , position]) => write(fd, gather(vector), position),
  pwritev2: ([fd, vector, , position, flags]) => write(fd, gather(vector), position, flags),
  truncate: ([path, size]) => ({ call: 'truncate', at: here(path), size: numberOf(size) }),
  ftruncate: ([fd, size]) => ({ call: 'truncate', at: fdPlace(fd), size: numberOf(size) }),
  fallocate,
  fsync: SYNC('all'),
  fdatasync: SYNC('data'),
  sync_file_range: ([fd, offset, length]) => ({
    call: 'writeback',
    fd: numberOf(fd),
    offset: numberOf(offset),
    length: numberOf(length),
  }),
  sync: () => ({ call: 'sync-all' }),
  mkdir: ([path, bits], umask) => ({
    call: 'mkdir',
    at: here(path),
    mode: numberOf(bits) & ~umask,
  }),
  mkdirat: ([directory, path, bits], umask) => ({
    call: 'mkdir',
    at: at(directory, path),
    mode: numberOf(bits) & ~umask,
  }),
  mknod: ([path, bits], umask) => mknod(here(path), bits, umask),
  mknodat: ([directory, path, bits], umask) => mknod(at(directory, path), bits, umask),
  unlink: ([path]) => remove(here(path), false),
  unlinkat: ([directory, path, flags]) =>
    remove(at(directory, path), flagsOf(flags).has('AT_REMOVEDIR')),
  rmdir: ([path]) => remove(here(path), true),
  symlink: ([target, path]) => ({ call: 'symlink', target: textOf(target), at: here(path) }),
  symlinkat: ([target, directory, path]) => ({
    call: 'symlink',
    target: textOf(target),
    at: at(directory, path),
  }),
  link: ([from, to]) => ({ call: 'link', from: here(from), to: here(to) }),
  linkat: ([fromDirectory, from, toDirectory, to, flags]) => {
    const names = flagsOf(flags);
    const text = textOf(from);
    const target = at(toDirectory, to);
    // Both ways of giving a name to a file that has none. @see open(2), O_TMPFILE
    const [, fd] = /^\/proc\/(?:self|thread-self|\d+)\/fd\/(\d+)$/.exec(text) ?? [];
    if (fd !== undefined) return { call: 'link', from: { fd: Number(fd) }, to: target };
    if (text === '' && names.has('AT_EMPTY_PATH')) {
      return { call: 'link', from: fdPlace(fromDirectory), to: target };
    }
    const follow = names.has('AT_SYMLINK_FOLLOW');
    return { call: 'link', from: at(fromDirectory, from), to: target, follow };
  },
  rename: ([from, to]) => ({ call: 'rename', from: here(from), to: here(to) }),
  renameat: ([fromDirectory, from, toDirectory, to]) => ({
    call: 'rename',
    from: at(fromDirectory, from),
    to: at(toDirectory, to),
  }),
  renameat2: ([fromDirectory, from, toDirectory, to, flags]) => ({
    call: 'rename',
    from: at(fromDirectory, from),
    to: at(toDirectory, to),
    ...(flagsOf(flags).has('RENAME_EXCHANGE') ? { exchange: true } : {}),
    ...(flagsOf(flags).has('RENAME_WHITEOUT') ? { whiteout: true } : {}),
  }),
  chmod: ([path, bits]) => attribute(here(path), 'mode', octal(bits)),
  fchmod: ([fd, bits]) => attribute(fdPlace(fd), 'mode', octal(bits)),
  fchmodat: ([directory, path, bits]) => attribute(at(directory, path), 'mode', octal(bits)),
  fchmodat2: ([directory, path, bits, flags]) => {
    const place = textOf(path) === '' ? fdPlace(directory) : at(directory, path);
    const noFollow = flagsOf(flags).has('AT_SYMLINK_NOFOLLOW');
    return attribute(place, 'mode', octal(bits), noFollow);
  },
  chown: ([path, uid, gid]) => attribute(here(path), 'owner', owner(uid, gid)),
  lchown: ([path, uid, gid]) => attribute(here(path), 'owner', owner(uid, gid), true),
  fchown: ([fd, uid, gid]) => attribute(fdPlace(fd), 'owner', owner(uid, gid)),
  fchownat: ([directory, path, uid, gid, flags]) => {
    const names = flagsOf(flags);
    const place = textOf(path) === '' ? fdPlace(directory) : at(directory, path);
    return attribute(place, 'owner', owner(uid, gid), names.has('AT_SYMLINK_NOFOLLOW'));
  },
  setxattr: (args) => xattr(here(args[0]), args),
  lsetxattr: (args) => xattr(here(args[0]), args, true),
  fsetxattr: (args) => xattr(fdPlace(args[0]), args),
  removexattr: ([path, name]) => attribute(here(path), `xattr:${textOf(name)}`, ''),
  lremovexattr: ([path, name]) => attribute(here(path), `xattr:${textOf(name)}`, '', true),
  fremovexattr: ([fd, name]) => attribute(fdPlace(fd), `xattr:${textOf(name)}`, ''),
  chdir: ([path]) => ({ call: 'chdir', at: here(path) }),
  fchdir: ([fd]) => ({ call: 'chdir', at: fdPlace(fd) }),
  io_submit: () => ({ call: 'unmodelled', what: 'io_submit (Linux AIO)' }),
  mount: () => ({ call: 'unmodelled', what: 'mount' }),
  umount2: () => ({ call: 'unmodelled', what: 'umount' }),
  move_mount: () => ({ call: 'unmodelled', what: 'mount' }),
  pivot_root: () => ({ call: 'unmodelled', what: 'chroot' }),
  chroot: () => ({ call: 'unmodelled', what: 'chroot' }),
};
