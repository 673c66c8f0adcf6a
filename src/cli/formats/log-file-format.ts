/** One log file by itself, ours or LevelDB's: a segment of a write-ahead log, or the log of a LevelDB directory. */

import { closeSync, openSync, readSync, statSync } from 'node:fs';

import { runNow } from '../../durable/two-forms.ts';
import { nodeVfs } from '../../vfs/node-vfs.ts';
import type { BatchOperation } from '../../wal/batch-format.ts';
import { SegmentCursor } from '../../wal/segment-cursor.ts';
import { scanSegment, SEGMENT_CHUNK_BYTES } from '../../wal/segment-scan.ts';
import type { SegmentScan } from '../../wal/segment-scan.ts';
import type { WalEntry } from '../../wal/wal-entry.ts';
import type { DumpedRecord, FileReport, StoreFormat, StoreReport } from './store-format.ts';

export const logFileFormat: StoreFormat = {
  name: 'log file',
  recognises: (path) => path.endsWith('.log') && statSync(path).isFile(),
  *dump(path) {
    const cursor = yield* dumpLogFile(path, Infinity);
    const { size } = statSync(path);
    const { ours, firstSequence, lastSequence, records, watermark, problem } = cursor;
    const holds = { path, size, ours, firstSequence, lastSequence, records, watermark };
    return reportOf({ ...holds, problem });
  },
  verify(path, onProgress) {
    const { size } = statSync(path);
    let done = 0;
    return reportOf(
      runNow(scanSegment(nodeVfs, path, 'any', (bytes) => onProgress((done += bytes), size))),
    );
  },
};

type Scanned = Pick<
  SegmentScan,
  'path' | 'size' | 'ours' | 'firstSequence' | 'lastSequence' | 'records' | 'watermark' | 'problem'
>;

/** Without what stands around it, nobody can say whether a bad place of a single file was durable. */
function reportOf(scan: Scanned): StoreReport {
  const { path, problem, ours } = scan;
  const complaint =
    problem === null
      ? []
      : [
          {
            file: path,
            offset: problem.at,
            message: `expected ${problem.expected}, found ${problem.found}`,
          },
        ];
  const certain = problem?.certain === true;
  return {
    files: [fileReport(scan)],
    damage: certain ? complaint : [],
    torn: certain ? [] : complaint,
    notes: ours ? [] : ['it has no watermarks: what was durable cannot be told from the file'],
  };
}

/** What a log file holds, in words. */
export function fileReport(scan: Omit<Scanned, 'problem'>): FileReport {
  const { path, size, records, firstSequence, lastSequence, ours, watermark } = scan;
  const range = records === 0 ? '' : `, sequence ${firstSequence} to ${lastSequence}`;
  const known = ours ? `, known to be durable up to ${watermark}` : '';
  const plural = records === 1 ? '1 record' : `${records} records`;
  return { file: path, bytes: size, holds: `${plural}${range}${known}` };
}

/** The records of a log file up to this sequence number, from the first to the first that is none. */
export function* dumpLogFile(
  path: string,
  sequenceMax: number,
  onRead: (bytes: number) => void = () => {},
): Generator<DumpedRecord, SegmentCursor, undefined> {
  const cursor = new SegmentCursor('any');
  const descriptor = openSync(path, 'r');
  try {
    for (;;) {
      const step = cursor.next(true);
      if (step === 'end') return cursor;
      if (step === 'more') {
        const chunk = Buffer.alloc(SEGMENT_CHUNK_BYTES);
        const length = readWhole(descriptor, chunk, cursor.feedOffset);
        onRead(length);
        cursor.feed(chunk.subarray(0, length), length < chunk.length);
        continue;
      }
      const { entry } = cursor;
      if (entry === null || entry.sequence > sequenceMax) return cursor;
      yield* dumpEntry(path, cursor.recordOffset, entry);
    }
  } finally {
    closeSync(descriptor);
  }
}

function readWhole(descriptor: number, chunk: Uint8Array, position: number): number {
  let length = 0;
  while (length < chunk.length) {
    const count = readSync(descriptor, chunk, length, chunk.length - length, position + length);
    if (count === 0) break;
    length += count;
  }
  return length;
}

function* dumpEntry(file: string, offset: number, entry: WalEntry): Generator<DumpedRecord> {
  if (entry.kind !== 'batch') {
    yield {
      file,
      offset,
      kind: entry.kind,
      fields: { sequence: entry.sequence, ...bytesOf(entry) },
    };
    return;
  }
  const { operations, sequence } = entry;
  for (const [index, operation] of operations.entries()) {
    const number = sequence - operations.length + 1 + index;
    const place = `${index + 1} of ${operations.length}`;
    yield {
      file,
      offset,
      kind: operation.kind,
      fields: { sequence: number, batch: place, ...bytesOf(operation) },
    };
  }
}

function bytesOf(operation: BatchOperation): Record<string, number | Uint8Array> {
  switch (operation.kind) {
    case 'put':
      return { key: operation.key, value: operation.value };
    case 'delete':
      return { key: operation.key };
    case 'checkpoint':
      return { upTo: operation.upTo, bytes: operation.bytes };
    default:
      return { bytes: operation.bytes };
  }
}
