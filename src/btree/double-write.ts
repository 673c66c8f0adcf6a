/**
 * The doublewrite file: pages that are about to be written to their places stand here first,
 * durably, so that one that a crash tears there is whole here. One batch at a time: the next one is
 * written when all places of the last one are durable. Not here: the batches (`page-batch`), and
 * when one is written (`checkpointer`).
 *
 *   "HOLDDBL" and a line feed 8 | checksum 4 | version 4 | page bytes 4 | pages 4 | since 8 |
 *   page number 4 and page checksum 4 for each | zeros to a multiple of 512 | pages
 *
 * The checksum is the masked CRC-32C of what follows it, to the last of the numbers. `since`: the
 * pages have all changes up to this sequence number, and so mean nothing once a later checkpoint is
 * recorded. A page counts when it has the checksum that is told before, so that what a batch has
 * not covered of the one before it is never taken.
 */

import { dirname, join } from 'node:path';

import { crc32c, maskCrc32c } from '../base/crc32c.ts';
import { HoldfastError } from '../base/errors.ts';
import type { FailingCall, Poison } from '../durable/poison.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { errorCode } from '../vfs/errno.ts';
import { readFully, readWholeFile, writeFully, writeFullySync } from '../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { pageFault, pageNumber, pagePosition, putUint32, uint32 } from './page-format.ts';

/** What the thread pool writes pages behind, and what the calling thread does. */
export const DOUBLE_NAME = 'tree.double';
export const CALLING_DOUBLE_NAME = 'tree.double-sync';
export const DOUBLE_NAMES: readonly string[] = [DOUBLE_NAME, CALLING_DOUBLE_NAME];

const MAGIC = [0x48, 0x4f, 0x4c, 0x44, 0x44, 0x42, 0x4c, 0x0a];
const VERSION = 1;
const CHECKSUM_AT = 8;
const VERSION_AT = 12;
const PAGE_BYTES_AT = 16;
const COUNT_AT = 20;
const SINCE_AT = 24;
const NUMBERS_AT = 32;
const NUMBER_BYTES = 8;
const SECTOR_BYTES = 512;
/** Bytes before the pages of the longest batch that is written, and more. */
const HEADER_BYTES_MOST = 16 << 10;

/** Bytes before the pages of a batch. */
export function doubleHeaderBytes(pages: number): number {
  return Math.ceil((NUMBERS_AT + NUMBER_BYTES * pages) / SECTOR_BYTES) * SECTOR_BYTES;
}

/** Writes what stands before the pages, which are sealed, in front of them. */
export function sealDouble(double: Uint8Array, pages: number, since: number): void {
  const at = doubleHeaderBytes(pages);
  const pageBytes = (double.length - at) / pages;
  double.fill(0, 0, at);
  double.set(MAGIC);
  putUint32(double, VERSION_AT, VERSION);
  putUint32(double, PAGE_BYTES_AT, pageBytes);
  putUint32(double, COUNT_AT, pages);
  putUint32(double, SINCE_AT, since >>> 0);
  putUint32(double, SINCE_AT + 4, Math.floor(since / 2 ** 32));
  for (let index = 0; index < pages; index++) {
    const page = at + index * pageBytes;
    const place = NUMBERS_AT + index * NUMBER_BYTES;
    // A page begins with its checksum and its number.
    putUint32(double, place, uint32(double, page + 4));
    putUint32(double, place + 4, uint32(double, page));
  }
  putUint32(double, CHECKSUM_AT, headerChecksum(double, pages));
}

/** A doublewrite file that batches are written to, by one caller at a time. */
export class DoubleWrite {
  readonly path: string;
  readonly #dispatch: SyncDispatch;
  readonly #poison: Poison;
  #file: VfsFile | null = null;
  /** Whether its name is durable. */
  #named = false;

  constructor(dispatch: SyncDispatch, path: string, poison: Poison) {
    this.path = path;
    this.#dispatch = dispatch;
    this.#poison = poison;
  }

