/**
 * Reader for a log of block writes in the format of the kernel's dm-log-writes target, which is also what the
 * `blklogwrites` filter of qemu-storage-daemon writes. It yields entries one after another and reads the bytes
 * of a write only when asked, so that a log may be larger than memory. It says nothing of what an entry means
 * for a crash: that is `epochs.ts`.
 *
 * Layout, all numbers little-endian. The first sector holds magic, version, number of entries and sector size.
 * Each entry is one sector (place, length, flags, length of its text) followed by the bytes of the write, except
 * for a discard, which has none. Places and lengths count sectors of the size named in the first sector.
 *
 * @see https://docs.kernel.org/admin-guide/device-mapper/log-writes.html
 */

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { assert } from '../../base/assert.ts';
import { systemClock } from '../../base/clock.ts';
import { TraceError } from '../../base/errors.ts';

/** The bits of an entry's flags. */
export const blockLogFlags = { flush: 1, fua: 2, discard: 4, mark: 8, metadata: 16 } as const;

export const BLOCK_LOG_MAGIC = 0x6a736677736872n;
const VERSION = 1n;
const SUPER_LENGTH = 28;
const ENTRY_HEADER_LENGTH = 32;
/** A larger write than this is taken for damage: a kernel splits requests long before. */
const WRITE_LENGTH_MAX = 1 << 30;

/** How long a gap in a live log is waited for, and how long between two looks, in milliseconds. */
const GAP_MS_MAX = 1000;
const GAP_POLL_MS = 0.2;

/** One request that reached the disk, in the order of completion. */
export interface BlockLogEntry {
  /** Zero-based place in the log. */
  readonly index: number;
  /** Where on the disk, in bytes. */
  readonly offset: number;
  /** How many bytes were written or discarded; 0 for a bare flush or a mark. */
  readonly length: number;
  /** The device's cache was flushed before this write. */
  readonly flush: boolean;
  /** The write was durable by itself once it completed. */
  readonly fua: boolean;
  readonly discard: boolean;
  readonly metadata: boolean;
  /** The text of a mark, or null. */
  readonly mark: string | null;
  /** Where the written bytes are in the log file. */
  readonly dataOffset: number;
}

/** How to read a log. */
export interface BlockLogOptions {
  /**
   * The log is still being written with sectors of this size: its first sector may not be there yet (qemu
   * writes it at flushes) and is not looked at, and the first sector of zeros is the end so far.
   */
  readonly liveSectorSize?: number;
}

/** Walks one log from its beginning. Not safe to share; open the file again instead. */
export class BlockLogReader {
  readonly path: string;
  /** Unit of the log's places and lengths, in bytes. */
  readonly sectorSize: number;
  /** Entries that the log says it has; `null` for a live log. */
  readonly count: number | null;
  readonly #fd: number;
  #position: number;
  #index = 0;

  private constructor(path: string, fd: number, sectorSize: number, count: number | null) {
    this.path = path;
    this.sectorSize = sectorSize;
    this.count = count;
    this.#fd = fd;
    this.#position = sectorSize;
  }

