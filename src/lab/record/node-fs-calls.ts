/**
 * What the arguments of each function beneath `node:fs` mean: one describer for each, giving the call in the words
 * of `system-call.ts`. Functions that are several calls at once are in `node-fs-composites.ts`.
 */

import type { RawCall } from './raw-log.ts';
import { openFlagsOf } from './open-flags.ts';
import type { RootFilter } from './root-filter.ts';

/** A call of the program before it is made. */
export interface Draft {
  /** null: nothing goes to the log, and only `done` is of interest. */
  readonly call: RawCall | 'outside' | null;
  /** What the call's result means; default: a number is itself, everything else 0. */
  readonly done?: (value: unknown) => Done;
}

export interface Done {
  readonly value: number;
  /** The call as only its result tells it. */
  readonly call?: RawCall;
  /** Calls that were part of this one and came after. */
  readonly more?: () => readonly { readonly call: RawCall; readonly value: number }[];
}

export interface DescribeContext {
  readonly filter: RootFilter;
  umask: number;
  /** A number for a descriptor that only the trace knows. */
  inventFd(): number;
}

export type Describer = (
  args: readonly unknown[],
  context: DescribeContext,
  self: unknown,
) => Draft | null;

export function numberOf(value: unknown): number {
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0;
}

/** A position argument: null and -1 both mean the descriptor's own offset. */
function positionOf(value: unknown): number | null {
  if (typeof value !== 'number' && typeof value !== 'bigint') return null;
  const position = Number(value);
  return position < 0 ? null : position;
}

