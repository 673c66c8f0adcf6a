/** Which files a merge takes, and whether one is due. Only counts; merging is `merger.ts`. */

import type { MergeOptions } from './bitcask-options.ts';
import type { DataFile } from './data-file.ts';

/** So many small files are merged although nothing in them is dead. */
const SMALL_FILES_MAX = 8;

/**
 * Files for a merge in the background; none when none is due. `sealed`: those it may take. Of what
 * has expired, only files in which all has: of them, deletes at most are copied.
 */
export function dueForMerge(
  sealed: readonly DataFile[],
  settings: Required<MergeOptions>,
  isOver: (expiry: number) => boolean,
): DataFile[] {
  const due = sealed.some(
    (file) =>
      100 * file.fragmentation >= settings.fragmentationTrigger ||
      file.deadBytes >= Math.max(1, settings.deadBytesTrigger) ||
      isOver(file.lastExpiry),
  );
  const isSmall = (file: DataFile): boolean => file.length < settings.smallFileBytes;
  if (!due && sealed.filter(isSmall).length < SMALL_FILES_MAX) return [];
  return sealed.filter(
    (file) =>
      100 * file.fragmentation >= settings.fragmentationThreshold ||
      file.deadBytes >= Math.max(1, settings.deadBytesThreshold) ||
      isOver(file.lastExpiry) ||
      isSmall(file),
  );
}

/** Files for a merge by call: all, when anything in them is dead, is over or could be put together. */
export function worthMerging(
  sealed: readonly DataFile[],
  fileBytes: number,
  isOver: (expiry: number) => boolean,
): DataFile[] {
  const dead = sealed.some((file) => file.entries > file.liveEntries || isOver(file.firstExpiry));
  const small = sealed.filter((file) => file.length < fileBytes / 2).length > 1;
  return dead || small ? [...sealed] : [];
}
