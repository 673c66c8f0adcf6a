/**
 * Functions beneath `node:fs` that make several system calls in one: what those are, in their order, as `strace`
 * shows them. Where Node has a way that makes the calls one by one from JavaScript, the program is led there.
 */

import fs from 'node:fs';
import { join } from 'node:path';

import type { Describer, DescribeContext, Done } from './node-fs-calls.ts';
import { numberOf } from './node-fs-calls.ts';
import type { RawCall } from './raw-log.ts';
import { READ_FLAGS, type OpenFlags } from './system-call.ts';

/** As they were before the program could replace them. */
const { closeSync, lstatSync, opendirSync, openSync, readFileSync, statSync, writeSync } = fs;

const COPY_FLAGS: OpenFlags = { ...READ_FLAGS, write: true, create: true };

type Step = { readonly call: RawCall; readonly value: number };

/** libuv after 1.46 (Node 20) gives a copy the owner of its source, too. */
const COPIES_OWNER: boolean = isNewerThan(process.versions.uv, 1, 46);

function isNewerThan(version: string, major: number, minor: number): boolean {
  const [hasMajor = 0, hasMinor = 0] = version.split('.').map(Number);
  return hasMajor > major || (hasMajor === major && hasMinor > minor);
}

function ownerOf(path: string): string {
  const { uid, gid } = statSync(path);
  return `${uid}:${gid}`;
}

/** What follows the open of a copy's target: libuv cuts it, gives it owner and mode, fills it, closes it. */
function copySteps(fd: number, target: string, mode: number): readonly Step[] {
  const data = readFileSync(target);
  const value = (mode & 0o7777).toString(8);
  const owner: Step = {
    call: { call: 'attribute', at: { fd }, field: 'owner', value: ownerOf(target) },
    value: 0,
  };
  return [
    { call: { call: 'truncate', at: { fd }, size: 0 }, value: 0 },
    ...(COPIES_OWNER ? [owner] : []),
    { call: { call: 'attribute', at: { fd }, field: 'mode', value }, value: 0 },
    { call: { call: 'write', fd, position: null, data }, value: data.byteLength },
    { call: { call: 'close', fd }, value: 0 },
  ];
}

function modeOf(path: unknown): number {
  try {
    return statSync(path as string).mode;
  } catch {
    // The copy will fail for the same reason.
    return 0o644;
  }
}

export const copyFile: Describer = ([source, target, copyMode], context) => {
  const { filter, umask } = context;
  const path = filter.followed(target);
  if (path === null) return null;
  if (!filter.isInside(path)) return { call: 'outside' };
  const mode = modeOf(source);
  const exclusive = (numberOf(copyMode) & fs.constants.COPYFILE_EXCL) !== 0;
  const flags = { ...COPY_FLAGS, exclusive };
  const fd = context.inventFd();
  return {
    call: { call: 'open', at: { path }, flags, mode: mode & 0o7777 & ~umask },
    done: () => ({ value: fd, more: () => copySteps(fd, path, mode) }),
  };
};

/** From Node 22 on, `cpSync` over an existing file: the old file is removed and a new one written. */
export const overrideFile: Describer = ([source, target], context) => {
  const { filter } = context;
  const path = filter.absolute(target);
  if (path === null) return null;
  if (!filter.isInside(path)) return { call: 'outside' };
  const mode = modeOf(source);
  const done = (): Done => {
    const fd = context.inventFd();
    const flags = { ...COPY_FLAGS, exclusive: true };
    const open: Step = { call: { call: 'open', at: { path }, flags, mode: 0o200 }, value: fd };
    return { value: 0, more: () => [open, ...copySteps(fd, path, mode)] };
  };
  return { call: { call: 'unlink', at: { path }, directory: false }, done };
};

interface Entry {
  readonly path: string;
  readonly directory: boolean;
}

/** All that a recursive removal removes, in the order in which the C++ library does it. */
function* removals(path: string): Generator<Entry> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  const directory = stat.isDirectory();
  if (directory) {
    const stream = opendirSync(path);
    const names: string[] = [];
    for (let entry = stream.readSync(); entry !== null; entry = stream.readSync()) {
      names.push(entry.name);
    }
    stream.closeSync();
    for (const name of names) yield* removals(join(path, name));
  }
  yield { path, directory };
}

/** From Node 24 on, `rmSync` is one native function. It may fail half-way; what is gone by then is told. */
export function watchedRemoval(
  path: unknown,
  context: DescribeContext,
): { readonly gone: () => readonly Step[] } | null {
  const at = context.filter.absolute(path);
  if (at === null || !context.filter.isInside(at)) return null;
  const entries = [...removals(at)];
  return {
    gone: () =>
      entries
        .filter((entry) => lstatSync(entry.path, { throwIfNoEntry: false }) === undefined)
        .map(({ path: gone, directory }) => ({
          call: { call: 'unlink', at: { path: gone }, directory },
          value: 0,
        })),
  };
}

/** What `fs.writeFileSync` of a string is beneath: open, write, close. */
export function writeFileUtf8(path: unknown, text: unknown, flags: unknown, mode: unknown): void {
  const data = Buffer.from(String(text), 'utf8');
  const isFd = typeof path === 'number';
  const fd = isFd ? path : openSync(path as string, numberOf(flags), numberOf(mode));
  try {
    let offset = 0;
    while (offset < data.byteLength) {
      offset += writeSync(fd, data, offset, data.byteLength - offset);
    }
  } finally {
    if (!isFd) closeSync(fd);
  }
}
