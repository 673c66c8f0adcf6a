/**
 * From the bytes of a manifest to the state they add up to, and the judgement of its end: written
 * whole, torn by a crash, or damaged. Not here: whether the files it names are there
 * (`lsm-recovery`).
 *
 * A manifest is synced after each record and before anything relies on it. So its last record may
 * be torn, and nothing else. What a torn write leaves may be any bytes, older manifests' among
 * them, with records that are right in themselves. Such a record is told by its next file number:
 * each edit gives one, above the number of its own manifest, and older ones are not above it.
 */

import { DecodeError } from '../../base/byte-reader.ts';
import { CorruptionError, HoldfastError } from '../../base/errors.ts';
import { LOG_BLOCK_BYTES } from '../../wal/log-format.ts';
import { LogParser } from '../../wal/log-parser.ts';
import { damageOf } from '../table/table-format.ts';
import { COMPARATOR_NAME, decodeEdit, LEVEL_COUNT, UnknownTagError } from './version-edit.ts';
import type { VersionEdit } from './version-edit.ts';
import { Version } from './version.ts';

/** What a manifest says. */
export interface ManifestState {
  readonly version: Version;
  readonly logNumber: number;
  readonly previousLogNumber: number;
  readonly nextFileNumber: number;
  readonly lastSequence: number;
  readonly compactPointers: readonly (Uint8Array | null)[];
  /** Whether Holdfast wrote the last record, and so the logs; see `docs/formats/manifest.md`. */
  readonly isOurs: boolean;
  /** Bytes at the end that are no record of this manifest: 0 when it was written whole. */
  readonly tornBytes: number;
  /** Where they begin. */
  readonly tornOffset: number;
}

/** What a new store starts from. */
export function emptyState(): ManifestState {
  return {
    version: new Version(),
    logNumber: 0,
    previousLogNumber: 0,
    nextFileNumber: 1,
    lastSequence: 0,
    compactPointers: noPointers(),
    isOurs: true,
    tornBytes: 0,
    tornOffset: 0,
  };
}

function noPointers(): (Uint8Array | null)[] {
  return Array.from({ length: LEVEL_COUNT }, () => null);
}

/** Numbers that a manifest must have given by its end. */
interface Fields {
  version: Version;
  comparator: string | null;
  logNumber: number | null;
  previousLogNumber: number;
  nextFileNumber: number | null;
  lastSequence: number | null;
  readonly compactPointers: (Uint8Array | null)[];
}

/**
 * Reads a whole manifest. `number` is the one in its name.
 * @throws HOLDFAST_CORRUPTION; HOLDFAST_FOREIGN for another order of keys; HOLDFAST_FORMAT for
 *   fields of a later version
 */
export function readManifest(bytes: Uint8Array, path: string, number: number): ManifestState {
  const fields: Fields = {
    version: new Version(),
    comparator: null,
    logNumber: null,
    previousLogNumber: 0,
    nextFileNumber: null,
    lastSequence: null,
    compactPointers: noPointers(),
  };
  const parser = new LogParser();
  parser.feed(bytes, true);
  let end = 0;
  let isStale = false;
  while (!isStale && parser.next() === 'record') {
    const edit = editOf(parser, path);
    isStale = edit.nextFileNumber !== undefined && edit.nextFileNumber <= number;
    if (isStale) break;
    apply(fields, edit, path, parser.offset);
    end = parser.endOffset;
  }
  const isWhole = !isStale && parser.end?.kind === 'end';
  if (!isWhole) requireNothingAfter(bytes, end, number, path);
  return finish(fields, path, end, isWhole ? 0 : bytes.length - end);
}

function editOf(parser: LogParser, path: string): VersionEdit {
  const { bytes, start, stop, offset } = parser;
  try {
    return decodeEdit(bytes.subarray(start, stop));
  } catch (error) {
    if (error instanceof UnknownTagError) {
      throw new HoldfastError(
        'HOLDFAST_FORMAT',
        `${path} was written by another program or a later version: ${error.message}`,
        { cause: error },
      );
    }
    throw damageOf(error, path, offset);
  }
}

function apply(fields: Fields, edit: VersionEdit, path: string, offset: number): void {
  if (edit.comparator !== undefined && edit.comparator !== COMPARATOR_NAME) {
    throw new HoldfastError(
      'HOLDFAST_FOREIGN',
      `${path} orders its keys by ${JSON.stringify(edit.comparator)}, which is not known here: ` +
        `open it with the program that made it`,
    );
  }
  for (const { level, number } of edit.deletedTables ?? []) {
    if (fields.version.levels[level]!.some((table) => table.number === number)) continue;
    const expected = `table ${number} in level ${level}`;
    throw new CorruptionError({ path, offset, expected, found: 'an edit that removes it' });
  }
  fields.version = fields.version.with(edit);
  fields.comparator = edit.comparator ?? fields.comparator;
  fields.logNumber = edit.logNumber ?? fields.logNumber;
  fields.previousLogNumber = edit.previousLogNumber ?? fields.previousLogNumber;
  fields.nextFileNumber = edit.nextFileNumber ?? fields.nextFileNumber;
  fields.lastSequence = edit.lastSequence ?? fields.lastSequence;
  for (const { level, key } of edit.compactPointers ?? []) fields.compactPointers[level] = key;
}

function finish(
  fields: Fields,
  path: string,
  tornOffset: number,
  tornBytes: number,
): ManifestState {
  const { version, comparator, logNumber, nextFileNumber, lastSequence } = fields;
  if (
    comparator === null ||
    logNumber === null ||
    nextFileNumber === null ||
    lastSequence === null
  ) {
    const expected = 'an order of keys, a log, a next file and a last sequence number';
    throw new CorruptionError({ path, offset: tornOffset, expected, found: 'the end of the file' });
  }
  const { previousLogNumber, compactPointers } = fields;
  return {
    version,
    logNumber,
    previousLogNumber,
    nextFileNumber,
    lastSequence,
    compactPointers,
    isOurs: logNumber > 0 && previousLogNumber === logNumber,
    tornBytes,
    tornOffset,
  };
}

/**
 * A record of this manifest behind the one that cannot be read says that the place had been synced:
 * then it is damaged, not torn. @throws HOLDFAST_CORRUPTION
 */
function requireNothingAfter(bytes: Uint8Array, end: number, number: number, path: string): void {
  // Bytes of the torn record itself can begin no record of their own; so any record found counts.
  for (let block = end - (end % LOG_BLOCK_BYTES); block < bytes.length; block += LOG_BLOCK_BYTES) {
    const stop = Math.min(block + LOG_BLOCK_BYTES, bytes.length);
    for (let at = Math.max(block, end); at + 7 < stop; at++) {
      const found = recordAt(bytes.subarray(at, stop), number);
      if (!found || at === end) continue;
      throw new CorruptionError({
        path,
        offset: end,
        expected: `a record, for one follows at ${at}; repair the store, or restore a copy`,
        found: 'something else',
      });
    }
  }
}

/** Whether one whole edit of this manifest stands at the beginning of these bytes. */
function recordAt(bytes: Uint8Array, number: number): boolean {
  const length = bytes[4]! | (bytes[5]! << 8);
  if (bytes[6] !== 1 || length === 0 || 7 + length > bytes.length) return false;
  const parser = new LogParser();
  parser.feed(bytes.subarray(0, 7 + length), true);
  if (parser.next() !== 'record') return false;
  try {
    const edit = decodeEdit(parser.bytes.subarray(parser.start, parser.stop));
    return edit.nextFileNumber !== undefined && edit.nextFileNumber > number;
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}
