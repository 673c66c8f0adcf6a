/** Figures of an open tree, and those that the file alone can tell. */

import { join } from 'node:path';

import type { EngineStats } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import type { DirectoryEntry, Vfs } from '../vfs/vfs.ts';
import { LOG_NAME, PAGES_NAME, SPILL_NAME } from './btree-parts.ts';
import type { BtreeParts } from './btree-parts.ts';
import { META_PAGE, entryCount, pageCount, rootPage } from './meta-page.ts';
import { pageLevel } from './page-format.ts';

export function btreeStats(parts: BtreeParts, vfs: Vfs): EngineStats {
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
      oldestSnapshotCommits: oldest === undefined ? 0 : commits.visible - oldest,
    },
  };
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
  count(join(directory, SPILL_NAME));
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
