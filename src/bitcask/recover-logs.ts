/**
 * Recovery: reads the logs that were open at a crash, and makes durable what counts of them.
 *
 * Order, each step load-bearing: 1. the open logs are read, in order, and nothing is changed; 2. a
 * new log is made; what is doubtful at the end of the last log with entries is written again into
 * it, and synced; 3. the manifest gives the old logs their durable lengths, and names the new one:
 * from here on nobody reads what was cut; 4. only then files that it does not name are removed. A
 * crash before 3 leaves the store as it was, and the files of step 2 unnamed.
 */

import { CorruptionError } from '../base/errors.ts';
import { readFully } from '../vfs/transfer.ts';
import type { DroppedBytes } from '../engine/engine-reports.ts';
import type { DataFile } from './data-file.ts';
import {
  ENTRY_HEADER_BYTES,
  EntryView,
  FILE_HEADER_BYTES,
  MARK,
  MORE_FOLLOWS,
  putEntry,
  sealEntry,
} from './entry-format.ts';
import type { KeyIndex } from './key-index.ts';
import type { OpenedFile } from './load-files.ts';
import type { LogFile } from './log-file.ts';
import type { ManifestFile } from './manifest.ts';
import { scanLog } from './scan-log.ts';
import type { ScannedLog } from './scan-log.ts';

/** What is doubtful is written again in pieces: a part of a log's length each, and no more than so much. */
const PIECES_A_LOG = 16;
const PIECE_BYTES_MAX = 4 << 20;

/** What the open logs hold. */
export interface ReadLogs {
  /** Sequence number of the last entry that counts. */
  readonly sequence: number;
  readonly clock: number;
  readonly batches: number;
  readonly bytes: number;
  readonly dropped: readonly DroppedBytes[];
  readonly logs: readonly { readonly opened: OpenedFile; readonly scanned: ScannedLog }[];
}

/**
 * Step 1. `sequence` is that of the last entry before the first of these logs, or before the floor
 * of the first.
 * @throws HOLDFAST_CORRUPTION
 */
export async function readOpenLogs(
  opened: readonly OpenedFile[],
  index: KeyIndex,
  sequence: number,
): Promise<ReadLogs> {
  const logs: { opened: OpenedFile; scanned: ScannedLog }[] = [];
  const dropped: DroppedBytes[] = [];
  let last = sequence;
  let clock = 0;
  let batches = 0;
  let bytes = 0;
  for (const one of opened) {
    const { data, entry, size } = one;
    const scanned = await scanLog(data, index, entry.length, size, last);
    const [cut] = dropped;
    // A log takes its first entry only when all before it are durable.
    if (scanned.hasEntries && cut !== undefined) throw wasDurable(cut, data);
    if (scanned.tornBytes > 0) {
      const reason = 'nothing says that it was durable: a write that the crash tore';
      const { offset } = scanned.end;
      dropped.push({ path: data.path, offset, bytes: scanned.tornBytes, reason });
    }
    logs.push({ opened: one, scanned });
    last = scanned.end.sequence;
    clock = Math.max(clock, scanned.clock);
    batches += scanned.batches;
    bytes += scanned.end.offset - entry.length;
  }
  return { sequence: last, clock, batches, bytes, dropped, logs };
}

function wasDurable(cut: DroppedBytes, by: DataFile): CorruptionError {
  return new CorruptionError({
    path: cut.path,
    offset: cut.offset,
    expected: `a whole entry, because ${by.path} has later ones`,
    found: 'other bytes',
  });
}

/** The last log with entries: all before it are durable. */
function lastUsed({ logs }: ReadLogs): (typeof logs)[number] | undefined {
  return logs.findLast(({ scanned }) => scanned.hasEntries);
}

/**
 * Step 2: writes what is doubtful again into the new log, and shows it there. Durable when it
 * resolves. Logs are about `fileBytes` long.
 */
