/** Makes block logs by hand, entry by entry, as the `blklogwrites` filter would write them. */

import { writeFileSync } from 'node:fs';
import { BLOCK_LOG_MAGIC } from '../../src/lab/powercut/block-log.ts';

/** Sector size of the logs made here. */
export const LOG_SECTOR = 512;

/** One entry; places and lengths in sectors. */
export interface HandMadeEntry {
  readonly sector: number;
  readonly sectors: number;
  /** See `blockLogFlags`. */
  readonly flags?: number;
  readonly text?: string;
  /** Every byte of the write. */
  readonly fill?: number;
}

/** A write of whole sectors, all bytes alike. */
export function write(sector: number, fill: number, sectors = 1): HandMadeEntry {
  return { sector, sectors, fill };
}

/** A bare flush. */
export const flush: HandMadeEntry = { sector: 0, sectors: 0, flags: 1 };

export function superSector(
  count: number,
  magic: bigint = BLOCK_LOG_MAGIC,
  version: bigint = 1n,
): Buffer {
  const bytes = Buffer.alloc(LOG_SECTOR);
  bytes.writeBigUInt64LE(magic, 0);
  bytes.writeBigUInt64LE(version, 8);
  bytes.writeBigUInt64LE(BigInt(count), 16);
  bytes.writeUInt32LE(LOG_SECTOR, 24);
  return bytes;
}

export function entrySectors(entry: HandMadeEntry): Buffer {
  const { sector, sectors, flags = 0, text = '', fill = 0 } = entry;
  const header = Buffer.alloc(LOG_SECTOR);
  header.writeBigUInt64LE(BigInt(sector), 0);
  header.writeBigUInt64LE(BigInt(sectors), 8);
  header.writeBigUInt64LE(BigInt(flags), 16);
  header.writeBigUInt64LE(BigInt(text.length), 24);
  header.write(text, 32);
  if ((flags & 4) !== 0) return header;
  return Buffer.concat([header, Buffer.alloc(sectors * LOG_SECTOR, fill)]);
}

/** Writes a whole log. `count` is what its first sector claims. */
export function writeBlockLog(
  path: string,
  entries: readonly HandMadeEntry[],
  count: number = entries.length,
): void {
  writeFileSync(path, Buffer.concat([superSector(count), ...entries.map(entrySectors)]));
}
