/**
 * Opens a directory: from `CURRENT` to a state in which everything that can be read is durable.
 * Each step is load-bearing, and a crash after any of them leaves what the next open can start from.
 *
 * 1. `CURRENT` names the manifest, the manifest the tables and the oldest log. All must be there.
 * 2. The logs are read, oldest first. What follows the last record that counts is cut.
 * 3. A new log is created, and its name durable. No file number is used that any file has.
 * 4. What the logs held is written to tables of level 0, synced, and their names made durable. So
 *    nothing is served that only the page cache has, and a cut tail is never looked at again.
 * 5. A new manifest with all of it is written and synced, and `CURRENT` replaced: from here on the
 *    new state counts. The old manifest's last record, which may be in the page cache only, is not
 *    built upon.
 * 6. Files that count for nothing are removed.
 *
 * Sequence numbers go on far behind the last one found: records of a lost tail, should an old block
 * of the disk show them again, are never the next ones.
 */

import { join } from 'node:path';

import { CorruptionError, HoldfastError } from '../base/errors.ts';
import type { Poison } from '../durable/poison.ts';
import { runLater } from '../durable/two-forms.ts';
import type { DroppedBytes, RecoveryReport } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import { readWholeFile } from '../vfs/transfer.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { runJob } from './background/run-job.ts';
import { KIND_DELETE, KIND_PUT } from './internal-key.ts';
import { replayLog } from './log-replay.ts';
import type { ReplayResult } from './log-replay.ts';
import { CURRENT_NAME, logName, oldTableName, parseFileName, tableName } from './lsm-files.ts';
import { LsmLog } from './lsm-log.ts';
import type { LsmLogSettings } from './lsm-log.ts';
import type { LsmSettings } from './lsm-options.ts';
import { emptyState, readManifest } from './manifest/manifest-reader.ts';
import type { ManifestState } from './manifest/manifest-reader.ts';
import type { TableMeta } from './manifest/version-edit.ts';
import { VersionSet } from './manifest/version-set.ts';
import { Memtable } from './memtable.ts';

/** Sequence numbers that are skipped at each open. No log holds so many. */
const SEQUENCE_GAP = 2 ** 28;

/** A directory as it is found. */
export interface FoundStore {
  /** Names of all files in it. */
  readonly names: readonly string[];
  readonly state: ManifestState;
  /** Numbers of the logs that count, oldest first. */
  readonly logs: readonly number[];
  /** A number above that of every file. */
  readonly nextFileNumber: number;
}

/** A store that is ready to be served. */
export interface OpenedStore {
  readonly versions: VersionSet;
  readonly log: LsmLog;
  readonly nextSequence: number;
  readonly report: RecoveryReport;
}

/**
 * What is in a directory; null when no store is, not even a damaged one. Changes nothing.
 * @throws HOLDFAST_CORRUPTION, HOLDFAST_FOREIGN, HOLDFAST_FORMAT
 */
export async function findStore(vfs: Vfs, directory: string): Promise<FoundStore | null> {
  const found = await readStore(vfs, directory);
  if (found !== null) await requireFiles(vfs, directory, found.names, found.state);
  return found;
}

/** As `findStore`, and whether the files are there that count is not looked at. */
export async function readStore(vfs: Vfs, directory: string): Promise<FoundStore | null> {
  const names = (await vfs.readDirectory(directory)).map(({ name }) => name);
  if (!names.includes(CURRENT_NAME)) {
    await requireNoStore(vfs, directory, names);
    return null;
  }
  const { path, number } = await readCurrent(vfs, directory, names);
  const state = readManifest(await readWholeFile(vfs, path), path, number);
  const logs: number[] = [];
  let nextFileNumber = Math.max(state.nextFileNumber, number + 1);
  for (const name of names) {
    const file = parseFileName(name);
    if (file === null) continue;
    nextFileNumber = Math.max(nextFileNumber, file.number + 1);
    if (file.kind !== 'log') continue;
    if (file.number >= state.logNumber || file.number === state.previousLogNumber) {
      logs.push(file.number);
    }
  }
  logs.sort((a, b) => a - b);
  return { names, state, logs, nextFileNumber };
}

