/**
 * The meta index of a table: names of extra blocks and where they lie. Its keys are plain, without
 * the trailer of internal keys, so that it is read here in one go.
 */

import { ByteReader } from '../../base/byte-reader.ts';
import { concatBytes } from '../../base/bytes.ts';
import { CorruptionError } from '../../base/errors.ts';
import type { Block } from './block.ts';
import { damageOf, decodeHandle } from './table-format.ts';
import type { BlockHandle } from './table-format.ts';

/** All names with their handles, which are not checked against the file. */
export function readMetaIndex(block: Block): Map<string, BlockHandle> {
  const { bytes, entriesEnd, path, offset } = block;
  const entries = new Map<string, BlockHandle>();
  const reader = new ByteReader(bytes, 0, entriesEnd);
  let name: Uint8Array = new Uint8Array(0);
  try {
    while (reader.remaining > 0) {
      const shared = reader.varint32();
      const own = reader.varint32();
      const valueLength = reader.varint32();
      if (shared > name.length) {
        const found = `${shared}`;
        const expected = `at most ${name.length} shared bytes`;
        throw new CorruptionError({ path, offset, expected, found });
      }
      name = concatBytes([name.subarray(0, shared), reader.bytes(own)]);
      const value = reader.bytes(valueLength);
      entries.set(new TextDecoder().decode(name), decodeHandle(value, 0, value.length));
    }
  } catch (error) {
    throw damageOf(error, path, offset);
  }
  return entries;
}
