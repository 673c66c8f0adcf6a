/**
 * Reads everything of a store and reports what is wrong with it, without changing anything: every
 * block of every table with its checksum, the order of keys in tables and levels, and for a store
 * that is not open its manifest and logs. Not here: mending (`lsm-repair`).
 */

import { join } from 'node:path';

import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { runLater } from '../durable/two-forms.ts';
import type { Damage, ProgressOptions, VerifyReport } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import { readWholeFile } from '../vfs/transfer.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { CURSOR } from './entry-cursor.ts';
import { compareInternalKeys, KIND_DELETE, KIND_PUT, SEQUENCE_MAX } from './internal-key.ts';
import { replayLog } from './log-replay.ts';
import type { ReplaySink } from './log-replay.ts';
import { logName, oldTableName, parseFileName, tableName } from './lsm-files.ts';
import { readStore } from './lsm-recovery.ts';
import type { FoundStore } from './lsm-recovery.ts';
import { compareUser } from './manifest/version.ts';
import type { Version } from './manifest/version.ts';
import type { TableMeta } from './manifest/version-edit.ts';
import { userKeyOf } from './internal-key.ts';
import { Memtable } from './memtable.ts';
import { ReadContext } from './read-context.ts';
import { stateCursor } from './read-state.ts';
import type { ReadState } from './read-state.ts';
import { BlockCursor } from './table/block-cursor.ts';
import { TableCache } from './table/table-cache.ts';
import { openTable } from './table/table.ts';
import type { Table } from './table/table.ts';
import { VisibleCursor } from './visible-cursor.ts';

/** Logs that hold more are read, and their entries not counted. */
const COUNTED_BYTES_MAX = 256 << 20;

/** Gathers what a verification finds. */
class Findings {
  readonly damage: Damage[] = [];
  files = 0;
  bytes = 0;

  /** Notes damage; other errors go on. */
  note(error: unknown, path: string): void {
    if (error instanceof CorruptionError) {
      this.damage.push({ path: error.path, offset: error.offset, message: error.message });
    } else if (error instanceof HoldfastError || errorCode(error) === 'ENOENT') {
      this.damage.push({ path, offset: undefined, message: (error as Error).message });
    } else {
      throw error;
    }
  }

  report(entries: number | undefined): VerifyReport {
    const { damage, files, bytes } = this;
    return { sound: damage.length === 0, files, bytes, entries, damage };
  }
}

/** `Engine.verify`: the state that the caller holds. */
export async function verifyState(
  vfs: Vfs,
  directory: string,
  state: ReadState,
  options: ProgressOptions,
): Promise<VerifyReport> {
  const findings = new Findings();
  await verifyVersion(vfs, directory, state.version, findings, options);
  const entries =
    findings.damage.length === 0 ? await countEntries(vfs, directory, state) : undefined;
  return findings.report(entries);
}

/** `EngineKind.verify`: a store that is not open here. */
export async function verifyStore(
  vfs: Vfs,
  directory: string,
  options: ProgressOptions,
): Promise<VerifyReport> {
  const findings = new Findings();
  let found: FoundStore | null;
  try {
    found = await readStore(vfs, directory);
  } catch (error) {
    // Another program's store, or a newer one, is not a damaged one.
    const code = errorCode(error);
    if (code === 'HOLDFAST_FOREIGN' || code === 'HOLDFAST_FORMAT') throw error;
    findings.note(error, directory);
    await verifyUnnamed(vfs, directory, findings, options);
    return findings.report(undefined);
  }
  if (found === null) throw new HoldfastError('HOLDFAST_MISSING', `${directory} holds no store`);
  const { state } = found;
  const memtable = await verifyLogs(vfs, directory, found, findings);
  await verifyVersion(vfs, directory, state.version, findings, options);
  if (findings.damage.length > 0 || memtable === null) return findings.report(undefined);
  const memtables = memtable.count === 0 ? [] : [memtable];
  const read = { memtables, version: state.version, sequence: SEQUENCE_MAX };
  try {
    return findings.report(await countEntries(vfs, directory, read));
  } catch (error) {
    // A table that was good a moment ago: another process has merged it by now.
    findings.note(error, directory);
    return findings.report(undefined);
  }
}