/** Steps 2 to 5, on what `findStore` found; null makes a new store. */
export async function openStore(
  directory: string,
  found: FoundStore | null,
  settings: LsmSettings,
  logSettings: LsmLogSettings,
  poison: Poison,
): Promise<OpenedStore> {
  const { dispatch } = settings;
  const state = found?.state ?? emptyState();
  // A first open that was cut off may have left files: no number is used twice.
  const nextFileNumber = found?.nextFileNumber ?? (await unusedNumber(dispatch.vfs, directory));
  const versions = new VersionSet({ dispatch, directory, poison }, state, nextFileNumber);
  const replayed = new ReplayedLogs(settings, directory, versions);
  let nextSequence = state.isOurs ? state.lastSequence + 1 : 1;
  for (const number of found?.logs ?? []) {
    const path = join(directory, logName(number));
    const bytes = await readWholeFile(dispatch.vfs, path);
    const isOurs = state.isOurs;
    const result = replayLog({ bytes, path, isOurs, nextSequence }, replayed);
    nextSequence = result.nextSequence;
    await replayed.endLog(path, bytes.length, result);
  }
  nextSequence = Math.max(nextSequence, state.lastSequence + 1);
  if (found !== null) nextSequence += SEQUENCE_GAP;
  // The first manifest is number 1, as LevelDB's.
  if (found === null) versions.reserveManifest();
  const log = await LsmLog.create(versions.takeFileNumbers(), logSettings);
  try {
    const tables = await replayed.finish();
    await versions.begin({
      logNumber: log.number,
      lastSequence: nextSequence - 1,
      newTables: tables.map((table) => ({ level: 0, table })),
    });
  } catch (error) {
    await abandon({ log, versions });
    throw error;
  }
  return { versions, log, nextSequence, report: reportOf(found, directory, replayed, versions) };
}

/** Gives back the files of an opening that has failed. Its error is the one to tell. */
export async function abandon({
  log,
  versions,
}: Pick<OpenedStore, 'log' | 'versions'>): Promise<void> {
  await Promise.allSettled([log.close(), versions.close()]);
}

async function unusedNumber(vfs: Vfs, directory: string): Promise<number> {
  const names = await vfs.readDirectory(directory);
  return names.reduce(
    (next, { name }) => Math.max(next, (parseFileName(name)?.number ?? 0) + 1),
    1,
  );
}

/** Gathers what logs hold, as tables once it is much. */
class ReplayedLogs {
  readonly #settings: LsmSettings;
  readonly #directory: string;
  readonly #versions: VersionSet;
  readonly #tables: TableMeta[] = [];
  readonly dropped: DroppedBytes[] = [];
  #memtable = new Memtable();
  batches = 0;
  bytes = 0;
  isSealed = true;

  constructor(settings: LsmSettings, directory: string, versions: VersionSet) {
    this.#settings = settings;
    this.#directory = directory;
    this.#versions = versions;
  }

  put(
    sequence: number,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.#memtable.add(sequence, KIND_PUT, bytes, keyStart, keyEnd, valueStart, valueEnd);
  }

  delete(sequence: number, bytes: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#memtable.add(sequence, KIND_DELETE, bytes, keyStart, keyEnd, keyEnd, keyEnd);
  }

