/** The numbers of this platform's open flags, told apart. */

import { constants } from 'node:fs';

import type { OpenFlags } from './system-call.ts';

/** `constants` names only the flags that the platform has. */
function flag(name: string): number {
  const value: unknown = Reflect.get(constants, name);
  return typeof value === 'number' ? value : 0;
}

const O_DSYNC = flag('O_DSYNC');
const O_SYNC = flag('O_SYNC');
const O_NOFOLLOW = flag('O_NOFOLLOW');
const O_DIRECTORY = flag('O_DIRECTORY');
/** Linux; Node does not name it. It contains O_DIRECTORY. */
const O_TMPFILE = process.platform === 'linux' ? 0o20000000 | O_DIRECTORY : 0;
const O_CLOEXEC = process.platform === 'linux' ? 0o2000000 : 0;

function has(flags: number, bits: number): boolean {
  return bits !== 0 && (flags & bits) === bits;
}

/** On Linux O_SYNC contains O_DSYNC, so the stronger is looked for first. */
function durabilityOf(flags: number): OpenFlags['durable'] {
  if (has(flags, O_SYNC)) return 'all';
  return has(flags, O_DSYNC) ? 'data' : 'none';
}

export function openFlagsOf(flags: number): OpenFlags {
  const access = flags & (constants.O_WRONLY | constants.O_RDWR);
  return {
    write: access !== 0,
    append: has(flags, constants.O_APPEND),
    create: has(flags, constants.O_CREAT),
    exclusive: has(flags, constants.O_EXCL),
    truncate: has(flags, constants.O_TRUNC),
    noFollow: has(flags, O_NOFOLLOW),
    temporary: has(flags, O_TMPFILE),
    closeOnExec: has(flags, O_CLOEXEC),
    durable: durabilityOf(flags),
  };
}