export async function rewriteDoubtful(
  read: ReadLogs,
  target: LogFile,
  index: KeyIndex,
  fileBytes: number,
): Promise<void> {
  const last = lastUsed(read);
  if (last === undefined) return;
  const { data } = last.opened;
  const { end, durable } = last.scanned;
  const most = Math.min(PIECE_BYTES_MAX, Math.ceil(fileBytes / PIECES_A_LOG));
  for (let from = durable.offset; from < end.offset;) {
    const bytes = await readEntries(data, from, Math.min(most, end.offset - from));
    from += bytes.length;
    const copy = copyEntries(bytes, target);
    if (copy.length === 0) continue;
    const { length } = target.append;
    await target.append.append(copy, from < end.offset ? 'none' : 'sync');
    index.applyEntries(target.data, copy, length, copy.length);
  }
  // The files that the index leads to may be forgotten next.
  index.catchUp();
  // The last piece may have had nothing to append.
  const { durableLength, length } = target.append;
  if (durableLength < length) await target.append.sync();
  if (durable.offset === end.offset) return;
  // What follows is not the store's any more, and neither are its records in the hint.
  data.length = durable.offset;
  data.fingerprint = durable.fingerprint;
  data.entries = durable.entries;
  if (durable.hint !== undefined) data.hint?.truncate(durable.hint);
}

/** Entries that were read before, whole, from byte position `from` on: `most` bytes, or one entry. */
async function readEntries(data: DataFile, from: number, most: number): Promise<Uint8Array> {
  const view = new EntryView();
  let bytes = new Uint8Array(Math.max(most, ENTRY_HEADER_BYTES));
  await readFully(data.file, bytes, from);
  let end = 0;
  while (view.peek(bytes, end, bytes.length - end) && end + view.length <= bytes.length) {
    end += view.length;
  }
  if (end > 0) return bytes.subarray(0, end);
  bytes = new Uint8Array(view.length);
  await readFully(data.file, bytes, from);
  return bytes;
}

/** The puts and deletes among entries that were read before, for the end of another log. */
function copyEntries(bytes: Uint8Array, target: LogFile): Uint8Array {
  const view = new EntryView();
  const copy = new Uint8Array(bytes.length);
  const start = target.append.length;
  let end = 0;
  for (let at = 0; at < bytes.length;) {
    view.peek(bytes, at, bytes.length - at);
    const next = at + view.length;
    if (view.kind !== MARK) {
      // Nothing behind the header is known to be durable until all of it is.
      const undurable = start + end - FILE_HEADER_BYTES;
      // The fields that peek leaves out are read behind the check of the whole.
      const fields = { ...fieldsOf(bytes, at, view), undurable };
      const { keyStart, keyEnd, valueEnd } = view;
      const after = putEntry(copy, end, fields, bytes, keyStart, keyEnd, bytes, keyEnd, valueEnd);
      sealEntry(copy, end, after, target.data.number, start + end);
      end = after;
    }
    at = next;
  }
  return copy.subarray(0, end);
}

function fieldsOf(
  bytes: Uint8Array,
  at: number,
  view: EntryView,
): { kind: number; flags: number; sequence: number; expiry: number } {
  view.loadFields(bytes, at);
  return {
    kind: view.kind,
    flags: view.flags & MORE_FOLLOWS,
    sequence: view.sequence,
    expiry: view.expiry,
  };
}

/** For step 3: what the manifest says of the old logs from now on. */
export function recoveredFiles(read: ReadLogs): ManifestFile[] {
  const last = lastUsed(read);
  return read.logs.flatMap(({ opened, scanned }) => {
    const { data, entry } = opened;
    const point = opened === last?.opened ? scanned.durable : scanned.end;
    if (point.entries === 0 || point.offset === FILE_HEADER_BYTES) return [];
    data.sealed = true;
    data.length = point.offset;
    const { fingerprint } = point;
    return [{ ...entry, open: false, length: point.offset, fingerprint }];
  });
}
