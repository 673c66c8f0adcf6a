/**
 * The files of a LevelDB directory: tables and manifests by themselves, and the directory as its manifest tells which
 * of them count. Its logs are shown by `log-file-format.ts`.
 */

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

import { DecodeError } from '../../base/byte-reader.ts';
import { CorruptionError } from '../../base/errors.ts';
import { runNow } from '../../durable/two-forms.ts';
import { kindAt, KIND_PUT, sequenceAt, userKeyOf } from '../../lsm/internal-key.ts';
import { CURRENT_NAME, logName, parseFileName } from '../../lsm/lsm-files.ts';
import { readManifest } from '../../lsm/manifest/manifest-reader.ts';
import type { ManifestState } from '../../lsm/manifest/manifest-reader.ts';
import { decodeEdit } from '../../lsm/manifest/version-edit.ts';
import type { VersionEdit } from '../../lsm/manifest/version-edit.ts';
import { BlockCursor } from '../../lsm/table/block-cursor.ts';
import { FOOTER_BYTES } from '../../lsm/table/table-format.ts';
import { openTable } from '../../lsm/table/table.ts';
import type { Table } from '../../lsm/table/table.ts';
import { nodeVfs } from '../../vfs/node-vfs.ts';
import { LogParser } from '../../wal/log-parser.ts';
import { counted } from '../output.ts';
import { dumpLogFile, fileReport } from './log-file-format.ts';
import { addReport, complaintOf, emptyReport, verifyByDumping } from './store-format.ts';
import type {
  DumpedRecord,
  FormatProgress,
  Gathered,
  StoreFormat,
  StoreReport,
} from './store-format.ts';

type Dumping = Generator<DumpedRecord, StoreReport, undefined>;

/** A table by itself. */
export const tableFileFormat: StoreFormat = {
  name: 'table (.ldb, .sst)',
  recognises: (path) => isFileOf(path, 'table'),
  dump: dumpTable,
  verify: (path, onProgress) => verifyByDumping(tableFileFormat, path, onProgress),
};

/** A manifest by itself. */
export const manifestFileFormat: StoreFormat = {
  name: 'manifest of a LevelDB directory',
  recognises: (path) => isFileOf(path, 'manifest'),
  dump: dumpManifest,
  verify: (path, onProgress) => verifyByDumping(manifestFileFormat, path, onProgress),
};

/** `CURRENT` by itself. */
export const currentFileFormat: StoreFormat = {
  name: 'CURRENT of a LevelDB directory',
  recognises: (path) => isFileOf(path, 'current'),
  dump: dumpCurrent,
  verify: (path, onProgress) => verifyByDumping(currentFileFormat, path, onProgress),
};

/** Whether the manifest that it names is there is for the directory to say. */
function* dumpCurrent(file: string): Dumping {
  const report = emptyReport();
  const manifest = readFileSync(file, 'utf8').trimEnd();
  if (parseFileName(manifest)?.kind === 'manifest') {
    yield { file, offset: 0, kind: 'current', fields: { manifest } };
  } else {
    report.damage.push({ file, offset: 0, message: 'it names no manifest' });
  }
  report.files.push({ file, bytes: statSync(file).size, holds: 'the name of a manifest' });
  return report;
}

function isFileOf(path: string, kind: string): boolean {
  return parseFileName(basename(path))?.kind === kind && statSync(path).isFile();
}

/** `CURRENT`, the manifest, the tables level by level, and the logs that count, oldest first. */
export function* dumpLsmStore(path: string, onProgress: FormatProgress): Dumping {
  const report = emptyReport();
  const state = yield* dumpState(path, report);
  const tables = tablePaths(path, state);
  const logs = logPaths(path, state);
  const missing = tables.filter((each) => !existsSync(each));
  for (const file of missing) report.damage.push({ file, offset: null, message: 'it is missing' });
  const present = [...tables.filter((each) => existsSync(each)), ...logs];
  const total = present.reduce((sum, each) => sum + statSync(each).size, 0);
  let done = 0;
  for (const file of present) {
    onProgress(done, total);
    done += statSync(file).size;
    if (logs.includes(file)) yield* dumpLog(file, report);
    else addReport(report, yield* dumpTable(file));
  }
  onProgress(total, total);
  return report;
}

/** Null where it cannot be told: then every file is shown. */
function* dumpState(
  path: string,
  report: Gathered,
): Generator<DumpedRecord, ManifestState | null, undefined> {
  const current = join(path, CURRENT_NAME);
  if (!existsSync(current)) {
    report.damage.push({ file: current, offset: null, message: 'it is missing' });
    return null;
  }
  const name = readFileSync(current, 'utf8').trimEnd();
  yield { file: current, offset: 0, kind: 'current', fields: { manifest: name } };
  const manifest = join(path, name);
  const number = parseFileName(name)?.kind === 'manifest' && existsSync(manifest);
  if (!number) {
    report.damage.push({ file: current, offset: 0, message: 'it names no manifest that is there' });
    return null;
  }
  addReport(report, yield* dumpManifest(manifest));
  const damaged = report.damage.length > 0;
  return damaged ? null : readManifest(readFileSync(manifest), manifest, numberOf(manifest));
}

function tablePaths(path: string, state: ManifestState | null): string[] {
  const names = readdirSync(path);
  if (state === null) return names.filter(isTable).map((name) => join(path, name));
  return state.version.levels.flat().map(({ number }) => {
    const found = names.find((name) => isTable(name) && parseFileName(name)?.number === number);
    return join(path, found ?? `${String(number).padStart(6, '0')}.ldb`);
  });
}

function isTable(name: string): boolean {
  return parseFileName(name)?.kind === 'table';
}