  async endLog(path: string, length: number, result: ReplayResult): Promise<void> {
    this.batches += result.batches;
    this.bytes += result.bytes;
    if (length > 0) this.isSealed = result.isSealed;
    if (result.torn !== null) this.dropped.push({ path, ...result.torn });
    if (this.#memtable.bytes >= this.#settings.writeBufferBytes) await this.#writeTable();
  }

  /** Step 4. */
  async finish(): Promise<readonly TableMeta[]> {
    await this.#writeTable();
    return this.#tables;
  }

  async #writeTable(): Promise<void> {
    if (this.#memtable.count === 0) return;
    const { dispatch, format } = this.#settings;
    const job = {
      kind: 'flush',
      memtable: this.#memtable.parts(),
      directory: this.#directory,
      format,
      smallestSnapshot: Number.MAX_SAFE_INTEGER,
      firstNumber: this.#versions.takeFileNumbers(),
      numberCount: 1,
    } as const;
    const { tables } = await runLater(runJob(job, dispatch));
    this.#tables.push(...tables);
    this.#memtable = new Memtable();
  }
}

function reportOf(
  found: FoundStore | null,
  directory: string,
  replayed: ReplayedLogs,
  versions: VersionSet,
): RecoveryReport {
  const dropped = [...replayed.dropped];
  if (found !== null && found.state.tornBytes > 0) {
    const { tornOffset, tornBytes } = found.state;
    dropped.push({
      path: join(directory, `MANIFEST before ${versions.manifestNumber}`),
      offset: tornOffset,
      bytes: tornBytes,
      reason: 'the last edit was not wholly written, and nothing relied on it',
    });
  }
  const clean = found === null || (replayed.isSealed && dropped.length === 0);
  return {
    created: found === null,
    clean,
    replayedBatches: clean ? 0 : replayed.batches,
    replayedBytes: clean ? 0 : replayed.bytes,
    dropped,
  };
}

async function readCurrent(
  vfs: Vfs,
  directory: string,
  names: readonly string[],
): Promise<{ path: string; number: number }> {
  const path = join(directory, CURRENT_NAME);
  const text = new TextDecoder().decode(await readWholeFile(vfs, path));
  const name = text.endsWith('\n') ? text.slice(0, -1) : '';
  const file = parseFileName(name);
  if (file === null || file.kind !== 'manifest') {
    const expected = 'the name of a manifest (repair the store, or restore a copy)';
    const found = text === '' ? 'an empty file' : JSON.stringify(text.slice(0, 60));
    throw new CorruptionError({ path, offset: 0, expected, found });
  }
  if (!names.includes(name)) {
    const expected = `${name} in the directory (repair the store, or restore a copy)`;
    throw new CorruptionError({ path, offset: 0, expected, found: 'no such file' });
  }
  return { path: join(directory, name), number: file.number };
}

/** Step 1: tables of their lengths, and the oldest log. @throws HOLDFAST_CORRUPTION */
async function requireFiles(
  vfs: Vfs,
  directory: string,
  names: readonly string[],
  state: ManifestState,
): Promise<void> {
  const known = new Set(names);
  const { logNumber } = state;
  if (logNumber > 0 && !known.has(logName(logNumber))) {
    throw missing(join(directory, logName(logNumber)), 'the oldest log that counts');
  }
  const tables = state.version.levels.flat();
  await Promise.all(
    tables.map(async ({ number, length }) => {
      const path = join(
        directory,
        known.has(tableName(number)) ? tableName(number) : oldTableName(number),
      );
      let size: number;
      try {
        ({ size } = await vfs.stat(path));
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error;
        throw missing(join(directory, tableName(number)), 'a table that counts');
      }
      if (size === length) return;
      const expected = `a table of ${length} bytes (repair the store, or restore a copy)`;
      const offset = Math.min(size, length);
      throw new CorruptionError({ path, offset, expected, found: `${size} bytes` });
    }),
  );
}

function missing(path: string, what: string): CorruptionError {
  const expected = `${what} (repair the store, or restore a copy)`;
  return new CorruptionError({ path, offset: 0, expected, found: 'no such file' });
}

/**
 * Without `CURRENT` there is no store, or one that is damaged. What a crash in the middle of the
 * first open leaves is a manifest and an empty log.
 */
async function requireNoStore(
  vfs: Vfs,
  directory: string,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const file = parseFileName(name);
    if (file === null) {
      if (name.startsWith('.') || name.startsWith('holdfast-lock-') || name === 'lost') continue;
      throw new HoldfastError(
        'HOLDFAST_FOREIGN',
        `${directory} holds ${JSON.stringify(name)} and is no store: give it a directory of its own`,
      );
    }
    const isData =
      file.kind === 'table' ||
      (file.kind === 'log' && (await vfs.stat(join(directory, name))).size > 0);
    if (isData) throw missing(join(directory, CURRENT_NAME), 'the name of the manifest');
  }
}