  /** Opens a log. @throws {TraceError} when the file cannot be opened or is no log of version 1. */
  static open(path: string, options: BlockLogOptions = {}): BlockLogReader {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      // Whatever stops the open (missing, not permitted) is wrong use of the path given.
      throw new TraceError(`the block log ${path} cannot be opened`, { cause: error });
    }
    if (options.liveSectorSize !== undefined) {
      return new BlockLogReader(path, fd, options.liveSectorSize, null);
    }
    try {
      const header = readExactly(fd, path, 0, SUPER_LENGTH, 'its first sector');
      const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
      if (view.getBigUint64(0, true) !== BLOCK_LOG_MAGIC) {
        throw new TraceError(`${path} is not a block log: its magic number is wrong`);
      }
      const version = view.getBigUint64(8, true);
      if (version !== VERSION) {
        throw new TraceError(`${path} is a block log of version ${version}; this reads 1`);
      }
      const count = safeNumber(view.getBigUint64(16, true), path, 'number of entries');
      const sectorSize = view.getUint32(24, true);
      if (sectorSize < 512 || sectorSize > 65536 || (sectorSize & (sectorSize - 1)) !== 0) {
        throw new TraceError(`the block log ${path} has sectors of ${sectorSize} bytes`);
      }
      return new BlockLogReader(path, fd, sectorSize, count);
    } catch (error) {
      // The descriptor has no owner yet; the error itself goes on to the caller.
      closeSync(fd);
      throw error;
    }
  }

  /** How many entries were read so far. */
  get position(): number {
    return this.#index;
  }

  /**
   * The next entry, or null at the end (of a live log: at the end so far; a later call may find more).
   *
   * @throws {TraceError} when the log is cut or an entry cannot be right.
   */
  next(): BlockLogEntry | null {
    if (this.count !== null && this.#index >= this.count) return null;
    const { sectorSize, path } = this;
    const what = `entry ${this.#index}`;
    const sector = new Uint8Array(sectorSize);
    const got = readSync(this.#fd, sector, 0, sectorSize, this.#position);
    if (this.count === null && (got < sectorSize || sector.every((b) => b === 0))) return null;
    if (got < sectorSize) throw new TraceError(`the block log ${path} ends inside ${what}`);
    const view = new DataView(sector.buffer);
    const flags = safeNumber(view.getBigUint64(16, true), path, `flags of ${what}`);
    const offset = safeNumber(view.getBigUint64(0, true), path, `place of ${what}`) * sectorSize;
    const length = safeNumber(view.getBigUint64(8, true), path, `length of ${what}`) * sectorSize;
    const textLength = safeNumber(view.getBigUint64(24, true), path, `text of ${what}`);
    const discard = (flags & blockLogFlags.discard) !== 0;
    const isMark = (flags & blockLogFlags.mark) !== 0;
    if (flags > 31) throw new TraceError(`the block log ${path} has unknown flags in ${what}`);
    if (!discard && length > WRITE_LENGTH_MAX) {
      throw new TraceError(`the block log ${path} has a write of ${length} bytes in ${what}`);
    }
    if (isMark && textLength > sectorSize - ENTRY_HEADER_LENGTH) {
      throw new TraceError(`the block log ${path} has a mark longer than a sector in ${what}`);
    }
    const dataOffset = this.#position + sectorSize;
    this.#position = dataOffset + (discard ? 0 : length);
    const entry: BlockLogEntry = {
      index: this.#index,
      offset,
      length,
      flush: (flags & blockLogFlags.flush) !== 0,
      fua: (flags & blockLogFlags.fua) !== 0,
      discard,
      metadata: (flags & blockLogFlags.metadata) !== 0,
      mark: isMark ? markText(sector.subarray(ENTRY_HEADER_LENGTH), textLength) : null,
      dataOffset,
    };
    this.#index += 1;
    return entry;
  }

  /** Whether the file goes on after what was read. */
  hasMore(): boolean {
    return fstatSync(this.#fd).size > this.#position;
  }

  /** The bytes that a write wrote; zeros for a discard. @throws {TraceError} when the log is cut. */
  readData(entry: BlockLogEntry): Uint8Array {
    if (entry.discard) return new Uint8Array(entry.length);
    const what = `the bytes of entry ${entry.index}`;
    return readExactly(this.#fd, this.path, entry.dataOffset, entry.length, what);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/**
 * How many entries a live log holds. An entry whose request is not complete may still be a gap before later ones;
 * this waits for it (blocking; such a request takes microseconds), so that no completed entry is left out.
 *
 * @throws {TraceError} when the gap stays.
 */
export function countLiveEntries(reader: BlockLogReader): number {
  assert(reader.count === null, 'only a live log grows');
  for (let waitedMs = 0; waitedMs <= GAP_MS_MAX; waitedMs += GAP_POLL_MS) {
    while (reader.next() !== null);
    if (!reader.hasMore()) return reader.position;
    systemClock.sleepSync(GAP_POLL_MS);
  }
  throw new TraceError(`the block log ${reader.path} has a gap after entry ${reader.position - 1}`);
}

/** Writers differ on whether the text's length counts a closing NUL. */
function markText(bytes: Uint8Array, length: number): string {
  const text = bytes.subarray(0, length);
  const end = text.indexOf(0);
  return new TextDecoder().decode(end === -1 ? text : text.subarray(0, end));
}

function readExactly(
  fd: number,
  path: string,
  offset: number,
  length: number,
  what: string,
): Uint8Array {
  assert(length >= 0, 'a length is never negative');
  if (offset + length > fstatSync(fd).size) {
    throw new TraceError(`the block log ${path} is cut: ${what} is missing`);
  }
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const got = readSync(fd, bytes, done, length - done, offset + done);
    if (got === 0) throw new TraceError(`the block log ${path} is cut: ${what} is missing`);
    done += got;
  }
  return bytes;
}

function safeNumber(value: bigint, path: string, what: string): number {
  if (value > 0xffff_ffff_ffffn) {
    throw new TraceError(`the block log ${path} has an impossible ${what}: ${value}`);
  }
  return Number(value);
}
