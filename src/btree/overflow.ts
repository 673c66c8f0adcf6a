/**
 * Values that are too long for a cell: a chain of overflow pages, each full but the last. Not here:
 * the cell that has the first page's number and the value's length.
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
 * The pages of a chain that is given back. They are found by reading them, and a long chain does not
 * fit in memory as a whole: what was found is kept when a page is missing, and only its number.
 */
export class OverflowChain {
  readonly first: number;
  readonly length: number;
  readonly numbers: number[] = [];

  constructor(first: number, length: number) {
    this.first = first;
    this.length = length;
  }

  /** Reads on, to the end. May be called again after `PageMissing`. */
  find(pager: Pager): readonly number[] {
    const count = Math.ceil(this.length / overflowBytes(pager.pageBytes));
    while (this.numbers.length < count) {
      const before = this.numbers.at(-1);
      const number = before === undefined ? this.first : this.#next;
      const frame = pager.frame(number);
      checkOverflow(pager, number, frame.data, this.numbers.length === count - 1);
      this.numbers.push(number);
      this.#next = nextPage(frame.data);
    }
    return this.numbers;
  }

  #next = 0;
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

/** @throws HOLDFAST_CORRUPTION where a page is none of a value, or is the last where another follows */
export function checkOverflow(pager: Pager, number: number, page: Uint8Array, last: boolean): void {
  const kind = pageKind(page);
  if (kind === PAGE_KIND.overflow && (nextPage(page) === 0) === last) return;
  throw new CorruptionError({
    path: pager.file.path,
    offset: number * pager.pageBytes,
    expected: last ? 'the last page of a value' : 'a page of a value, with one that follows',
    found: kind === PAGE_KIND.overflow ? `next page ${nextPage(page)}` : `a page of kind ${kind}`,
  });
}
