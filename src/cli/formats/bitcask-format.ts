/** The files of a Bitcask store: data, hint, index and manifest files by themselves, and the directory as its manifest has it. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

import { CorruptionError, HoldfastError } from '../../base/errors.ts';
import {
  checkFileHeader,
  dataFileName,
  DELETE,
  FILE_HEADER_BYTES,
  get64,
  hintFileName,
  parseFileName,
  PUT,
} from '../../bitcask/entry-format.ts';
import type { EntryView } from '../../bitcask/entry-format.ts';
import { EntryScanner } from '../../bitcask/entry-scanner.ts';
import { HINT_HEADER_BYTES, HintReader } from '../../bitcask/hint-file.ts';
import {
  INDEX_BLOCK_BYTES,
  IndexReader,
  decodeIndexHeader,
  indexHeaderBytes,
} from '../../bitcask/index-file.ts';
import type { IndexHeader } from '../../bitcask/index-file.ts';
import { lengthOfCode } from '../../bitcask/key-location.ts';
import { get32 } from '../../bitcask/keydir-page.ts';
import { decodeManifest, MANIFEST_NAME } from '../../bitcask/manifest.ts';
import type { Manifest, ManifestFile } from '../../bitcask/manifest.ts';
import { readPointerSync } from '../../durable/pointer-file.ts';
import { nodeVfs } from '../../vfs/node-vfs.ts';
import { readFullySync, readWholeFileSync } from '../../vfs/transfer.ts';
import type { VfsFile } from '../../vfs/vfs.ts';
import { counted } from '../output.ts';
import { addReport, complaintOf, emptyReport, verifyByDumping } from './store-format.ts';
import type {
  DumpedRecord,
  FormatProgress,
  Gathered,
  StoreFormat,
  StoreReport,
} from './store-format.ts';

const PIECE_BYTES = 1 << 20;

type Dumping = Generator<DumpedRecord, StoreReport, undefined>;

/** A data file by itself. */
export const dataFileFormat: StoreFormat = {
  name: 'data file (.data)',
  recognises: (path) => parseFileName(basename(path))?.kind === 'data' && statSync(path).isFile(),
  dump: (path) => dumpData(path, undefined),
  verify: (path, onProgress) => verifyByDumping(dataFileFormat, path, onProgress),
};

/** A hint file by itself. */
export const hintFileFormat: StoreFormat = {
  name: 'hint file (.hint)',
  recognises: (path) => parseFileName(basename(path))?.kind === 'hint' && statSync(path).isFile(),
  dump: dumpHint,
  verify: (path, onProgress) => verifyByDumping(hintFileFormat, path, onProgress),
};

/** An index file by itself. */
export const indexFileFormat: StoreFormat = {
  name: 'index file (.index)',
  recognises: (path) => parseFileName(basename(path))?.kind === 'index' && statSync(path).isFile(),
  dump: dumpIndex,
  verify: (path, onProgress) => verifyByDumping(indexFileFormat, path, onProgress),
};

/** The manifest by itself. */
export const bitcaskManifestFormat: StoreFormat = {
  name: 'manifest of a Bitcask store',
  recognises: (path) => basename(path) === MANIFEST_NAME && statSync(path).isFile(),
  dump: function* (path) {
    const report = emptyReport();
    yield* dumpManifest(dirname(path), report);
    return report;
  },
  verify: (path, onProgress) => verifyByDumping(bitcaskManifestFormat, path, onProgress),
};

/** The manifest, each file that it names, in order, with its hint, and index files. */
export function* dumpBitcaskStore(path: string, onProgress: FormatProgress): Dumping {
  const report = emptyReport();
  const manifest = yield* dumpManifest(path, report);
  const files = manifest?.files ?? [];
  const total = files.reduce((sum, { length }) => sum + length, 0);
  let done = 0;
  for (const file of files) {
    onProgress(done, total);
    done += file.length;
    const data = join(path, dataFileName(file.number));
    if (existsSync(data)) addReport(report, yield* dumpData(data, file));
    else report.damage.push({ file: data, offset: null, message: 'it is missing' });
    const hint = join(path, hintFileName(file.number));
    if (existsSync(hint)) addReport(report, yield* dumpHint(hint));
  }
  for (const name of readdirSync(path).toSorted()) {
    if (parseFileName(name)?.kind !== 'index') continue;
    addReport(report, yield* dumpIndex(join(path, name)));
  }
  onProgress(total, total);
  return report;
}

