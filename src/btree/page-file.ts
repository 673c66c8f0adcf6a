/**
 * The file of pages: reads with every check, writes as runs of pages, syncs. Not here: which pages
 * are in memory (`btree-page-cache`), and when one may be written (`checkpointer`).
 *
 * Syncs: Linux reports a failed write-back once to every open description, and to no second sync
 * through it. So one sync at a time goes through a description: those on the thread pool follow each
 * other, and the calling thread, which cannot wait for them, has a description of its own.
 *
 * @see https://lwn.net/Articles/724307/ (errseq_t, Linux 4.13)
 */

import { assert } from '../base/assert.ts';
import { CorruptionError } from '../base/errors.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { readFully, readFullySync, writeFully, writeFullySync } from '../vfs/transfer.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import { pageFault, pagePosition } from './page-format.ts';

/** Pages that are read in one go, and how far apart those may be that are asked for. */
const READ_PAGES = 128;
const READ_GAP = 8;

export class PageFile {
  readonly path: string;
  readonly pageBytes: number;
  readonly #file: VfsFile;
  readonly #calling: VfsFile | null;
  readonly #dispatch: SyncDispatch;
  /** The last sync on the thread pool; after one that failed, none succeeds. */
  #settled: Promise<void> = Promise.resolve();
  /** Pages that are being written ahead. */
  #ahead: { readonly first: number; readonly end: number; readonly writing: Promise<void> } | null =
    null;
  /**
   * The log, of which no page has seen more than is in it: one that has says that the log has lost
   * its end. Null: nothing is known of it.
   */
  log: { readonly lastSequence: number } | null = null;
  /** Pages read and written since it was opened. */
  pagesRead = 0;
  pagesWritten = 0;

  /**
   * `calling` is the same file, opened once more, for syncs on the calling thread; null: there are
   * none.
   */
  constructor(
    file: VfsFile,
    pageBytes: number,
    dispatch: SyncDispatch,
    calling: VfsFile | null = null,
  ) {
    this.path = file.path;
    this.#calling = calling;
    this.pageBytes = pageBytes;
    this.#file = file;
    this.#dispatch = dispatch;
  }

  /**
   * Reads a page into a buffer of its size.
   * @throws HOLDFAST_CORRUPTION when it is not what was written, or not there
   */
  async read(number: number, page: Uint8Array): Promise<void> {
    this.pagesRead++;
    const count = await readFully(this.#file, page, number * this.pageBytes);
    this.#check(number, page, count);
  }

  /** As `read`, on the calling thread. */
  readSync(number: number, page: Uint8Array): void {
    this.pagesRead++;
    const count = readFullySync(this.#file, page, number * this.pageBytes);
    this.#check(number, page, count);
  }

  /**
   * Reads pages, whose numbers ascend, as few reads as may be; shows each with what is wrong with
   * it, or null. The bytes are good while they are shown; of one behind the end they are zeros.
   */
  async readAll(
    numbers: readonly number[],
    show: (number: number, page: Uint8Array, fault: CorruptionError | null) => void,
  ): Promise<void> {
    const { pageBytes } = this;
    const run = new Uint8Array(Math.min(READ_PAGES, numbers.length * (READ_GAP + 1)) * pageBytes);
    for (let from = 0; from < numbers.length;) {
      const first = numbers[from]!;
      let until = from + 1;
      while (until < numbers.length) {
        const number = numbers[until]!;
        if (number - numbers[until - 1]! > READ_GAP || number - first >= READ_PAGES) break;
        until++;
      }
      const length = (numbers[until - 1]! + 1 - first) * pageBytes;
      const count = await readFully(this.#file, run, first * pageBytes, 0, length);
      for (const number of numbers.slice(from, until)) {
        this.pagesRead++;
        const at = (number - first) * pageBytes;
        const page = run.subarray(at, at + pageBytes);
        if (count - at < pageBytes) page.fill(0, Math.max(count - at, 0));
        show(number, page, this.#faultOf(number, page, count - at));
      }
      from = until;
    }
  }

  /** Writes sealed pages that follow each other. They are with the operating system, no further. */
  async write(number: number, pages: Uint8Array): Promise<void> {
    this.pagesWritten += pages.length / this.pageBytes;
    await writeFully(this.#file, pages, number * this.pageBytes);
  }

  /** As `write`, on the calling thread. */
  writeSync(number: number, pages: Uint8Array): void {
    this.pagesWritten += pages.length / this.pageBytes;
    writeFullySync(this.#file, pages, number * this.pageBytes);
  }

  /**
   * As `write`, for pages that nothing leads to yet. Until it has landed, `isUnderWay` says so: a
   * blocking call may go on with the same pages meanwhile.
   */
  async writeAhead(number: number, pages: Uint8Array): Promise<void> {
    const writing = this.write(number, pages);
    this.#ahead = { first: number, end: number + pages.length / this.pageBytes, writing };
    try {
      await writing;
    } finally {
      this.#ahead = null;
    }
  }

  /** Whether a page is being written ahead on the thread pool. */
  isUnderWay(number: number): boolean {
    const ahead = this.#ahead;
    return ahead !== null && number >= ahead.first && number < ahead.end;
  }

  /** Resolves when nothing is being written ahead; undefined: nothing is. */
  get landed(): Promise<unknown> | undefined {
    const ahead = this.#ahead;
    return ahead === null ? undefined : Promise.allSettled([ahead.writing]);
  }

  /** Makes everything written so far durable. When it fails, so do all that follow. */
  settle(): Promise<void> {
    const before = this.#settled;
    // Named for the traces in which a sync is known by its caller.
    const settle = async (): Promise<void> => {
      await before;
      await this.#dispatch.bytes(this.#file);
    };
    this.#settled = settle();
    return this.#settled;
  }

  /** As `settle`, on the calling thread; also while one is under way that will fail. */
  settleSync(): void {
    assert(this.#calling !== null, 'a sync on the calling thread has a description of its own');
    this.#dispatch.bytesSync(this.#calling);
  }

  /** Pages that the file has room for. */
  async pageCount(): Promise<number> {
    return Math.ceil((await this.#file.stat()).size / this.pageBytes);
  }

  /** Gives back what is behind so many pages. Lasts with the next `sync`. */
  truncateSync(pageCount: number): void {
    this.#file.truncateSync(pageCount * this.pageBytes);
  }

  async close(): Promise<void> {
    try {
      await this.#calling?.close();
    } finally {
      await this.#file.close();
    }
  }

  #check(number: number, page: Uint8Array, count: number): void {
    const fault = this.#faultOf(number, page, count);
    if (fault !== null) throw fault;
  }

  #faultOf(number: number, page: Uint8Array, count: number): CorruptionError | null {
    const fault =
      count < page.length
        ? {
            expected: `page ${number}`,
            found: `${Math.max(count, 0)} bytes to the end of the file`,
          }
        : (pageFault(page, number) ?? this.#newerFault(page, number));
    if (fault === null) return null;
    return new CorruptionError({ path: this.path, offset: number * this.pageBytes, ...fault });
  }

  #newerFault(
    page: Uint8Array,
    number: number,
  ): { readonly expected: string; readonly found: string } | null {
    const last = this.log?.lastSequence ?? Infinity;
    const position = pagePosition(page);
    if (position <= last) return null;
    const expected = `page ${number} as of record ${last}, the last one of the log, or before`;
    return { expected, found: `as of record ${position}: the log has lost its end` };
  }
}
