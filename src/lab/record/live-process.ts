/**
 * What can still be seen of a running program beside its calls: its files and what `/proc` tells of it. The program
 * runs on meanwhile, so everything here may be gone, and every function says what it gives then.
 */

import fs from 'node:fs';

import { systemClock } from '../../base/clock.ts';

/** Part of a file as it is now, or all of it; null when it is gone or too short. */
export function readBack(path: string, offset: number, length: number | null): Uint8Array | null {
  try {
    const fd = fs.openSync(path, 'r');
    try {
      const wanted = length ?? fs.fstatSync(fd).size;
      const data = new Uint8Array(wanted);
      return fs.readSync(fd, data, 0, wanted, offset) === wanted ? data : null;
    } finally {
      fs.closeSync(fd);
    }
  } catch {
    // Renamed or removed since: the caller says that its bytes are not known.
    return null;
  }
}

/** Part of a file, by the path that it had when it was opened. */
export interface FilePart {
  readonly path: string;
  readonly offset: number;
}

/**
 * The bytes that a call has just copied from one file to another; null when they cannot be known. The program runs on:
 * they are right where both files still agree, or where the process was still held in its call after they were read.
 */
export function copiedBytes(
  pid: number,
  target: FilePart,
  source: FilePart,
  length: number | null,
): Uint8Array | null {
  const copied = readBack(target.path, target.offset, length);
  const original = readBack(source.path, source.offset, length);
  if (copied !== null && isHeldInCall(pid)) return copied;
  if (original === null) return null;
  // The target may have another name by now, or none.
  if (copied === null) return isHeldInCall(pid) ? original : null;
  return Buffer.compare(copied, original) === 0 ? copied : null;
}

/** Copies that strace holds back at their end, so that what was copied can be read: see `record-strace.ts`. */
const HELD_CALLS: Readonly<Record<string, readonly number[]>> = {
  x64: [40, 275, 326],
  arm64: [71, 76, 285],
};

function isHeldInCall(pid: number): boolean {
  try {
    const [, state] = /\) (\S)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    const call = Number.parseInt(fs.readFileSync(`/proc/${pid}/syscall`, 'latin1'), 10);
    return state === 't' && (HELD_CALLS[process.arch] ?? []).includes(call);
  } catch {
    // Gone, or not ours to look at: it may have run on.
    return false;
  }
}

/** Whether two paths are on one file system; not, where one is gone. */
export function onSameFileSystem(one: string, other: string): boolean {
  try {
    return fs.statSync(one).dev === fs.statSync(other).dev;
  } catch {
    // It is no path, or gone: then it synced another thing, or nothing.
    return false;
  }
}

/** The parent of a process; null when it is gone. */
export function parentOf(pid: number): number | null {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^PPid:\s*(\d+)/m.exec(status)?.[1] ?? 0);
  } catch {
    // Gone already; the caller has another way.
    return null;
  }
}

/** How a descriptor was opened and where it stands; its beginning when it is gone. */
export function descriptorInfo(pid: number, fd: number): { append: boolean; position: number } {
  try {
    const info = fs.readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8');
    const flags = Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
    const position = Number(/^pos:\s*(\d+)/m.exec(info)?.[1] ?? 0);
    return { append: (flags & fs.constants.O_APPEND) !== 0, position };
  } catch {
    // Closed since: from its beginning is the best guess, and the final look tells when it was wrong.
    return { append: false, position: 0 };
  }
}

/** The file of the program that a process runs; null when the process is gone. */
export function executableOf(pid: number): string | null {
  try {
    return fs.readlinkSync(`/proc/${pid}/exe`);
  } catch {
    // It ended since; the caller has the path that was asked for.
    return null;
  }
}

/** Whether a process was started with a text in its environment: its number may be another's by now. */
export function environmentHolds(pid: number, text: string): boolean {
  try {
    return fs.readFileSync(`/proc/${pid}/environ`).includes(text);
  } catch {
    // It ended, or this is no Linux.
    return false;
  }
}

export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended since.
  }
}

/** How long killed processes may take to go; one that waits for a device can take longer. */
const GONE_MS = 2000;
const LOOK_MS = 5;

/** Resolves when processes that were killed have ended, or too much time has passed. */
export async function gone(pids: readonly number[]): Promise<void> {
  for (let left = GONE_MS; left > 0 && pids.some(isAlive); left -= LOOK_MS) {
    await systemClock.sleep(LOOK_MS);
  }
}

function isAlive(pid: number): boolean {
  try {
    const state = /\) (\S)/.exec(fs.readFileSync(`/proc/${pid}/stat`, 'latin1'))?.[1];
    return state !== 'Z' && state !== 'X';
  } catch {
    // It is gone.
    return false;
  }
}
