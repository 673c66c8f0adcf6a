/**
 * Renaming over a file that others may have open. Windows refuses that while a reader, a virus
 * scanner or an indexer holds the target without sharing it, mostly for milliseconds: there it is
 * tried again, for a bounded time. Elsewhere one call is enough.
 * @see https://github.com/npm/write-file-atomic/issues/28 and
 *   https://github.com/isaacs/node-graceful-fs/pull/119
 */

import type { Clock } from '../base/clock.ts';
import { errorCode } from '../vfs/errno.ts';
import type { Vfs } from '../vfs/vfs.ts';

/** Milliseconds between attempts, about two seconds in all. */
const DELAYS_MS: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 400, 500, 700];

const HELD_BY_OTHERS: ReadonlySet<string | undefined> = new Set(['EPERM', 'EACCES', 'EBUSY']);

/** What decides whether and when to try again. */
export interface RenameSystem {
  readonly vfs: Vfs;
  /** As in `process.platform`. */
  readonly platform: string;
  readonly clock: Clock;
}

/** Renames once elsewhere, a bounded number of times on Windows. Rejects with the last error. */
export async function renameOver(
  { vfs, platform, clock }: RenameSystem,
  from: string,
  to: string,
  inline: boolean,
): Promise<void> {
  for (const delayMs of platform === 'win32' ? DELAYS_MS : []) {
    try {
      if (inline) vfs.renameSync(from, to);
      else await vfs.rename(from, to);
      return;
    } catch (error) {
      // Somebody has the target open. It may be closed in a moment.
      if (!HELD_BY_OTHERS.has(errorCode(error))) throw error;
    }
    await clock.sleep(delayMs);
  }
  if (inline) vfs.renameSync(from, to);
  else await vfs.rename(from, to);
}

/** As `renameOver`, blocking. */
export function renameOverSync(
  { vfs, platform, clock }: RenameSystem,
  from: string,
  to: string,
): void {
  for (const delayMs of platform === 'win32' ? DELAYS_MS : []) {
    try {
      vfs.renameSync(from, to);
      return;
    } catch (error) {
      // As in `renameOver`.
      if (!HELD_BY_OTHERS.has(errorCode(error))) throw error;
    }
    clock.sleepSync(delayMs);
  }
  vfs.renameSync(from, to);
}
