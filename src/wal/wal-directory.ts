/**
 * The files of a write-ahead log by name, and the pointer's content. Not here: what is in a segment.
 *
 *   000001.log, 000002.log, …   segments, without gaps
 *   holdfast-wal                the pointer: version, and which segments there are at least
 *   000002.tmp                  a segment that recovery was writing
 *
 * The pointer's payload (layout in `docs/formats/log.md`): version 4 | first segment 8 | last
 * segment 8 | first sequence 8. Segments below the first are on their way out. Segments up to the
 * last are there; the newest may be one more.
 */

import { ByteReader } from '../base/byte-reader.ts';
import { putFixed32, putFixed64 } from '../base/coding.ts';
import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { inDirectory } from '../durable/directory-path.ts';
import {
  readPointer,
  readPointerSync,
  replacePointer,
  replacePointerSync,
} from '../durable/pointer-file.ts';
import { call } from '../durable/two-forms.ts';
import type { TwoFormSteps } from '../durable/two-forms.ts';
import type { Vfs } from '../vfs/vfs.ts';

/** The name of the pointer. */
export const WAL_POINTER_NAME = 'holdfast-wal';
/** The version of everything in the directory. */
export const WAL_VERSION = 1;

const SEGMENT = /^(\d{6,15})\.log$/;
const TEMPORARY = /^\d{6,15}\.tmp$/;
const LOCK = /^holdfast-lock-\d+$/;
/** What pointer replacements leave behind when they are killed; their own sweep removes them. */
const POINTER_TEMPORARY = /^\.holdfast-.*\.tmp$/;
const PAYLOAD_BYTES = 28;
/** No version is higher: what says so is another's content. */
const VERSION_MAX = 0xffff;

/** What the pointer names. */
export interface WalPointer {
  /** The number of the first segment. */
  readonly first: number;
  /** The number of a segment up to which all are there; `first - 1` in a new log. */
  readonly last: number;
  /** The sequence number of the first operation of the first segment. */
  readonly firstSequence: number;
}

/** The names in a log's directory, sorted. */
export interface WalNames {
  /** Numbers of segments, ascending. */
  readonly segments: readonly number[];
  readonly temporaries: readonly string[];
  readonly foreign: readonly string[];
}

/** Where segment `number` is. */
export function segmentPath(directory: string, number: number): string {
  return inDirectory(directory, segmentName(number));
}

/** Where segment `number` is while recovery writes it. */
export function temporaryPath(directory: string, number: number): string {
  return inDirectory(directory, `${String(number).padStart(6, '0')}.tmp`);
}

/** Where the pointer is. */
export function pointerPath(directory: string): string {
  return inDirectory(directory, WAL_POINTER_NAME);
}

/** Sorts the names of a directory. */
export function* listWal(vfs: Vfs, directory: string): TwoFormSteps<WalNames> {
  const entries = yield* call(
    () => vfs.readDirectorySync(directory),
    () => vfs.readDirectory(directory),
  );
  const segments: number[] = [];
  const temporaries: string[] = [];
  const foreign: string[] = [];
  for (const { name, kind } of entries) {
    const number = Number(SEGMENT.exec(name)?.[1] ?? Number.NaN);
    if (kind === 'file' && number > 0 && name === segmentName(number)) segments.push(number);
    else if (kind === 'file' && TEMPORARY.test(name)) temporaries.push(name);
    else if (name !== WAL_POINTER_NAME && !LOCK.test(name) && !POINTER_TEMPORARY.test(name)) {
      foreign.push(name);
    }
  }
  return {
    segments: segments.toSorted((a, b) => a - b),
    temporaries: temporaries.toSorted(),
    foreign: foreign.toSorted(),
  };
}

/**
 * What the pointer says, null when there is none.
 * @throws HOLDFAST_CORRUPTION, HOLDFAST_FORMAT, HOLDFAST_FOREIGN
 */
export function* readWalPointer(vfs: Vfs, directory: string): TwoFormSteps<WalPointer | null> {
  const path = pointerPath(directory);
  const payload = yield* call(
    () => readPointerSync(vfs, path),
    () => readPointer(vfs, path),
  );
  return payload === null ? null : decodeWalPointer(payload, path);
}

/** Makes the pointer say this; when it resolves, that lasts. */
export function* writeWalPointer(
  vfs: Vfs,
  directory: string,
  pointer: WalPointer,
): TwoFormSteps<void> {
  const path = pointerPath(directory);
  const payload = encodeWalPointer(pointer);
  yield* call(
    () => replacePointerSync(vfs, path, payload),
    () => replacePointer(vfs, path, payload),
  );
}

/** The payload of the pointer file. */
export function encodeWalPointer({ first, last, firstSequence }: WalPointer): Uint8Array {
  const payload = new Uint8Array(PAYLOAD_BYTES);
  let offset = putFixed32(payload, 0, WAL_VERSION);
  for (const value of [first, last, firstSequence]) {
    offset = putFixed64(payload, offset, BigInt(value));
  }
  return payload;
}

/** What a payload says. @throws HOLDFAST_CORRUPTION, HOLDFAST_FORMAT, HOLDFAST_FOREIGN */
export function decodeWalPointer(payload: Uint8Array, path: string): WalPointer {
  const reader = new ByteReader(payload);
  const version = payload.length < 4 ? 0 : reader.fixed32();
  if (version > VERSION_MAX) {
    throw new HoldfastError('HOLDFAST_FOREIGN', `${path} is the pointer file of something else`);
  }
  if (version > WAL_VERSION) {
    const known = `this one knows version ${WAL_VERSION}`;
    throw new HoldfastError('HOLDFAST_FORMAT', `${path}: a log of version ${version}; ${known}`);
  }
  if (version !== WAL_VERSION || payload.length !== PAYLOAD_BYTES) {
    const expected = `version ${WAL_VERSION} and ${PAYLOAD_BYTES} bytes`;
    const found = `version ${version} and ${payload.length} bytes`;
    throw new CorruptionError({ path, offset: 0, expected, found });
  }
  const first = Number(reader.fixed64());
  const last = Number(reader.fixed64());
  return { first, last, firstSequence: Number(reader.fixed64()) };
}

function segmentName(number: number): string {
  return `${String(number).padStart(6, '0')}.log`;
}