  /**
   * On return a batch is durable. REQUIRES: so are the places of the one before. Of which nobody
   * knows after a failure: then it stays.
   */
  async write(double: Uint8Array): Promise<void> {
    this.#poison.check();
    let call: FailingCall = 'write';
    try {
      this.#file ??= await this.#dispatch.vfs.open(this.path, OPTIONS);
      // Whoever wrote to it has made the name durable first.
      this.#named ||= (await this.#file.stat()).size > 0;
      if (!this.#named) {
        call = 'sync';
        await this.#dispatch.names(dirname(this.path));
        this.#named = true;
        call = 'write';
      }
      await writeFully(this.#file, double, 0);
      call = 'sync';
      await this.#dispatch.bytes(this.#file);
    } catch (error) {
      // No room for a batch is no harm: the log has its pages.
      throw this.#poison.failed(call, error);
    }
  }

  /** As `write`, on the calling thread. */
  writeSync(double: Uint8Array): void {
    this.#poison.check();
    let call: FailingCall = 'write';
    try {
      this.#file ??= this.#dispatch.vfs.openSync(this.path, OPTIONS);
      this.#named ||= this.#file.statSync().size > 0;
      if (!this.#named) {
        call = 'sync';
        this.#dispatch.namesSync(dirname(this.path));
        this.#named = true;
        call = 'write';
      }
      writeFullySync(this.#file, double, 0);
      call = 'sync';
      this.#dispatch.bytesSync(this.#file);
    } catch (error) {
      throw this.#poison.failed(call, error);
    }
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }
}

/** What is there stays until it is written over. */
const OPTIONS = { read: true, write: true, create: true, noFollow: true };

/** What the log of a store says of its doublewrite files. */
export interface DoubleBounds {
  /** Absent: not known. */
  readonly pageBytes?: number;
  /** What the last checkpoint covers. */
  readonly upTo: number;
  /** The last record of the log. */
  readonly lastSequence: number;
}

/** What stands in for torn pages. */
export interface Doubles {
  /** By number. */
  readonly pages: ReadonlyMap<number, Uint8Array>;
  /** The whole files that have them, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/**
 * The pages that stand in for torn ones: those of the doublewrite files of a directory that no
 * checkpoint has made needless. @throws (rejects) HOLDFAST_FORMAT
 */
export async function readDoubles(
  vfs: Vfs,
  directory: string,
  bounds: DoubleBounds,
): Promise<Doubles> {
  const pages = new Map<number, Uint8Array>();
  const files = new Map<string, Uint8Array>();
  for (const name of DOUBLE_NAMES) {
    const path = join(directory, name);
    let double: Uint8Array;
    try {
      if (!(await mayCount(vfs, path, bounds))) continue;
      double = await readWholeFile(vfs, path);
    } catch (error) {
      // Most stores have one of them, and a new one has none.
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') continue;
      throw error;
    }
    for (const page of pagesInDouble(double, path, bounds)) {
      files.set(path, double);
      const number = pageNumber(page);
      const other = pages.get(number);
      if (other === undefined || pagePosition(other) < pagePosition(page)) pages.set(number, page);
    }
  }
  return { pages, files };
}

/** Whether a batch may mean anything, by its header: of a store that was closed, none does. */
async function mayCount(vfs: Vfs, path: string, bounds: DoubleBounds): Promise<boolean> {
  const file = await vfs.open(path, { read: true });
  try {
    const start = new Uint8Array(HEADER_BYTES_MOST);
    const count = await readFully(file, start, 0);
    // One that does not fit is none that was written here: the whole file says what it is.
    if (doubleHeaderBytes(uint32(start, COUNT_AT)) > start.length) return true;
    const header = doubleHeader(start.subarray(0, count), path);
    return header !== null && header.since >= bounds.upTo;
  } finally {
    await file.close();
  }
}

/**
 * Makes doublewrite files durable, before pages of theirs go to their places. Written once more: an
 * earlier process that was killed may have brought a batch to nothing but the cache of the operating
 * system, and after a failed sync of its, the next one would succeed without it.
 */
export async function settleDoubles(dispatch: SyncDispatch, { files }: Doubles): Promise<void> {
  for (const [path, double] of files) {
    const file = await dispatch.vfs.open(path, { write: true, noFollow: true });
    try {
      await writeFully(file, double, 0);
      await dispatch.bytes(file);
    } finally {
      await file.close();
    }
  }
}

/** What a doublewrite file says before its pages. */
export interface DoubleHeader {
  readonly pageBytes: number;
  readonly pages: number;
  readonly since: number;
}

/** Null where a batch was on its way: nothing of it has gone to its places. @throws HOLDFAST_FORMAT */
export function doubleHeader(double: Uint8Array, path: string): DoubleHeader | null {
  const pages = double.length < NUMBERS_AT ? 0 : uint32(double, COUNT_AT);
  if (pages === 0 || double.length < doubleHeaderBytes(pages)) return null;
  if (!MAGIC.every((byte, index) => double[index] === byte)) return null;
  if (uint32(double, CHECKSUM_AT) !== headerChecksum(double, pages)) return null;
  checkVersion(double, path);
  const since = uint32(double, SINCE_AT + 4) * 2 ** 32 + uint32(double, SINCE_AT);
  return { pageBytes: uint32(double, PAGE_BYTES_AT), pages, since };
}

/** Those of one doublewrite file. @throws HOLDFAST_FORMAT */
export function pagesInDouble(
  double: Uint8Array,
  path: string,
  bounds: DoubleBounds,
): Uint8Array[] {
  const header = doubleHeader(double, path);
  if (header === null || header.since < bounds.upTo) return [];
  const { pageBytes } = header;
  if (pageBytes !== (bounds.pageBytes ?? pageBytes)) return [];
  const pagesAt = doubleHeaderBytes(header.pages);
  const pages: Uint8Array[] = [];
  for (let index = 0; index < header.pages; index++) {
    const page = double.subarray(pagesAt + index * pageBytes, pagesAt + (index + 1) * pageBytes);
    const place = NUMBERS_AT + index * NUMBER_BYTES;
    if (page.length < pageBytes || uint32(page, 0) !== uint32(double, place + 4)) continue;
    if (pageFault(page, uint32(double, place)) !== null) continue;
    if (pagePosition(page) <= bounds.lastSequence) pages.push(page);
  }
  return pages;
}

function checkVersion(double: Uint8Array, path: string): void {
  const version = uint32(double, VERSION_AT);
  if (version <= VERSION) return;
  throw new HoldfastError(
    'HOLDFAST_FORMAT',
    `${path} is of version ${version}, and this program knows versions up to ${VERSION}: ` +
      'open it with the program that wrote it, or a newer one',
  );
}

function headerChecksum(double: Uint8Array, pages: number): number {
  return maskCrc32c(crc32c(double, VERSION_AT, NUMBERS_AT + NUMBER_BYTES * pages));
}
