/** Figures of an open tree, and those that the file alone can tell. */

import { join } from 'node:path';

import type { EngineStats } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import type { DirectoryEntry, Vfs } from '../vfs/vfs.ts';
import { LOG_NAME, PAGES_NAME, SPILL_NAME } from './btree-parts.ts';
import type { BtreeParts } from './btree-parts.ts';
import { DOUBLE_NAMES } from './double-write.ts';
import { META_PAGE, entryCount, pageCount, rootPage } from './meta-page.ts';
import { PAGE_HEADER_BYTES, PAGE_KIND, pageKind, pageLevel } from './page-format.ts';
import { usedBytes } from './slotted-page.ts';

/** What an open store has done since it was opened, and what it holds. */
export interface BtreeCounts {
  /** Keys that were looked up, those of `getMany` and `has` too, and the pages they looked at. */
  readonly reads: number;
  readonly looks: number;
  /** Batches that were asked for. */
  readonly commits: number;
  /** How long the oldest snapshot has been held; 0: there is none. */
  readonly oldestSnapshotMs: number;
}

export function btreeStats(parts: BtreeParts, vfs: Vfs, counts: BtreeCounts): EngineStats {
  const { pager, log, checkpointer, commits, directory, spill } = parts;
  const { versions, cache, file } = pager;
  const meta = pager.view(META_PAGE);
  const root = cache.peek(rootPage(meta));
  const { oldest, count } = versions.snapshots;
  const { files, bytes } = filesOf(vfs, directory);
  return {
    engine: 'btree',
    files,
    diskBytes: bytes,
    memoryBytes: cache.bytes,
    entries: entryCount(meta),
    snapshots: count,
    details: {
      pageBytes: pager.pageBytes,
      pageCount: pageCount(meta),
      height: root === undefined ? 'not in memory' : pageLevel(root.data) + 1,
      pagesRead: file.pagesRead,
      pagesWritten: file.pagesWritten,
      cachedPages: cache.count,
      changedPages: pager.dirtyCount,
      oldVersionPages: versions.count,
      oldVersionBytes: versions.bytes,
      spillBytes: spill.bytes,
      logBytes: log.bytes,
      checkpointCount: checkpointer.completed,
      leafFillPercent: leafFill(pager),
      readCount: counts.reads,
      commitCount: counts.commits,
      pagesPerRead: ratio(counts.looks, counts.reads),
      pagesWrittenPerCommit: ratio(file.pagesWritten, counts.commits),
      oldestSnapshotMs: counts.oldestSnapshotMs,
      oldestSnapshotCommits: oldest === undefined ? 0 : commits.visible - oldest,
    },
  };
}

/** How full the leaves are that are in memory. */
function leafFill({ cache, pageBytes }: BtreeParts['pager']): number {
  let [used, room] = [0, 0];
  cache.forEach(({ data }) => {
    if (pageKind(data) !== PAGE_KIND.leaf) return;
    used += usedBytes(data);
    room += pageBytes - PAGE_HEADER_BYTES;
  });
  return room === 0 ? 0 : Math.round((used / room) * 100);
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 100) / 100;
}

/** The files of a store, which is open or not, and the bytes in them. */
export function filesOf(
  vfs: Vfs,
  directory: string,
): { readonly files: number; readonly bytes: number } {
  let files = 0;
  let bytes = 0;
  const count = (path: string): void => {
    try {
      bytes += vfs.lstatSync(path).size;
      files++;
    } catch (error) {
      // Segments come and go, and most stores have no scratch file.
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  };
  count(join(directory, PAGES_NAME));
  for (const name of [...DOUBLE_NAMES, SPILL_NAME]) count(join(directory, name));
  const log = join(directory, LOG_NAME);
  for (const { name, kind } of entriesOf(vfs, log)) if (kind === 'file') count(join(log, name));
  return { files, bytes };
}

/** None where the directory is missing: opening says what that means. */
function entriesOf(vfs: Vfs, directory: string): DirectoryEntry[] {
  try {
    return vfs.readDirectorySync(directory);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  }
}
