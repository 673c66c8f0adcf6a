/**
 * Private temporary directories and child processes that never outlive this process, except when it is killed
 * with SIGKILL: they go when they are released, when the process exits, and when a signal ends it.
 */

import { mkdtempSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeTree } from '../replay/remove-tree.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const directories = new Set<string>();
const groups = new Set<number>();

/** A new directory, mode 0700, as an absolute path without links. */
export function makeScratchDirectory(): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'holdfast-check-')));
  directories.add(path);
  watch();
  return path;
}

/** When it returns, the directory is gone. */
export function removeScratchDirectory(path: string): void {
  removeTree(path);
  directories.delete(path);
  unwatch();
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
  for (const path of directories) removeTree(path);
  directories.clear();
  unwatch();
}