function* dumpManifest(
  directory: string,
  report: Gathered,
): Generator<DumpedRecord, Manifest | null, undefined> {
  const file = join(directory, MANIFEST_NAME);
  let manifest: Manifest;
  try {
    const payload = readPointerSync(nodeVfs, file);
    if (payload === null) {
      report.damage.push({ file, offset: null, message: 'it is missing' });
      return null;
    }
    manifest = decodeManifest(payload, file);
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    report.damage.push(complaintOf(error));
    return null;
  }
  const { nextFile, sequence, clock, files } = manifest;
  yield { file, offset: 0, kind: 'manifest', fields: { nextFile, sequence, clock } };
  for (const { number, length, open, merged, fingerprint } of files) {
    const state = open ? 'open' : merged ? 'merged' : 'sealed';
    const fields = { name: dataFileName(number), length, state, fingerprint: hex(fingerprint) };
    yield { file, offset: 0, kind: 'file', fields };
  }
  const holds = counted(files.length, 'data file');
  report.files.push({ file, bytes: statSync(file).size, holds });
  return manifest;
}

/** `entry`: what the manifest says of it; without it nobody can say what was durable. */
function* dumpData(path: string, entry: ManifestFile | undefined): Dumping {
  const file = nodeVfs.openSync(path, { read: true });
  try {
    return yield* dumpOpenData(file, path, entry);
  } finally {
    file.closeSync();
  }
}

function* dumpOpenData(file: VfsFile, path: string, entry: ManifestFile | undefined): Dumping {
  const report = emptyReport();
  const { size } = file.statSync();
  const number = parseFileName(basename(path))?.number ?? 0;
  const header = new Uint8Array(FILE_HEADER_BYTES);
  const fault = checkFileHeader(header.subarray(0, readFullySync(file, header, 0)), number);
  if (fault?.newer === true) {
    throw new HoldfastError('HOLDFAST_FORMAT', `${path} is of a newer version (${fault.found})`);
  }
  if (fault !== null) {
    const message = `expected ${fault.expected}, found ${fault.found}`;
    report.damage.push({ file: path, offset: fault.offset, message });
    return report;
  }
  const scanner = new EntryScanner(file, number, FILE_HEADER_BYTES, size);
  let entries = 0;
  let step = scanner.step();
  for (; step === 'entry' || step === 'refill'; step = scanner.step()) {
    if (step === 'refill') {
      scanner.refillSync();
    } else {
      yield entryOf(path, scanner.entryOffset, scanner.bytes, scanner.entry);
      entries++;
    }
  }
  const { offset } = scanner;
  report.files.push({ file: path, bytes: size, holds: counted(entries, 'entry', 'entries') });
  const durable = entry?.length ?? 0;
  if (offset < durable) {
    const message = 'expected an entry with its checksum, found other bytes or the end';
    report.damage.push({ file: path, offset, message });
  } else if (holdsAnything(file, offset, size)) {
    const message = 'no entry begins here: a torn write, or damage';
    report.torn.push({ file: path, offset, message });
  }
  return report;
}

/** Whether a part of a file is anything but zeros. */
function holdsAnything(file: VfsFile, from: number, to: number): boolean {
  const piece = Buffer.alloc(Math.min(PIECE_BYTES, to - from));
  const zeros = Buffer.alloc(piece.length);
  for (let offset = from; offset < to; offset += piece.length) {
    const count = readFullySync(file, piece, offset, 0, Math.min(piece.length, to - offset));
    if (piece.compare(zeros, 0, count, 0, count) !== 0) return true;
  }
  return false;
}

