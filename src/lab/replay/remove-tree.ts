/**
 * Removes a directory whatever a checker did to it: also directories without permission bits, which a plain
 * recursive removal by a user other than root cannot enter. Links are removed, never followed.
 */

import { chmodSync, lstatSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

const REMOVE_ATTEMPTS_MAX = 20;

/** When it returns, nothing is at `path`. A missing `path` is fine. */
export function removeTree(path: string): void {
  const kind = kindAt(path);
  if (kind === 'none') return;
  if (kind === 'other') return ignoreMissing(() => unlinkSync(path));
  for (let attempt = 0; ; attempt++) {
    emptyDirectory(path);
    try {
      ignoreMissing(() => rmdirSync(path));
      return;
    } catch (error) {
      // A process that was killed a moment ago may have made one more file: look again, but not for ever.
      const code = error instanceof Error && 'code' in error ? error.code : null;
      if (code !== 'ENOTEMPTY' || attempt === REMOVE_ATTEMPTS_MAX) throw error;
    }
  }
}

/** Removes everything in the directory at `path` and makes it the owner's to read, write and enter. */
export function emptyDirectory(path: string): void {
  ignoreMissing(() => chmodSync(path, 0o700));
  let names: string[] = [];
  ignoreMissing(() => (names = readdirSync(path)));
  for (const name of names) removeTree(join(path, name));
}

function kindAt(path: string): 'none' | 'directory' | 'other' {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'none';
  return stat.isDirectory() ? 'directory' : 'other';
}

function ignoreMissing(call: () => void): void {
  try {
    call();
  } catch (error) {
    // A process of the checker that outlived it may be removing files too: what is gone is gone.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
