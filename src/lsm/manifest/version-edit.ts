/**
 * One record of a manifest: a change to which tables and logs count. A list of fields, each after
 * its tag. Not here: the framing of records (that of the log) and what a row of edits adds up to.
 *
 * @see docs/formats/manifest.md
 */

import { ByteReader, DecodeError } from '../../base/byte-reader.ts';
import { concatBytes } from '../../base/bytes.ts';
import { putVarint53, varintLength } from '../../base/coding.ts';
import { TRAILER_BYTES } from '../internal-key.ts';

/** Levels of a tree, as in LevelDB. */
export const LEVEL_COUNT = 7;

/** The name under which the order of keys stands in a manifest. */
export const COMPARATOR_NAME = 'leveldb.BytewiseComparator';

/** A table that counts. */
export interface TableMeta {
  readonly number: number;
  /** Bytes of the file. */
  readonly length: number;
  /** The first and last internal key. */
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
}

/** A change. What is not given stays as it is. */
export interface VersionEdit {
  readonly comparator?: string;
  /** Logs with smaller numbers are no longer needed. */
  readonly logNumber?: number;
  /** Written by LevelDB before 2011 for a second log that is still needed; else 0. */
  readonly previousLogNumber?: number;
  /** No file of a number from here on was in use. */
  readonly nextFileNumber?: number;
  readonly lastSequence?: number;
  /** Where the next compaction of a level begins. */
  readonly compactPointers?: readonly { readonly level: number; readonly key: Uint8Array }[];
  readonly deletedTables?: readonly { readonly level: number; readonly number: number }[];
  readonly newTables?: readonly { readonly level: number; readonly table: TableMeta }[];
}

const TAG = {
  comparator: 1,
  logNumber: 2,
  nextFileNumber: 3,
  lastSequence: 4,
  compactPointer: 5,
  deletedTable: 6,
  newTable: 7,
  previousLogNumber: 9,
} as const;

/** A tag that this version does not know: the manifest is of another format. */
export class UnknownTagError extends DecodeError {}

/** The bytes of an edit, without framing. */
export function encodeEdit(edit: VersionEdit): Uint8Array {
  const parts: Uint8Array[] = [];
  const number = (value: number): void => {
    const bytes = new Uint8Array(varintLength(value));
    putVarint53(bytes, 0, value);
    parts.push(bytes);
  };
  const bytes = (value: Uint8Array): void => {
    number(value.length);
    parts.push(value);
  };
  const field = (tag: number, ...values: readonly number[]): void => {
    number(tag);
    for (const value of values) number(value);
  };
  if (edit.comparator !== undefined) {
    field(TAG.comparator);
    bytes(new TextEncoder().encode(edit.comparator));
  }
  if (edit.logNumber !== undefined) field(TAG.logNumber, edit.logNumber);
  if (edit.previousLogNumber !== undefined) field(TAG.previousLogNumber, edit.previousLogNumber);
  if (edit.nextFileNumber !== undefined) field(TAG.nextFileNumber, edit.nextFileNumber);
  if (edit.lastSequence !== undefined) field(TAG.lastSequence, edit.lastSequence);
  for (const { level, key } of edit.compactPointers ?? []) {
    field(TAG.compactPointer, level);
    bytes(key);
  }
  for (const { level, number: table } of edit.deletedTables ?? []) {
    field(TAG.deletedTable, level, table);
  }
  for (const { level, table } of edit.newTables ?? []) {
    field(TAG.newTable, level, table.number, table.length);
    bytes(table.smallest);
    bytes(table.largest);
  }
  return concatBytes(parts);
}

/** An edit that is being read. */
interface EditFields {
  comparator?: string;
  logNumber?: number;
  previousLogNumber?: number;
  nextFileNumber?: number;
  lastSequence?: number;
  compactPointers: { level: number; key: Uint8Array }[];
  deletedTables: { level: number; number: number }[];
  newTables: { level: number; table: TableMeta }[];
}

/** The edit in the bytes of a record. @throws DecodeError; UnknownTagError */
export function decodeEdit(bytes: Uint8Array): VersionEdit {
  const edit: EditFields = { compactPointers: [], deletedTables: [], newTables: [] };
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0) readField(reader, edit);
  return edit;
}

function readField(reader: ByteReader, edit: EditFields): void {
  const at = reader.position;
  const tag = reader.varint32();
  switch (tag) {
    case TAG.comparator:
      edit.comparator = new TextDecoder().decode(reader.lengthPrefixed());
      return;
    case TAG.logNumber:
      edit.logNumber = reader.varint53();
      return;
    case TAG.previousLogNumber:
      edit.previousLogNumber = reader.varint53();
      return;
    case TAG.nextFileNumber:
      edit.nextFileNumber = reader.varint53();
      return;
    case TAG.lastSequence:
      edit.lastSequence = reader.varint53();
      return;
    case TAG.compactPointer:
      edit.compactPointers.push({ level: readLevel(reader), key: readKey(reader) });
      return;
    case TAG.deletedTable:
      edit.deletedTables.push({ level: readLevel(reader), number: reader.varint53() });
      return;
    case TAG.newTable: {
      const level = readLevel(reader);
      const number = reader.varint53();
      const length = reader.varint53();
      const table = { number, length, smallest: readKey(reader), largest: readKey(reader) };
      edit.newTables.push({ level, table });
      return;
    }
    default:
      throw new UnknownTagError(at, 'a field that this version knows', `tag ${tag}`);
  }
}

function readLevel(reader: ByteReader): number {
  const at = reader.position;
  const level = reader.varint32();
  if (level < LEVEL_COUNT) return level;
  throw new DecodeError(at, `a level below ${LEVEL_COUNT}`, `${level}`);
}

/** A copy: the record it is in may be large. */
function readKey(reader: ByteReader): Uint8Array {
  const at = reader.position;
  const key = reader.lengthPrefixed();
  if (key.length >= TRAILER_BYTES) return key.slice();
  throw new DecodeError(at, `a key of at least ${TRAILER_BYTES} bytes`, `${key.length}`);
}