function entryOf(file: string, offset: number, bytes: Uint8Array, view: EntryView): DumpedRecord {
  const { sequence, expiry, keyStart, keyEnd, valueEnd, undurable } = view;
  const kind = view.kind === PUT ? 'put' : view.kind === DELETE ? 'delete' : 'mark';
  const key = bytes.subarray(keyStart, keyEnd);
  const value = bytes.subarray(keyEnd, valueEnd);
  const fields: Record<string, string | number | Uint8Array> = { sequence, undurable };
  if (view.more) fields['batch'] = 'goes on';
  if (expiry !== 0) fields['expiry'] = expiry;
  if (kind === 'mark') fields['clock'] = value.length === 8 ? get64(value, 0) : 'damaged';
  else fields['key'] = key;
  if (kind === 'put') fields['value'] = value;
  return { file, offset, kind, fields };
}

/** Whether it goes with its data file is for the manifest to say: here it is taken at its word. */
function* dumpHint(path: string): Dumping {
  const report = emptyReport();
  const bytes = readWholeFileSync(nodeVfs, path);
  const whole = bytes.length >= HINT_HEADER_BYTES;
  const binding = {
    number: whole ? get64(bytes, 12) : 0,
    length: whole ? get64(bytes, 20) : 0,
    fingerprint: whole ? get32(bytes, 28) : 0,
  };
  const reader = HintReader.open(bytes, binding);
  if (reader === null) {
    report.notes.push(`${path} is no whole hint file: opening reads the data file instead`);
    return report;
  }
  const { number, length, fingerprint } = binding;
  const about = { of: dataFileName(number), length, fingerprint: hex(fingerprint) };
  yield { file: path, offset: 0, kind: 'hint', fields: { ...about, clock: reader.clock } };
  for (let offset = reader.position; reader.next(); offset = reader.position) {
    const { isDelete, expiry, keyStart, keyEnd, lengthCode } = reader;
    const fields: Record<string, string | number | Uint8Array> = { at: reader.offset };
    if (!isDelete) fields['lengthMost'] = lengthOfCode(lengthCode);
    if (expiry !== 0) fields['expiry'] = expiry;
    fields['key'] = bytes.subarray(keyStart, keyEnd);
    yield { file: path, offset, kind: isDelete ? 'deleted-at' : 'put-at', fields };
  }
  report.files.push({ file: path, bytes: bytes.length, holds: counted(reader.count, 'record') });
  return report;
}

/** Whether it goes with the data files is for the manifest to say: here it is taken at its word. */
function* dumpIndex(path: string): Dumping {
  const report = emptyReport();
  const bytes = readWholeFileSync(nodeVfs, path);
  const length = indexHeaderBytes(bytes);
  const start = bytes.subarray(0, length);
  const header = length === 0 || length > bytes.length ? null : decodeIndexHeader(start);
  const reader = header && new IndexReader(start, header);
  if (header !== null && reader !== null) {
    const { number, clock, count, files } = header;
    yield { file: path, offset: 0, kind: 'index', fields: { number, clock, keys: count } };
    for (const { number: of, fingerprint, length: fileLength, entries } of files) {
      const fields = { of: dataFileName(of), length: fileLength, entries };
      const all = { ...fields, fingerprint: hex(fingerprint) };
      yield { file: path, offset: 0, kind: 'indexed-file', fields: all };
    }
    for (let offset = length; offset < bytes.length; offset += INDEX_BLOCK_BYTES) {
      if (!reader.enter(bytes.subarray(offset, offset + INDEX_BLOCK_BYTES))) break;
      yield* dumpIndexBlock(path, offset, reader, header);
    }
  }
  if (header === null || reader?.isWrong !== false || reader.count !== header.count) {
    report.notes.push(`${path} is no whole index file: opening reads hints and data files instead`);
    return report;
  }
  report.files.push({ file: path, bytes: bytes.length, holds: counted(header.count, 'key') });
  return report;
}

function* dumpIndexBlock(
  path: string,
  offset: number,
  reader: IndexReader,
  { files }: IndexHeader,
): Generator<DumpedRecord, void, undefined> {
  while (reader.next()) {
    const { file, offset: at, lengthCode, expiry, key, keyLength } = reader;
    const name = dataFileName(files[file]?.number ?? 0);
    const fields: Record<string, string | number | Uint8Array> = { in: name, at };
    fields['lengthMost'] = lengthOfCode(lengthCode);
    if (expiry !== 0) fields['expiry'] = expiry;
    fields['key'] = key.slice(0, keyLength);
    yield { file: path, offset, kind: 'put-at', fields };
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
