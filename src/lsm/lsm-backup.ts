/**
 * A durable copy of one state of an open store, made while it is read and written. `CURRENT` comes
 * last: a copy that was not finished is no store.
 *
 * 1. The tables of the version are copied and synced; the caller holds it, so that they stay.
 * 2. What is in memory up to the state's sequence number becomes a table of level 0.
 * 3. An empty log, the manifest and `CURRENT`, as for a new store.
 */

import { join } from 'node:path';

import { copyFile } from '../durable/copied-file.ts';
import { makeEmptyDirectory } from '../durable/empty-directory.ts';
import { Poison } from '../durable/poison.ts';
import { runLater } from '../durable/two-forms.ts';
import type { TwoFormSteps } from '../durable/two-forms.ts';
import type { BackupReport, ProgressOptions } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import { TableWriter } from './background/table-writer.ts';
import { CURSOR } from './entry-cursor.ts';
import { sequenceAt } from './internal-key.ts';
import { oldTableName, tableName } from './lsm-files.ts';
import { LsmLog } from './lsm-log.ts';
import type { LsmSettings } from './lsm-options.ts';
import type { TableMeta } from './manifest/version-edit.ts';
import { emptyState } from './manifest/manifest-reader.ts';
import { Version } from './manifest/version.ts';
import { VersionSet } from './manifest/version-set.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { MergingCursor } from './merging-cursor.ts';
import type { ReadState } from './read-state.ts';

/** See `Engine.backup`. REQUIRES: the version of `state` is held. */
export async function backupStore(
  from: string,
  to: string,
  state: ReadState,
  settings: LsmSettings,
  options: ProgressOptions,
): Promise<BackupReport> {
  const { dispatch, clock } = settings;
  await makeEmptyDirectory(dispatch, to, clock);
  const tables = state.version.levels.flat();
  const total = tables.reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  for (const { number } of tables) {
    options.signal?.throwIfAborted();
    const onBytes = (bytes: number): void => {
      done += bytes;
      options.onProgress?.({ phase: 'copying tables', done, total, unit: 'bytes' });
    };
    await copyTable(settings, from, to, number, onBytes);
  }
  const first = 1 + tables.reduce((most, { number }) => Math.max(most, number), 2);
  const writer = new TableWriter(dispatch, to, settings.format, first);
  await runLater(writeMemory(state, writer));
  const bytes = await beginStore(to, state, settings, writer.tables, first + 1);
  options.onProgress?.({ phase: 'copied', done, total, unit: 'bytes' });
  const files = tables.length + writer.tables.length + 3;
  return { directory: to, files, bytes: done + bytes };
}

async function copyTable(
  settings: LsmSettings,
  from: string,
  to: string,
  number: number,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const { dispatch } = settings;
  const target = join(to, tableName(number));
  try {
    await copyFile(dispatch, join(from, tableName(number)), target, onBytes);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    await copyFile(dispatch, join(from, oldTableName(number)), target, onBytes);
  }
}

/** Step 2. The memtables may be added to meanwhile, with sequence numbers above the state's. */
function* writeMemory(state: ReadState, writer: TableWriter): TwoFormSteps<void> {
  const cursor = new MergingCursor(state.memtables.map((table) => new MemtableCursor(table)));
  cursor.seekToFirst();
  for (; cursor.state === CURSOR.entry; cursor.next()) {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
    if (sequenceAt(keyBytes, keyEnd) > state.sequence) continue;
    const builder = writer.builder ?? (yield* writer.begin());
    builder.add(keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd);
    if (builder.isChunkReady) yield* writer.flush();
  }
  if (writer.builder !== null) yield* writer.end();
}

/** Step 3. Returns the bytes of the tables from memory. */
async function beginStore(
  directory: string,
  state: ReadState,
  settings: LsmSettings,
  young: readonly TableMeta[],
  nextFileNumber: number,
): Promise<number> {
  const { dispatch, policy, batch, clock } = settings;
  const poison = new Poison(directory);
  const copied = {
    ...emptyState(),
    version: new Version(state.version.levels),
    nextFileNumber,
    lastSequence: state.sequence,
  };
  const versions = new VersionSet({ dispatch, directory, poison }, copied, nextFileNumber);
  // Also makes the names of the tables durable.
  const log = await LsmLog.create(versions.takeFileNumbers(), {
    dispatch,
    directory,
    policy,
    batch,
    preallocateBytes: 0,
    poison,
    clock,
    onRefused: () => {},
  });
  await log.close();
  await versions.begin({
    logNumber: log.number,
    newTables: young.map((table) => ({ level: 0, table })),
  });
  await versions.close();
  return young.reduce((sum, { length }) => sum + length, 0);
}
