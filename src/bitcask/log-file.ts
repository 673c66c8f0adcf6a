/**
 * One log: a data file that takes entries at its end. Makes it, names it in the manifest, and
 * finishes it when it is full. Which log is written to, and in what order, is `log-writer.ts`'s.
 *
 * Order: 1. the file is made, its name and header are durable; 2. the manifest names it; 3. it
 * takes entries; 4. it is closed: cut and synced; 5. the manifest gives its length.
 */

import { join } from 'node:path';

import type { Clock } from '../base/clock.ts';
import { AppendFile } from '../durable/append-file.ts';
import type { AppendFileOptions, BatchBounds } from '../durable/append-options.ts';
import type { Poison } from '../durable/poison.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import type { DataFile, FileTable } from './data-file.ts';
import { FILE_HEADER_BYTES, LOG_FILE, dataFileName, encodeFileHeader } from './entry-format.ts';
import type { Manifest, ManifestFile } from './manifest.ts';

/** What logs are made with. */
export interface LogSurroundings {
  readonly directory: string;
  readonly dispatch: SyncDispatch;
  readonly clock: Clock;
  readonly poison: Poison;
  readonly policy: SyncPolicy;
  readonly bounds: Partial<BatchBounds>;
  readonly preallocateBytes: number;
  readonly files: FileTable;
}

/** Appends to the log with this number were refused; it has gone back to `length`. */
export type OnRefused = (number: number, length: number) => void;

/** A log that takes entries. */
export interface LogFile {
  readonly append: AppendFile;
  readonly data: DataFile;
}

/** Makes a log with this number. When it resolves, steps 1 are done. */
export async function createLog(
  around: LogSurroundings,
  number: number,
  onRefused: OnRefused,
): Promise<LogFile> {
  const path = join(around.directory, dataFileName(number));
  const append = await AppendFile.create(
    path,
    logOptions(around, (length) => onRefused(number, length)),
  );
  try {
    // Apart from its sync, so that zeros are written ahead only where synced entries come.
    await append.append(encodeFileHeader(LOG_FILE, number), 'none');
    await append.sync();
    const file = await around.dispatch.vfs.open(path, { read: true });
    return { append, data: addFile(around, number, path, file) };
  } catch (error) {
    // No manifest names it: it is swept, at the latest when the store is opened.
    await append.close().catch(() => 'the first error is told');
    await around.dispatch.vfs.unlink(path).catch(() => 'swept later');
    throw error;
  }
}

/** As `createLog`, on the calling thread. */
export function createLogSync(
  around: LogSurroundings,
  number: number,
  onRefused: OnRefused,
): LogFile {
  const path = join(around.directory, dataFileName(number));
  const append = AppendFile.createSync(
    path,
    logOptions(around, (length) => onRefused(number, length)),
  );
  try {
    append.appendSync(encodeFileHeader(LOG_FILE, number), 'none');
    append.syncSync();
    const file = around.dispatch.vfs.openSync(path, { read: true });
    return { append, data: addFile(around, number, path, file) };
  } catch (error) {
    // As in `createLog`.
    void append.close().catch(() => 'the first error is told');
    void around.dispatch.vfs.unlink(path).catch(() => 'swept later');
    throw error;
  }
}

function logOptions(
  around: LogSurroundings,
  onRefused: (length: number) => void,
): AppendFileOptions {
  const { dispatch, clock, poison, policy, bounds, preallocateBytes } = around;
  return { dispatch, clock, poison, sync: policy, batch: bounds, preallocateBytes, onRefused };
}

function addFile(around: LogSurroundings, number: number, path: string, file: VfsFile): DataFile {
  return around.files.add(number, path, file, false, FILE_HEADER_BYTES, false);
}

/** The manifest with a new log at its end. */
export function withLog(manifest: Manifest, log: DataFile): Manifest {
  const entry: ManifestFile = {
    number: log.number,
    length: log.length,
    open: true,
    merged: false,
    fingerprint: log.fingerprint,
  };
  return { ...manifest, files: [...manifest.files, entry] };
}

/**
 * The manifest with logs that take no more entries, all of whose bytes are durable: each with its
 * length, or left out when it has no entries. `sequence` is the last one in them.
 */
export function withFinished(
  manifest: Manifest,
  logs: readonly DataFile[],
  sequence: number,
  clock: number,
): Manifest {
  const byNumber = new Map(logs.map((log) => [log.number, log]));
  const files = manifest.files.flatMap((file) => {
    const log = byNumber.get(file.number);
    if (log === undefined) return [file];
    if (log.entries === 0) return [];
    return [{ ...file, open: false, length: log.length, fingerprint: log.fingerprint }];
  });
  return { ...manifest, files, sequence, clock: Math.max(manifest.clock, clock) };
}
