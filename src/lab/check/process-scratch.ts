/**
 * Private temporary directories and child processes that do not outlive this process: they go when they are
 * released, when the process exits, and when a signal ends it. What one leaves that is killed with SIGKILL, the next
 * one that makes a directory removes. Not reached: a process that left its group and emptied its environment.
 */

import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '../replay/remove-tree.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const PREFIX = 'holdfast-check-';

/** Of a directory: the process that made it, and where that number means something. */
const OWNED = /^holdfast-check-(\d+)\.(\d+)-/;

const directories = new Set<string>();
const groups = new Set<number>();

/** A new directory, mode 0700, as an absolute path without links. */
export function makeScratchDirectory(): string {
  if (directories.size === 0) sweepDead();
  const path = realpathSync(
    mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}.${ownNamespace()}-`)),
  );
  directories.add(path);
  watch();
  return path;
}

/** When it returns, the directory is gone, and processes that were started in it with it. */
export function removeScratchDirectory(path: string): void {
  killStragglers(path);
  removeTree(path);
  directories.delete(path);
  unwatch();
}

/** Process numbers are of a namespace; containers may share the directory for temporary files. 0: not known. */
function ownNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0';
  } catch {
    // No Linux, or no /proc: then there is one namespace as far as can be seen.
    return '0';
  }
}

/** Removes the directories of processes that are no more: best effort, one user's only. */
function sweepDead(): void {
  const namespace = ownNamespace();
  for (const name of readdirSync(tmpdir())) {
    const [, pid = '', where = ''] = OWNED.exec(name) ?? [];
    if (pid === '' || where !== namespace || isAlive(Number(pid))) continue;
    const path = join(tmpdir(), name);
    try {
      if (lstatSync(path).uid !== process.getuid?.()) continue;
      killStragglers(path);
      removeTree(path);
    } catch {
      // Somebody else sweeps as well, or may not: what is left costs room and nothing else.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

/** Kills whatever was started with a state in this directory and has left its group since (Linux). */
function killStragglers(directory: string): void {
  if (process.platform !== 'linux') return;
  const mark = `HOLDFAST_STATE=${directory}/`;
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${name}/environ`, 'latin1').includes(mark)) continue;
      process.kill(Number(name), 'SIGKILL');
    } catch {
      // Gone meanwhile, or not ours to look at: then it was not started here.
    }
  }
}

/** Remembers the leader of a process group, to be killed should this process end first. */
export function adoptGroup(leader: number): void {
  groups.add(leader);
  watch();
}

/** Kills whatever is left of the group. */
export function endGroup(leader: number): void {
  killGroup(leader);
  groups.delete(leader);
  unwatch();
}

/** Kills a process group, or on Windows the process alone. */
export function killGroup(leader: number): void {
  try {
    process.kill(process.platform === 'win32' ? leader : -leader, 'SIGKILL');
  } catch (error) {
    // ESRCH: nobody is left to kill. EPERM: macOS says so of a group of which only zombies are left.
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
  }
}

let watching = false;

function watch(): void {
  if (watching) return;
  watching = true;
  process.on('exit', cleanUp);
  for (const signal of SIGNALS) process.on(signal, onSignal);
}

function unwatch(): void {
  if (!watching || directories.size > 0 || groups.size > 0) return;
  watching = false;
  process.off('exit', cleanUp);
  for (const signal of SIGNALS) process.off(signal, onSignal);
}

function onSignal(signal: NodeJS.Signals): void {
  // Somebody else listens too: that listener decides, and when it ends the process `exit` comes by here.
  if (process.listenerCount(signal) > 1) return;
  cleanUp();
  // Our own listener is gone, so the signal now does what it does by default: end the process.
  process.kill(process.pid, signal);
}

function cleanUp(): void {
  for (const leader of groups) killGroup(leader);
  groups.clear();
  for (const path of directories) {
    killStragglers(path);
    removeTree(path);
  }
  directories.clear();
  unwatch();
}
