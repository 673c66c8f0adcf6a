/**
 * The manifest: which data files make up the store, in which order, and how far each is known to be
 * durable. A pointer file (`durable/pointer-file.ts`), so that it changes as a whole. A file that
 * it does not name is no part of the store, whatever is in it; what is in a file past the length it
 * gives counts only in logs that are open.
 *
 * Payload: "bitcask" 7 | version 1 | next file number | sequence | clock | count of files | for
 * each file, in order: number | length | flags 1 | fingerprint 4. Integers without a size are
 * varints.
 */

import { ByteReader, DecodeError } from '../base/byte-reader.ts';
import { putFixed32, putVarint53 } from '../base/coding.ts';
import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { POINTER_PAYLOAD_BYTES_MAX } from '../durable/pointer-file.ts';

export const MANIFEST_NAME = 'BITCASK';

const MAGIC = Buffer.from('bitcask');
const VERSION = 1;
const FLAG_OPEN = 1;
const FLAG_MERGED = 2;

/** One data file. */
export interface ManifestFile {
  readonly number: number;
  /** Every byte below is durable: damage there is damage. */
  readonly length: number;
  /** A log that may have entries past `length`. */
  readonly open: boolean;
  /** Written by a merge. */
  readonly merged: boolean;
  /** CRC-32C over the checksums of its entries, in order, up to `length`; binds its hint file. */
  readonly fingerprint: number;
}

export interface Manifest {
  /** Larger than the number of any file that ever was part of the store. */
  readonly nextFile: number;
  /** The last sequence number below the lengths. */
  readonly sequence: number;
  /** The highest clock seen, in milliseconds since the epoch. */
  readonly clock: number;
  /** An entry in a later file counts more than one in an earlier file. Open logs come last. */
  readonly files: readonly ManifestFile[];
}

export function encodeManifest(manifest: Manifest): Uint8Array {
  const bytes = new Uint8Array(48 + 24 * manifest.files.length);
  bytes.set(MAGIC);
  bytes[MAGIC.length] = VERSION;
  let at = MAGIC.length + 1;
  at = putVarint53(bytes, at, manifest.nextFile);
  at = putVarint53(bytes, at, manifest.sequence);
  at = putVarint53(bytes, at, manifest.clock);
  at = putVarint53(bytes, at, manifest.files.length);
  for (const file of manifest.files) {
    at = putVarint53(bytes, at, file.number);
    at = putVarint53(bytes, at, file.length);
    bytes[at++] = (file.open ? FLAG_OPEN : 0) | (file.merged ? FLAG_MERGED : 0);
    at = putFixed32(bytes, at, file.fingerprint);
  }
  if (at > POINTER_PAYLOAD_BYTES_MAX) {
    throw new HoldfastError(
      'HOLDFAST_TOO_LARGE',
      `a store of ${manifest.files.length} files is over the limit: make files larger, or merge`,
    );
  }
  return bytes.subarray(0, at);
}

/** @throws HOLDFAST_FOREIGN, HOLDFAST_FORMAT, HOLDFAST_CORRUPTION */
export function decodeManifest(bytes: Uint8Array, path: string): Manifest {
  if (!MAGIC.equals(bytes.subarray(0, MAGIC.length))) {
    throw new HoldfastError('HOLDFAST_FOREIGN', `${path} is the pointer file of something else`);
  }
  const version = bytes[MAGIC.length] ?? 0;
  if (version !== VERSION) {
    throw new HoldfastError(
      'HOLDFAST_FORMAT',
      `${path} has version ${version}, and this program knows version ${VERSION}`,
    );
  }
  try {
    const reader = new ByteReader(bytes, MAGIC.length + 1);
    const nextFile = reader.varint53();
    const sequence = reader.varint53();
    const clock = reader.varint53();
    const files: ManifestFile[] = [];
    for (let left = reader.varint32(); left > 0; left--) files.push(decodeFile(reader));
    if (reader.remaining > 0) {
      throw new DecodeError(reader.position, 'the end', `${reader.remaining} bytes more`);
    }
    return { nextFile, sequence, clock, files };
  } catch (error) {
    // The checksum was right, so this was written so: a mistake all the same, told with its place.
    if (!(error instanceof DecodeError)) throw error;
    const { offset, expected, found } = error;
    throw new CorruptionError({ path, offset, expected, found }, { cause: error });
  }
}

function decodeFile(reader: ByteReader): ManifestFile {
  const number = reader.varint53();
  const length = reader.varint53();
  const flags = reader.bytes(1)[0] ?? 0;
  const open = (flags & FLAG_OPEN) !== 0;
  const merged = (flags & FLAG_MERGED) !== 0;
  return { number, length, open, merged, fingerprint: reader.fixed32() };
}
