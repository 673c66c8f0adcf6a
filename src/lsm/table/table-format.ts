/**
 * What the parts of a table file have in common: block handles, the footer, the trailer of a block.
 * Not here: what is inside a block.
 *
 * @see docs/formats/table.md
 */

import { assert } from '../../base/assert.ts';
import { ByteReader, DecodeError } from '../../base/byte-reader.ts';
import { putFixed32, putVarint53, VARINT64_BYTES_MAX } from '../../base/coding.ts';
import { crc32c, extendCrc32c, maskCrc32c } from '../../base/crc32c.ts';
import { CorruptionError } from '../../base/errors.ts';
import { uncompressBlock } from './snappy-codec.ts';

/** Where a block lies in its file. `length` does not count the trailer. */
export interface BlockHandle {
  readonly offset: number;
  readonly length: number;
}

/** One byte for the compression and four for the checksum follow each block. */
export const BLOCK_TRAILER_BYTES = 5;
/** The footer of every table. */
export const FOOTER_BYTES = 48;
/** A block of a larger size is damage: no table of LevelDB or Holdfast comes near. */
export const BLOCK_BYTES_MAX: number = 2 ** 31 - 1 - 64;

/** The compression byte: the block is stored as it is. */
export const COMPRESSION_NONE = 0;
/** The compression byte: the block is stored as one Snappy stream. */
export const COMPRESSION_SNAPPY = 1;

/** The last eight bytes of a table, 0xdb4775248b80fb57. */
const MAGIC_LOW = 0x8b80_fb57;
const MAGIC_HIGH = 0xdb47_7524;
const HANDLE_BYTES_MAX = 2 * VARINT64_BYTES_MAX;

/** The bytes of a handle. */
export function encodeHandle(handle: BlockHandle): Uint8Array {
  const bytes = new Uint8Array(HANDLE_BYTES_MAX);
  return bytes.subarray(0, putHandle(bytes, 0, handle));
}

/** The handle in an index entry. @throws DecodeError */
export function decodeHandle(bytes: Uint8Array, start: number, end: number): BlockHandle {
  return readHandle(new ByteReader(bytes, start, end));
}

/** The footer of a table with these two blocks. */
export function encodeFooter(metaIndex: BlockHandle, index: BlockHandle): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  putHandle(bytes, putHandle(bytes, 0, metaIndex), index);
  putFixed32(bytes, FOOTER_BYTES - 8, MAGIC_LOW);
  putFixed32(bytes, FOOTER_BYTES - 4, MAGIC_HIGH);
  return bytes;
}

/** The two handles of a footer. @throws HOLDFAST_CORRUPTION */
export function decodeFooter(
  bytes: Uint8Array,
  path: string,
  fileLength: number,
): { readonly metaIndex: BlockHandle; readonly index: BlockHandle } {
  assert(bytes.length === FOOTER_BYTES, 'a footer has its length');
  const start = fileLength - FOOTER_BYTES;
  const magic = new ByteReader(bytes, FOOTER_BYTES - 8);
  if (magic.fixed32() !== MAGIC_LOW || magic.fixed32() !== MAGIC_HIGH) {
    const offset = fileLength - 8;
    const found = 'something else';
    throw new CorruptionError({ path, offset, expected: "a table's magic number", found });
  }
  try {
    const reader = new ByteReader(bytes, 0, FOOTER_BYTES - 8);
    const metaIndex = readHandle(reader);
    const index = readHandle(reader);
    for (const handle of [metaIndex, index]) checkHandle(handle, path, fileLength);
    return { metaIndex, index };
  } catch (error) {
    throw damageOf(error, path, start);
  }
}

/** @throws HOLDFAST_CORRUPTION when a handle does not lie before the footer of its file. */
export function checkHandle(handle: BlockHandle, path: string, fileLength: number): void {
  const end = handle.offset + handle.length + BLOCK_TRAILER_BYTES;
  if (end <= fileLength - FOOTER_BYTES && handle.length <= BLOCK_BYTES_MAX) return;
  throw new CorruptionError({
    path,
    offset: Math.min(handle.offset, fileLength),
    expected: `a block before the footer at ${fileLength - FOOTER_BYTES}`,
    found: `one of ${handle.length} bytes at ${handle.offset}`,
  });
}

/** What a `DecodeError` at `offset` bytes into a file is to the file's reader; others stay. */
export function damageOf(error: unknown, path: string, offset: number): unknown {
  if (!(error instanceof DecodeError)) return error;
  const { expected, found } = error;
  return new CorruptionError({ path, offset: offset + error.offset, expected, found });
}

/**
 * The content of a block that was read with its trailer: checksum verified, uncompressed. The
 * result may share memory with `stored`.
 * @throws HOLDFAST_CORRUPTION
 */
export function openBlock(
  stored: Uint8Array,
  length: number,
  path: string,
  offset: number,
): Uint8Array {
  assert(stored.length === length + BLOCK_TRAILER_BYTES, 'a block is read with its trailer');
  const found = new ByteReader(stored, length + 1).fixed32();
  const expected = maskCrc32c(crc32c(stored, 0, length + 1));
  if (found !== expected) {
    throw new CorruptionError({
      path,
      offset: offset + length + 1,
      expected: `checksum ${hex(expected)} of the block at ${offset}`,
      found: hex(found),
    });
  }
  const compression = stored[length];
  const content = stored.subarray(0, length);
  if (compression === COMPRESSION_NONE) return content;
  const problem = { path, offset: offset + length };
  if (compression !== COMPRESSION_SNAPPY) {
    const kind = `compression ${compression}`;
    throw new CorruptionError({ ...problem, expected: 'compression 0 or 1', found: kind });
  }
  const whole = uncompressBlock(content);
  if (whole === null) {
    throw new CorruptionError({ ...problem, expected: 'a Snappy stream', found: 'another' });
  }
  return whole;
}

/** Puts compression and checksum behind a block that lies at `start` to `end` of `target`. */
export function putBlockTrailer(
  target: Uint8Array,
  start: number,
  end: number,
  compression: number,
): number {
  target[end] = compression;
  const crc = extendCrc32c(0, target, start, end + 1);
  return putFixed32(target, end + 1, maskCrc32c(crc));
}

function putHandle(target: Uint8Array, offset: number, handle: BlockHandle): number {
  return putVarint53(target, putVarint53(target, offset, handle.offset), handle.length);
}

function readHandle(reader: ByteReader): BlockHandle {
  const offset = reader.varint53();
  return { offset, length: reader.varint53() };
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}