function logPaths(path: string, state: ManifestState | null): string[] {
  const numbers = readdirSync(path).flatMap((name) => {
    const file = parseFileName(name);
    return file?.kind === 'log' ? [file.number] : [];
  });
  return numbers
    .filter((number) => state === null || number >= state.logNumber)
    .toSorted((a, b) => a - b)
    .map((number) => join(path, logName(number)));
}

function* dumpLog(path: string, report: Gathered): Generator<DumpedRecord, void, undefined> {
  const cursor = yield* dumpLogFile(path, Infinity);
  const { ours, firstSequence, lastSequence, records, watermark, problem } = cursor;
  const { size } = statSync(path);
  report.files.push(
    fileReport({ path, size, ours, firstSequence, lastSequence, records, watermark }),
  );
  if (problem === null) return;
  const { at, expected, found, certain } = problem;
  const complaint = { file: path, offset: at, message: `expected ${expected}, found ${found}` };
  (certain ? report.damage : report.torn).push(complaint);
}

function* dumpTable(path: string): Dumping {
  const report = emptyReport();
  const { size } = statSync(path);
  let entries = 0;
  try {
    const table = runNow(openTable(nodeVfs, path, size));
    try {
      entries = yield* dumpBlocks(table, report);
      const fields = {
        indexBytes: table.index.bytes.length,
        filterBytes: table.filter?.length ?? 0,
      };
      yield { file: path, offset: size - FOOTER_BYTES, kind: 'footer', fields };
    } finally {
      table.closeSync();
    }
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    report.damage.push(complaintOf(error));
  }
  report.files.push({ file: path, bytes: size, holds: counted(entries, 'entry', 'entries') });
  return report;
}

/** A block that cannot be read is damage, and the next one is shown. */
function* dumpBlocks(table: Table, report: Gathered): Generator<DumpedRecord, number, undefined> {
  const { path: file } = table;
  const index = new BlockCursor(table.index);
  let entries = 0;
  for (index.seekToFirst(); index.valid; index.next()) {
    try {
      const { offset, length } = table.handleAt(index);
      const last = userKeyOf(index.key.slice(0, index.keyLength));
      yield { file, offset, kind: 'block', fields: { bytes: length, upTo: last } };
      const cursor = new BlockCursor(table.readBlockSync({ offset, length }));
      for (cursor.seekToFirst(); cursor.valid; cursor.next()) {
        entries++;
        yield entryOf(file, offset, cursor);
      }
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      report.damage.push(complaintOf(error));
    }
  }
  return entries;
}

function entryOf(file: string, offset: number, cursor: BlockCursor): DumpedRecord {
  const { key: bytes, keyLength, block, valueStart, valueEnd } = cursor;
  const sequence = sequenceAt(bytes, keyLength);
  const key = userKeyOf(bytes.slice(0, keyLength));
  if (kindAt(bytes, keyLength) !== KIND_PUT) {
    return { file, offset, kind: 'delete', fields: { sequence, key } };
  }
  const value = block.bytes.slice(valueStart, valueEnd);
  return { file, offset, kind: 'put', fields: { sequence, key, value } };
}

/** Each edit as a record, and each table that it adds or removes as another. */
function* dumpManifest(path: string): Dumping {
  const report = emptyReport();
  const bytes = readFileSync(path);
  const edits = yield* dumpEdits(path, bytes);
  report.files.push({ file: path, bytes: bytes.length, holds: counted(edits, 'edit') });
  try {
    // Reads it as opening would, which decides what its end means.
    const { tornBytes, tornOffset } = readManifest(bytes, path, numberOf(path));
    if (tornBytes > 0) {
      const message = `${tornBytes} bytes that opening cuts off: the last edit is not whole`;
      report.torn.push({ file: path, offset: tornOffset, message });
    }
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    report.damage.push(complaintOf(error));
  }
  return report;
}

/** Up to the first record that is no edit of this manifest. Returns how many there were. */
function* dumpEdits(path: string, bytes: Uint8Array): Generator<DumpedRecord, number, undefined> {
  const parser = new LogParser();
  parser.feed(bytes, true);
  for (let edits = 0; ; edits++) {
    if (parser.next() !== 'record') return edits;
    let edit: VersionEdit;
    try {
      edit = decodeEdit(parser.bytes.subarray(parser.start, parser.stop));
    } catch (error) {
      if (error instanceof DecodeError) return edits;
      throw error;
    }
    const { nextFileNumber = Infinity } = edit;
    if (nextFileNumber <= numberOf(path)) return edits;
    yield* dumpEdit(path, parser.offset, edit);
  }
}

function* dumpEdit(file: string, offset: number, edit: VersionEdit): Generator<DumpedRecord> {
  const { comparator, logNumber, previousLogNumber, nextFileNumber, lastSequence } = edit;
  const given = Object.entries({
    comparator,
    log: logNumber,
    previousLog: previousLogNumber,
    nextFile: nextFileNumber,
    lastSequence,
  }).filter((pair): pair is [string, string | number] => pair[1] !== undefined);
  yield { file, offset, kind: 'edit', fields: Object.fromEntries(given) };
  for (const { level, key } of edit.compactPointers ?? []) {
    const fields = { level, key: userKeyOf(key) };
    yield { file, offset, kind: 'compact-from', fields };
  }
  for (const { level, number } of edit.deletedTables ?? []) {
    yield { file, offset, kind: 'remove-table', fields: { level, table: number } };
  }
  for (const { level, table } of edit.newTables ?? []) {
    const { number, length, smallest, largest } = table;
    const range = { from: userKeyOf(smallest), to: userKeyOf(largest) };
    const fields = { level, table: number, bytes: length, ...range };
    yield { file, offset, kind: 'add-table', fields };
  }
}

function numberOf(path: string): number {
  return parseFileName(basename(path))?.number ?? 0;
}
