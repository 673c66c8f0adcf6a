/** Every sync of a trace, counted by what it is of: what a reviewer asks first. */

import type { Trace } from '../record/operation.ts';
import type { FileLife } from './file-life.ts';

export interface SyncCounts {
  /** fdatasync of files, and writes through a descriptor with O_DSYNC. */
  readonly fileData: number;
  /** fsync of files, and writes through a descriptor with O_SYNC. */
  readonly file: number;
  readonly directory: number;
  /** sync and syncfs. */
  readonly all: number;
  /** Of all of these, how many failed. */
  readonly failed: number;
}

export function countSyncs(trace: Trace, life: FileLife): SyncCounts {
  const counts = { fileData: 0, file: 0, directory: 0, all: 0, failed: 0 };
  for (const operation of trace.operations) {
    if (operation.kind === 'sync') {
      if (life.isDirectory(operation.inode)) counts.directory += 1;
      else if (operation.scope === 'data') counts.fileData += 1;
      else counts.file += 1;
    } else if (operation.kind === 'sync-all') counts.all += 1;
    else if (operation.kind === 'write' && operation.durable === 'data') counts.fileData += 1;
    else if (operation.kind === 'write' && operation.durable === 'all') counts.file += 1;
    else continue;
    if (operation.error !== undefined) counts.failed += 1;
  }
  return counts;
}