function bytesOf(view: unknown): Uint8Array {
  if (!ArrayBuffer.isView(view)) return new Uint8Array(0);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** The file descriptor behind Node's object for an open file. */
function fdOfHandle(handle: unknown): number {
  return typeof handle === 'object' && handle !== null ? numberOf(Reflect.get(handle, 'fd')) : -1;
}

const open: Describer = ([path, flagBits, mode], { filter, umask }) => {
  const flags = openFlagsOf(numberOf(flagBits));
  const follows = !flags.noFollow && !(flags.create && flags.exclusive);
  const at = follows ? filter.followed(path) : filter.absolute(path);
  if (at === null) return null;
  const inside = filter.isInside(at);
  const done = (value: unknown): Done => {
    const fd = typeof value === 'number' ? value : fdOfHandle(value);
    filter.opened(fd, inside);
    return { value: fd };
  };
  const changes = flags.write || flags.create || flags.truncate;
  if (!inside && !changes) return { call: null, done };
  return { call: { call: 'open', at: { path: at }, flags, mode: numberOf(mode) & ~umask }, done };
};

const close: Describer = ([fd], { filter }) => closeOf(numberOf(fd), filter);

export const closeHandle: Describer = (_, { filter }, self) => closeOf(fdOfHandle(self), filter);

function closeOf(fd: number, filter: RootFilter): Draft | null {
  const place = filter.descriptor(fd);
  filter.closed(fd);
  return place === 'inside' ? { call: { call: 'close', fd } } : null;
}

/** A write of some bytes; on standard output it is for the marks to tell. */
function writeOf(
  fd: unknown,
  filter: RootFilter,
  position: unknown,
  data: () => Uint8Array,
): Draft | null {
  const number = numberOf(fd);
  const place = filter.descriptor(number);
  if (place === 'outside') return { call: 'outside' };
  if (place === 'other') return null;
  return { call: { call: 'write', fd: number, position: positionOf(position), data: data() } };
}

const writeBuffer: Describer = ([fd, buffer, offset, length, position], { filter }) =>
  writeOf(fd, filter, position, () => {
    const from = numberOf(offset);
    return bytesOf(buffer).slice(from, from + numberOf(length));
  });

const writeBuffers: Describer = ([fd, buffers, position], { filter }) =>
  writeOf(fd, filter, position, () =>
    Buffer.concat(Array.isArray(buffers) ? buffers.map((buffer) => bytesOf(buffer)) : []),
  );

const writeString: Describer = ([fd, text, position, encoding], { filter }) =>
  writeOf(fd, filter, position, () => {
    const known = typeof encoding === 'string' && Buffer.isEncoding(encoding);
    return Buffer.from(String(text), known ? encoding : 'utf8');
  });

/** Only a read at the descriptor's own offset matters: it moves the place of the next write. */
function readOf(fd: unknown, position: unknown, { filter }: DescribeContext): Draft | null {
  const number = numberOf(fd);
  if (positionOf(position) !== null || filter.descriptor(number) !== 'inside') return null;
  return { call: { call: 'read', fd: number } };
}

/** A call on a descriptor that changes what it has open. */
function onDescriptor(make: (fd: number, args: readonly unknown[]) => RawCall): Describer {
  return (args, { filter }) => {
    const fd = numberOf(args[0]);
    const place = filter.descriptor(fd);
    if (place === 'inside') return { call: make(fd, args) };
    return place === 'outside' ? { call: 'outside' } : null;
  };
}

/** A sync elsewhere changes nothing and is not counted. */
function syncOf(scope: 'all' | 'data'): Describer {
  return ([fd], { filter }) => {
    const number = numberOf(fd);
    if (filter.descriptor(number) !== 'inside') return null;
    return { call: { call: 'sync', fd: number, scope } };
  };
}

/** A call on one path, whose last link is followed or not. */
function onPath(
  follow: boolean,
  make: (path: string, args: readonly unknown[], context: DescribeContext) => RawCall,
): Describer {
  return (args, context) => {
    const { filter } = context;
    const path = follow ? filter.followed(args[0]) : filter.absolute(args[0]);
    if (path === null) return null;
    return { call: filter.isInside(path) ? make(path, args, context) : 'outside' };
  };
}

/** A call on two paths; interesting when either is in the root. */
function onTwoPaths(make: (from: string, to: string) => RawCall): Describer {
  return ([first, second], { filter }) => {
    const from = filter.absolute(first);
    const to = filter.absolute(second);
    if (from === null || to === null) return null;
    const inside = filter.isInside(from) || filter.isInside(to);
    return { call: inside ? make(from, to) : 'outside' };
  };
}

const mode = (value: unknown): string => (numberOf(value) & 0o7777).toString(8);
const owner = (uid: unknown, gid: unknown): string => `${numberOf(uid)}:${numberOf(gid)}`;

const symlink: Describer = ([target, path], { filter }) => {
  const at = filter.absolute(path);
  if (at === null) return null;
  if (!filter.isInside(at)) return { call: 'outside' };
  const text = typeof target === 'string' ? target : Buffer.from(bytesOf(target)).toString('utf8');
  return { call: { call: 'symlink', target: text, at: { path: at } } };
};

/** Only the result tells the name. */
const mkdtemp: Describer = ([prefix], { filter, umask }) => {
  const path = filter.absolute(prefix);
  if (path === null) return null;
  if (!filter.isInside(path)) return { call: 'outside' };
  const made = (at: string): RawCall => ({ call: 'mkdir', at: { path: at }, mode: 0o700 & ~umask });
  return {
    call: made(path),
    done: (value) => ({ value: 0, call: made(filter.absolute(value) ?? path) }),
  };
};

/** By the name of the function in the binding. */
export const DESCRIBERS: Readonly<Record<string, Describer>> = {
  open,
  openFileHandle: open,
  close,
  writeBuffer,
  writeBuffers,
  writeString,
  mkdtemp,
  symlink,
  read: (args, context) => readOf(args[0], args[4], context),
  readBuffers: (args, context) => readOf(args[0], args[2], context),
  fsync: syncOf('all'),
  fdatasync: syncOf('data'),
  ftruncate: onDescriptor((fd, args) => ({
    call: 'truncate',
    at: { fd },
    size: numberOf(args[1]),
  })),
  fchmod: onDescriptor((fd, args) => ({
    call: 'attribute',
    at: { fd },
    field: 'mode',
    value: mode(args[1]),
  })),
  fchown: onDescriptor((fd, args) => ({
    call: 'attribute',
    at: { fd },
    field: 'owner',
    value: owner(args[1], args[2]),
  })),
  chmod: onPath(true, (path, args) => ({
    call: 'attribute',
    at: { path },
    field: 'mode',
    value: mode(args[1]),
  })),
  chown: onPath(true, (path, args) => ({
    call: 'attribute',
    at: { path },
    field: 'owner',
    value: owner(args[1], args[2]),
  })),
  lchown: onPath(false, (path, args) => ({
    call: 'attribute',
    at: { path },
    field: 'owner',
    value: owner(args[1], args[2]),
    noFollow: true,
  })),
  mkdir: onPath(false, (path, args, { umask }) => ({
    call: 'mkdir',
    at: { path },
    mode: numberOf(args[1]) & ~umask,
    ...(args[2] === true ? { recursive: true } : {}),
  })),
  unlink: onPath(false, (path) => ({ call: 'unlink', at: { path }, directory: false })),
  rmdir: onPath(false, (path) => ({ call: 'unlink', at: { path }, directory: true })),
  rename: onTwoPaths((from, to) => ({ call: 'rename', from: { path: from }, to: { path: to } })),
  link: onTwoPaths((from, to) => ({ call: 'link', from: { path: from }, to: { path: to } })),
};
