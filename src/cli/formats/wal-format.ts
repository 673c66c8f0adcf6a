/** The directory of a write-ahead log: all its segments as recovery would see them, which changes nothing here. */

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { CorruptionError } from '../../base/errors.ts';
import { runNow } from '../../durable/two-forms.ts';
import { nodeVfs } from '../../vfs/node-vfs.ts';
import { scanSegment } from '../../wal/segment-scan.ts';
import { listWal, segmentPath, WAL_POINTER_NAME } from '../../wal/wal-directory.ts';
import { inspectWal } from '../../wal/wal-inspection.ts';
import type { WalInspection } from '../../wal/wal-inspection.ts';
import { dumpLogFile, fileReport } from './log-file-format.ts';
import { complaintOf } from './store-format.ts';
import type { FormatProgress, StoreFormat, StoreReport } from './store-format.ts';

export const walFormat: StoreFormat = {
  name: 'directory of a write-ahead log',
  recognises: (path) =>
    statSync(path).isDirectory() && (existsSync(join(path, WAL_POINTER_NAME)) || hasSegments(path)),
  *dump(path, onProgress) {
    const inspection = inspectOrComplain(path, onProgress);
    if ('files' in inspection) return inspection;
    for (const segment of inspection.segments) yield* dumpLogFile(segment.path, segment.limit);
    return reportOf(inspection);
  },
  verify(path, onProgress) {
    const inspection = inspectOrComplain(path, onProgress);
    return 'files' in inspection ? inspection : reportOf(inspection);
  },
};

function inspectOrComplain(path: string, onProgress: FormatProgress): WalInspection | StoreReport {
  try {
    return inspect(path, onProgress);
  } catch (error) {
    // Without its pointer nothing more can be said: that is the finding.
    if (!(error instanceof CorruptionError)) throw error;
    return { files: [], damage: [complaintOf(error)], torn: [], notes: [] };
  }
}

/** Whether a log is there that has lost its pointer: files that begin as its segments do. */
function hasSegments(path: string): boolean {
  const { segments, foreign } = runNow(listWal(nodeVfs, path));
  if (foreign.includes('CURRENT')) return false;
  return segments.some((number) => {
    return runNow(scanSegment(nodeVfs, segmentPath(path, number), 'any')).ours;
  });
}

function inspect(path: string, onProgress: FormatProgress): WalInspection {
  const steps = inspectWal(nodeVfs, path, ({ bytes, totalBytes }) => onProgress(bytes, totalBytes));
  return runNow(steps);
}

function reportOf({ segments, names, damage, torn, lost }: WalInspection): StoreReport {
  const first = segments[0]?.number ?? 0;
  const leaving = names.segments.filter((number) => number < first).length;
  return {
    files: segments.map(fileReport),
    damage: [
      ...(damage === null ? [] : [complaintOf(damage)]),
      ...lost.map(({ path, offset, bytes, reason }) => ({
        file: path,
        offset,
        message: `${bytes} bytes would be lost: ${reason}`,
      })),
    ],
    torn: torn.map(({ path, offset, bytes, reason }) => ({
      file: path,
      offset,
      message: `${bytes} bytes that opening cuts off: ${reason}`,
    })),
    notes: [
      ...(leaving === 0 ? [] : [`segments on their way out: ${leaving}`]),
      ...(names.temporaries.length === 0
        ? []
        : [`left by a recovery that was cut short: ${names.temporaries.join(', ')}`]),
      ...(names.foreign.length === 0
        ? []
        : [`not of the log, and left alone: ${names.foreign.join(', ')}`]),
    ],
  };
}
