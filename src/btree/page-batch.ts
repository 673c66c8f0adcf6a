/**
 * Pages that are written together: copied as readers see them, and sealed, behind the place of the
 * header that the doublewrite file has. Not here: the writing (`checkpointer`).
 */

import { doubleHeaderBytes, sealDouble } from './double-write.ts';
import { pagePosition, sealPage } from './page-format.ts';
import type { PageFrame } from './btree-page-cache.ts';
import type { Pager } from './pager.ts';

/** Pages that are written in one go. */
const RUN_PAGES = 128;
/** Bytes of the pages of a batch, at most, and how many of those that the cache has room for. */
const BATCH_BYTES: number = 4 << 20;
const BATCH_SHARE = 1 / 16;

/** Pages beside each other. */
export interface Run {
  readonly first: number;
  readonly bytes: Uint8Array;
  readonly frames: PageFrame[];
  readonly positions: number[];
}

export class PageBatch {
  /** What `take` has copied. */
  runs: Run[] = [];
  /** The latest position of a page that was copied: so far the log must be durable. */
  last = 0;
  readonly #pager: Pager;
  readonly #pagesMax: number;
  readonly #pagesAt: number;
  readonly #bytes: Uint8Array;
  #pages = 0;

  /** `pages`: how many are to be written; a batch has no more than fit. */
  constructor(pager: Pager, pages: number) {
    this.#pager = pager;
    const most = Math.min(BATCH_BYTES / pager.pageBytes, pager.cache.pagesMax * BATCH_SHARE);
    this.#pagesMax = Math.min(pages, Math.floor(most));
    this.#pagesAt = doubleHeaderBytes(this.#pagesMax);
    this.#bytes = new Uint8Array(this.#pagesAt + this.#pagesMax * pager.pageBytes);
  }

  /**
   * Copies pages, from that of an index on, in place of those that were copied before: as many as
   * fit. Returns the index behind them. REQUIRES: `numbers` ascend
   */
  take(numbers: readonly number[], from: number): number {
    this.runs = [];
    this.last = 0;
    this.#pages = 0;
    let at = from;
    for (; at < numbers.length && this.#pages < this.#pagesMax; at++) {
      const frame = this.#pager.cache.peek(numbers[at]!);
      // Given up, or written meanwhile.
      if (frame === undefined || !frame.dirty || frame.fresh) continue;
      this.#copy(frame);
    }
    return at;
  }

  /** The whole batch, as it goes to the doublewrite file; see there for `since`. */
  double(since: number): Uint8Array {
    const { pageBytes } = this.#pager;
    const start = this.#pagesAt - doubleHeaderBytes(this.#pages);
    const double = this.#bytes.subarray(start, this.#pagesAt + this.#pages * pageBytes);
    sealDouble(double, this.#pages, since);
    return double;
  }

  #copy(frame: PageFrame): void {
    const { pageBytes } = this.#pager;
    const { number } = frame;
    const at = this.#pagesAt + this.#pages++ * pageBytes;
    const page = this.#bytes.subarray(at, at + pageBytes);
    page.set(frame.visible ?? frame.data);
    sealPage(page);
    // Not before it is written, nor while opening might put it back, is its place anybody else's.
    this.#pager.touch(number);
    const position = pagePosition(page);
    this.last = Math.max(this.last, position);
    const run = this.runs.at(-1);
    const pages = run?.frames.length ?? 0;
    if (run === undefined || run.first + pages !== number || pages === RUN_PAGES) {
      this.runs.push({ first: number, bytes: page, frames: [frame], positions: [position] });
      return;
    }
    const start = run.bytes.byteOffset - this.#bytes.byteOffset;
    this.runs[this.runs.length - 1] = {
      ...run,
      bytes: this.#bytes.subarray(start, at + pageBytes),
    };
    run.frames.push(frame);
    run.positions.push(position);
  }
}