/** The logs that count. Gives what they hold; null where that is too much to be counted. */
async function verifyLogs(
  vfs: Vfs,
  directory: string,
  { names, state, logs }: FoundStore,
  findings: Findings,
): Promise<Memtable | null> {
  const oldest = logName(state.logNumber);
  if (state.logNumber > 0 && !names.includes(oldest)) {
    const message = 'the oldest log that counts is missing';
    findings.damage.push({ path: join(directory, oldest), offset: undefined, message });
  }
  let memtable: Memtable | null = new Memtable();
  let nextSequence = state.isOurs ? state.lastSequence + 1 : 1;
  for (const number of logs) {
    const path = join(directory, logName(number));
    try {
      const bytes = await readWholeFile(vfs, path);
      findings.files++;
      findings.bytes += bytes.length;
      const log = { bytes, path, isOurs: state.isOurs, nextSequence };
      ({ nextSequence } = replayLog(log, sinkOf(memtable)));
    } catch (error) {
      findings.note(error, path);
    }
    if (memtable !== null && memtable.bytes > COUNTED_BYTES_MAX) memtable = null;
  }
  return memtable;
}

function sinkOf(memtable: Memtable | null): ReplaySink {
  if (memtable === null) return { put: () => {}, delete: () => {} };
  return {
    put: (sequence, bytes, a, b, c, d) => memtable.add(sequence, KIND_PUT, bytes, a, b, c, d),
    delete: (sequence, bytes, a, b) => memtable.add(sequence, KIND_DELETE, bytes, a, b, b, b),
  };
}

/** Every table and log that is there, where nothing says which of them count. */
async function verifyUnnamed(
  vfs: Vfs,
  directory: string,
  findings: Findings,
  { onProgress, signal }: ProgressOptions,
): Promise<void> {
  const files = (await vfs.readDirectory(directory)).flatMap(({ name }) => {
    const file = parseFileName(name);
    return file?.kind === 'table' || file?.kind === 'log' ? [{ name, kind: file.kind }] : [];
  });
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const [index, { name, kind }] of files.entries()) {
    signal?.throwIfAborted();
    const path = join(directory, name);
    try {
      if (kind === 'log') await verifyUnnamedLog(vfs, path, findings);
      else await verifyUnnamedTable(vfs, path, findings);
    } catch (error) {
      findings.note(error, path);
    }
    onProgress?.({ phase: 'reading files', done: index + 1, total: files.length, unit: 'files' });
  }
}

async function verifyUnnamedTable(vfs: Vfs, path: string, findings: Findings): Promise<void> {
  const { size } = await vfs.stat(path);
  await verifyFile(await runLater(openTable(vfs, path, size)), null, findings);
}

/** A log of which nobody says who wrote it, and where it goes on. */
async function verifyUnnamedLog(vfs: Vfs, path: string, findings: Findings): Promise<void> {
  const bytes = await readWholeFile(vfs, path);
  findings.files++;
  findings.bytes += bytes.length;
  // As a log of LevelDB's: without the manifest, what watermarks say cannot be judged.
  const log = { bytes, path, isOurs: false, nextSequence: 1 };
  const { torn } = replayLog(log, sinkOf(null));
  if (torn === null) return;
  const message = `${torn.bytes} bytes cannot be read: ${torn.reason}`;
  findings.damage.push({ path, offset: torn.offset, message });
}

async function verifyVersion(
  vfs: Vfs,
  directory: string,
  version: Version,
  findings: Findings,
  { onProgress, signal }: ProgressOptions,
): Promise<void> {
  const tables = version.levels.flat();
  let done = 0;
  const total = tables.reduce((sum, { length }) => sum + length, 0);
  for (const meta of tables) {
    signal?.throwIfAborted();
    await verifyTable(vfs, directory, meta, findings);
    done += meta.length;
    onProgress?.({ phase: 'reading tables', done, total, unit: 'bytes' });
  }
  for (const level of version.levels.slice(1)) verifyLevel(directory, level, findings);
  onProgress?.({ phase: 'verified', done, total, unit: 'bytes' });
}

