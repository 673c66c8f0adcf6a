/**
 * The directory in which one rig keeps images, logs and mount points, named after its owner, and the sweep of
 * what dead owners left. A rig that ends in any ordinary way, or is killed, leaves nothing (see the keeper); the
 * sweep is for the case that rig and keeper were both killed: then loop devices and files stay.
 */

import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { readlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Keeper } from './keeper.ts';

const PREFIX = 'holdfast-powercut';
const MEMORY_DIRECTORY = '/dev/shm';
/** Least free space that makes the memory file system the place to work, in bytes. */
const MEMORY_FREE_MIN = 2 ** 30;
const KEEPER_FILE = 'keeper';

/** Makes a work directory that names this process as its owner. Others may pass through it, not list it. */
export function makeWorkDirectory(): string {
  const owner = `${processNamespace()}-${process.pid}-${startTime(process.pid) ?? 0}`;
  const path = mkdtempSync(join(workPlace(), `${PREFIX}-${owner}-`));
  chmodSync(path, 0o711);
  return path;
}

/** Notes which keeper serves the directory: while it lives, it takes down by itself. */
export function noteKeeper(workDirectory: string, keeperPid: number): void {
  writeFileSync(join(workDirectory, KEEPER_FILE), `${keeperPid}-${startTime(keeperPid) ?? 0}`);
}

/**
 * Detaches loop devices and removes work directories whose owner and keeper are both dead. Owners of another
 * process namespace are never judged. Returns the directories removed.
 */
export async function sweepDeadOwners(keeper: Keeper): Promise<string[]> {
  const removed: string[] = [];
  for (const place of new Set([MEMORY_DIRECTORY, tmpdir()])) {
    for (const name of namesIn(place)) {
      const owner = /^holdfast-powercut-(\d+)-(\d+)-(\d+)-/.exec(name);
      if (owner === null || owner[1] !== processNamespace()) continue;
      const path = join(place, name);
      if (isAlive(`${owner[2]}-${owner[3]}`) || isAlive(keeperOf(path))) continue;
      for (const device of loopDevicesUnder(path)) await keeper.detachLoop(device);
      rmSync(path, { recursive: true, force: true });
      removed.push(path);
    }
  }
  return removed;
}

/** Loop devices whose backing file is below `directory`. */
export function loopDevicesUnder(directory: string): string[] {
  return namesIn('/sys/block')
    .filter((name) => name.startsWith('loop'))
    .filter((name) => {
      const file = readOrEmpty(`/sys/block/${name}/loop/backing_file`);
      return file.startsWith(`${directory}/`);
    })
    .map((name) => `/dev/${name}`);
}

/** In memory where there is room: crash states are written and read thousands of times. */
function workPlace(): string {
  try {
    const { bavail, bsize } = statfsSync(MEMORY_DIRECTORY);
    return bavail * bsize >= MEMORY_FREE_MIN ? MEMORY_DIRECTORY : tmpdir();
  } catch {
    // No such file system: the ordinary place for temporary files always serves.
    return tmpdir();
  }
}

/** A process id may be used again; together with the start time it is one process. */
function isAlive(pidAndStart: string): boolean {
  const [pid = '', start] = pidAndStart.split('-');
  return pid !== '' && startTime(Number(pid)) === start;
}

function keeperOf(workDirectory: string): string {
  return readOrEmpty(join(workDirectory, KEEPER_FILE));
}

/** When a process started, in the kernel's ticks; undefined when there is none, or it is a zombie. */
function startTime(pid: number): string | undefined {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The command's name may hold spaces and brackets: fields are counted after its last bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

function processNamespace(): string {
  return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    // A place that does not exist holds nothing to sweep.
    return [];
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // The process, device or note is gone: nothing is known of it, which is what the empty text says.
    return '';
  }
}
