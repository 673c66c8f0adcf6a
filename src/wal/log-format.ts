/**
 * The framing of every log of Holdfast, which is LevelDB's: a file is a row of blocks of 32 KiB, a
 * logical record is one physical record or is cut into several so that none crosses a block.
 *
 *   physical record: checksum 4 | length 2 | type 1 | data (length bytes)
 *
 * The checksum is the masked CRC-32C of type and data; integers are little-endian. Where fewer than
 * 7 bytes are left in a block they are zeros, and nobody reads them. Only constants are here; the
 * whole of it with worked bytes: `docs/formats/log.md`.
 *
 * @see https://github.com/google/leveldb/blob/main/doc/log_format.md
 */

/** Bytes of a block. */
export const LOG_BLOCK_BYTES: number = 32 << 10;
/** Bytes before the data of a physical record. */
export const LOG_HEADER_BYTES = 7;
/** Where the length stands in the header. */
export const LOG_LENGTH_OFFSET = 4;
/** Where the type stands in the header; the checksum begins here. */
export const LOG_TYPE_OFFSET = 6;

/**
 * What part of a logical record a physical one is. Zero marks bytes that were never written. There
 * will be no others: LevelDB takes an unknown type for the end of what can be read.
 */
export const LOG_TYPE = { zero: 0, full: 1, first: 2, middle: 3, last: 4 } as const;

/** Bytes of one logical record, which readers hold in memory as a whole. */
export const LOG_RECORD_BYTES_MAX: number = 256 << 20;