/** Tables of a level follow each other. */
function verifyLevel(directory: string, tables: readonly TableMeta[], findings: Findings): void {
  for (const [index, table] of tables.entries()) {
    const before = tables[index - 1];
    if (before === undefined) continue;
    const first = userKeyOf(table.smallest);
    if (compareUser(before.largest, first, 0, first.length) <= 0) continue;
    const path = join(directory, tableName(table.number));
    const message = `${path} begins before table ${before.number} of its level ends`;
    findings.damage.push({ path, offset: undefined, message });
  }
}

async function verifyTable(
  vfs: Vfs,
  directory: string,
  meta: TableMeta,
  findings: Findings,
): Promise<void> {
  const path = join(directory, tableName(meta.number));
  let table: Table;
  try {
    table = await openEither(vfs, directory, meta);
  } catch (error) {
    findings.note(error, path);
    return;
  }
  await verifyFile(table, meta, findings);
}

/** Reads a table, and closes it. */
async function verifyFile(table: Table, meta: TableMeta | null, findings: Findings): Promise<void> {
  findings.files++;
  findings.bytes += table.length;
  try {
    await verifyBlocks(table, meta, findings);
  } finally {
    await table.close();
  }
}

/** The table under its name or the one of old LevelDB's. */
async function openEither(vfs: Vfs, directory: string, meta: TableMeta): Promise<Table> {
  try {
    return await runLater(openTable(vfs, join(directory, tableName(meta.number)), meta.length));
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    const older = openTable(vfs, join(directory, oldTableName(meta.number)), meta.length);
    return runLater(older).catch((second: unknown) => {
      // Where there is neither, the name of today is the one that is missed.
      throw errorCode(second) === 'ENOENT' ? error : second;
    });
  }
}

async function verifyBlocks(
  table: Table,
  meta: TableMeta | null,
  findings: Findings,
): Promise<void> {
  const index = new BlockCursor(table.index);
  let last: Uint8Array | null = null;
  let first: Uint8Array | null = null;
  for (index.seekToFirst(); index.valid; index.next()) {
    try {
      const block = await table.readBlock(table.handleAt(index));
      const cursor = new BlockCursor(block);
      for (cursor.seekToFirst(); cursor.valid; cursor.next()) {
        const key = cursor.key.slice(0, cursor.keyLength);
        if (last !== null && compareInternalKeys(last, key) >= 0) {
          throw block.damage('keys in order', 'one that is not after the one before');
        }
        first ??= key;
        last = key;
      }
    } catch (error) {
      findings.note(error, table.path);
    }
  }
  if (meta === null) return;
  const isAsSaid =
    first !== null &&
    last !== null &&
    compareInternalKeys(first, meta.smallest) >= 0 &&
    compareInternalKeys(last, meta.largest) <= 0;
  if (isAsSaid || findings.damage.some(({ path }) => path === table.path)) return;
  const message = `${table.path} holds keys outside the range that the manifest gives it`;
  findings.damage.push({ path: table.path, offset: undefined, message });
}

/** How many keys have a value. */
async function countEntries(vfs: Vfs, directory: string, state: ReadState): Promise<number> {
  const bounds = { tablesMax: 1000, indexBytesMax: 64 << 20, blockBytesMax: 0 };
  const tables = new TableCache(vfs, directory, bounds);
  tables.enter();
  try {
    const context = new ReadContext(tables, false, false);
    const cursor = new VisibleCursor(stateCursor(state, context), state.sequence);
    let count = 0;
    for (cursor.seekForward(null, false); cursor.state !== CURSOR.end;) {
      if (cursor.state === CURSOR.blocked) {
        await context.load();
        cursor.resume();
        continue;
      }
      context.release();
      count++;
      cursor.next();
    }
    return count;
  } finally {
    tables.leave();
    await tables.close();
  }
}
