/**
 * Values that are too long for a cell: a chain of overflow pages, each full but the last. Not here:
 * the cell that has the first page's number and the value's length (`leaf-cell`).
 */

import { assert } from '../base/assert.ts';
import { CorruptionError } from '../base/errors.ts';
import type { FreeList } from './free-list.ts';
import type { PageFrame } from './btree-page-cache.ts';
import { PAGE_HEADER_BYTES, PAGE_KIND, nextPage, pageKind, setNextPage } from './page-format.ts';
import type { Pager } from './pager.ts';

/** Bytes of a value in an overflow page. */
export function overflowBytes(pageBytes: number): number {
  return pageBytes - PAGE_HEADER_BYTES;
}

/** Puts a value into new pages. Returns the number of the first. */
export function writeOverflow(
  freeList: FreeList,
  pager: Pager,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  assert(end > start, 'an empty value is in its cell');
  const step = overflowBytes(pager.pageBytes);
  let first = 0;
  let before: PageFrame | null = null;
  for (let from = start; from < end; from += step) {
    const frame = freeList.allocate(PAGE_KIND.overflow, 0);
    frame.data.set(bytes.subarray(from, Math.min(from + step, end)), PAGE_HEADER_BYTES);
    if (before === null) first = frame.number;
    else setNextPage(before.data, frame.number);
    before = frame;
  }
  return first;
}

/**
 * The frames of a chain, for a writer that gives it back. All are in memory when it returns.
 * @throws PageMissing
 */
export function overflowFrames(pager: Pager, first: number, length: number): PageFrame[] {
  const frames: PageFrame[] = [];
  const count = Math.ceil(length / overflowBytes(pager.pageBytes));
  let number = first;
  for (let index = 0; index < count; index++) {
    const frame = pager.frame(number);
    checkOverflow(pager, number, frame.data, index === count - 1);
    frames.push(frame);
    number = nextPage(frame.data);
  }
  return frames;
}

/** Collects a value as a reader sees it, a page at a time. */
export class OverflowReader {
  readonly value: Buffer;
  readonly #pager: Pager;
  #number: number;
  #done = 0;

  constructor(pager: Pager, first: number, length: number) {
    this.#pager = pager;
    this.#number = first;
    this.value = Buffer.allocUnsafeSlow(length);
  }

  /** Reads on, to the end. May be called again after `PageMissing`. */
  read(view: (number: number) => Uint8Array): Buffer {
    const { value } = this;
    while (this.#done < value.length) {
      const page = view(this.#number);
      const length = Math.min(overflowBytes(page.length), value.length - this.#done);
      checkOverflow(this.#pager, this.#number, page, this.#done + length === value.length);
      value.set(page.subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + length), this.#done);
      this.#done += length;
      this.#number = nextPage(page);
    }
    return value;
  }
}

function checkOverflow(pager: Pager, number: number, page: Uint8Array, last: boolean): void {
  const kind = pageKind(page);
  if (kind === PAGE_KIND.overflow && (nextPage(page) === 0) === last) return;
  throw new CorruptionError({
    path: pager.file.path,
    offset: number * pager.pageBytes,
    expected: last ? 'the last page of a value' : 'a page of a value, with one that follows',
    found: kind === PAGE_KIND.overflow ? `next page ${nextPage(page)}` : `a page of kind ${kind}`,
  });
}
