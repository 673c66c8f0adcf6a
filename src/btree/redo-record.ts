/**
 * What the log holds of a commit: every change of every page, so that redo can make it again.
 *
 *   record:   version 2 | change, to the end
 *   image:    01 | page | low | length | bytes 16 to before low | as many bytes of the page's end
 *   insert:   02 | page | index | length | cell
 *   remove:   03 | page | index
 *   replace:  04 | page | index | length | cell
 *   bytes:    05 | page | offset | length | bytes
 *   base:     06 | page | position
 *
 * All numbers but the first byte are varints. A base stands before the first change of each page
 * that no image in the same record comes before: the changes are those of the page as of that
 * position. Records of version 1 have none: in them the first change of a page behind a checkpoint
 * is an image. Not here: when a page is imaged (`pager`), and where the record goes.
 */

import { ByteReader, DecodeError } from '../base/byte-reader.ts';
import { putVarint53, varintLength } from '../base/coding.ts';
import { PAGE_HEADER_BYTES, PAGE_KIND, cellCount, cellsOffset, pageKind } from './page-format.ts';
import { SLOT_BYTES, copyBytes, insertCell, removeCell, replaceCell } from './slotted-page.ts';

/** Version of the records that are made; those before it are read. */
export const REDO_VERSION = 2;

/** The first byte of a change. */
export const REDO = { image: 1, insert: 2, remove: 3, replace: 4, bytes: 5, base: 6 } as const;

/** Where an image begins: checksum, number and position are the page's own. */
const IMAGE_AT = 16;
const FIRST_BYTES = 4096;
const KEPT_BYTES_MAX: number = 4 << 20;

/** Collects the changes of one commit. */
export class RedoRecord {
  #bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  #length = 1;

  constructor() {
    this.clear();
  }

  get empty(): boolean {
    return this.#length === 1;
  }

  /** The record, whose bytes are good until the next change or `clear`. */
  bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Begins a new record. A large one does not keep its memory. */
  clear(): void {
    if (this.#bytes.length > KEPT_BYTES_MAX) this.#bytes = new Uint8Array(FIRST_BYTES);
    this.#bytes[0] = REDO_VERSION;
    this.#length = 1;
  }

  /** The page as it is now. */
  image(number: number, page: Uint8Array): void {
    const { low, high } = imageBounds(page);
    const length = low - IMAGE_AT + (page.length - high);
    this.#begin(REDO.image, number, 2 * VARINT_BYTES + length);
    this.#varint(low);
    this.#varint(page.length - high);
    this.#put(page, IMAGE_AT, low);
    this.#put(page, high, page.length);
  }

  /** The changes of a page that follow are made on what it was as of a position. */
  base(number: number, position: number): void {
    this.#begin(REDO.base, number, POSITION_BYTES);
    this.#varint(position);
  }

  insert(number: number, index: number, cell: Uint8Array, start: number, end: number): void {
    this.#begin(REDO.insert, number, 2 * VARINT_BYTES + (end - start));
    this.#varint(index);
    this.#varint(end - start);
    this.#put(cell, start, end);
  }

  remove(number: number, index: number): void {
    this.#begin(REDO.remove, number, VARINT_BYTES);
    this.#varint(index);
  }

  replace(number: number, index: number, cell: Uint8Array, start: number, end: number): void {
    this.#begin(REDO.replace, number, 2 * VARINT_BYTES + (end - start));
    this.#varint(index);
    this.#varint(end - start);
    this.#put(cell, start, end);
  }

  /** The bytes of a page from `start` to before `end`, as they are now. */
  range(number: number, page: Uint8Array, start: number, end: number): void {
    this.#begin(REDO.bytes, number, 2 * VARINT_BYTES + (end - start));
    this.#varint(start);
    this.#varint(end - start);
    this.#put(page, start, end);
  }

  #begin(kind: number, number: number, more: number): void {
    const needed = this.#length + 1 + VARINT_BYTES + more;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = kind;
    this.#varint(number);
  }

  #varint(value: number): void {
    this.#length = putVarint53(this.#bytes, this.#length, value);
  }

  #put(source: Uint8Array, start: number, end: number): void {
    copyBytes(source, start, end, this.#bytes, this.#length);
    this.#length += end - start;
  }
}

/** Bytes that a varint here may take. */
const VARINT_BYTES = varintLength(2 ** 32);
const POSITION_BYTES = varintLength(Number.MAX_SAFE_INTEGER);

/** What a record does to a page. One serves for all changes of a record, each while it is shown. */
export class RedoChange {
  kind = 0;
  /** Where the change begins in the record. */
  at = 0;
  /** Of a cell its index, of bytes their place in the page, of an image its low end. */
  place = 0;
  /** The bytes of the change in the record; of an image, those up to its low end. */
  start = 0;
  end = 0;
  /** Of an image: the end of those that are the page's last. */
  lastEnd = 0;
  readonly #record: Uint8Array;

  constructor(record: Uint8Array) {
    this.#record = record;
  }

  /** A page that has seen the record must not see it again. @throws DecodeError */
  put(page: Uint8Array): void {
    const { place, start, end } = this;
    const record = this.#record;
    switch (this.kind) {
      case REDO.image:
        this.#checkRange(place + this.lastEnd - end, page);
        page.fill(0, IMAGE_AT);
        copyBytes(record, start, end, page, IMAGE_AT);
        copyBytes(record, end, this.lastEnd, page, page.length - (this.lastEnd - end));
        break;
      case REDO.insert:
        insertCell(page, place, record, start, end);
        break;
      case REDO.replace:
        replaceCell(page, place, record, start, end);
        break;
      case REDO.remove:
        removeCell(page, place);
        break;
      default:
        this.#checkRange(place + end - start, page);
        copyBytes(record, start, end, page, place);
    }
  }

  #checkRange(end: number, { length }: Uint8Array): void {
    if (end > length)
      throw new DecodeError(this.at, `a place in a page of ${length}`, `byte ${end}`);
  }
}

/** Takes the changes of a record, in order. What they do to a page is done by who takes them, or not. */
export interface RedoVisitor {
  /** The whole of a page. */
  image(number: number, change: RedoChange): void;
  /**
   * The position of the page that the changes of it in this record are made on; null, before every
   * change of a record of version 1: it is not told.
   */
  base?(number: number, position: number | null): void;
  /** A change on what the page was. */
  change(number: number, change: RedoChange): void;
}

/**
 * Shows the changes of a record.
 * @throws DecodeError where the bytes are no record of a version that is known
 */
export function visitRedo(bytes: Uint8Array, visitor: RedoVisitor): void {
  const reader = new ByteReader(bytes);
  const version = reader.bytes(1)[0];
  if (version !== 1 && version !== REDO_VERSION) {
    throw new DecodeError(0, `redo records of version ${REDO_VERSION}`, `version ${version}`);
  }
  const change = new RedoChange(bytes);
  while (reader.remaining > 0) {
    const at = reader.position;
    const kind = reader.byte();
    const number = reader.varint53();
    if (kind === REDO.base) {
      const position = reader.varint53();
      visitor.base?.(number, position);
      continue;
    }
    change.at = at;
    change.kind = kind;
    change.place = reader.varint53();
    if (kind === REDO.image) {
      readImage(reader, change);
      visitor.image(number, change);
      continue;
    }
    if (kind !== REDO.remove) {
      if (kind !== REDO.insert && kind !== REDO.replace && kind !== REDO.bytes) {
        throw new DecodeError(at, 'a change of a page', `kind ${kind}`);
      }
      const length = reader.varint53();
      change.start = reader.position;
      reader.skip(length);
      change.end = reader.position;
    }
    if (version === 1) visitor.base?.(number, null);
    visitor.change(number, change);
  }
}

function readImage(reader: ByteReader, change: RedoChange): void {
  const endLength = reader.varint53();
  const low = change.place;
  if (low < IMAGE_AT) throw new DecodeError(change.at, `a place from ${IMAGE_AT} on`, `${low}`);
  change.start = reader.position;
  reader.skip(low - IMAGE_AT);
  change.end = reader.position;
  reader.skip(endLength);
  change.lastEnd = reader.position;
}

/** The part of a page that means nothing, which an image leaves out. */
function imageBounds(page: Uint8Array): { readonly low: number; readonly high: number } {
  const kind = pageKind(page);
  if (kind === PAGE_KIND.leaf || kind === PAGE_KIND.branch) {
    return { low: PAGE_HEADER_BYTES + SLOT_BYTES * cellCount(page), high: cellsOffset(page) };
  }
  let end = page.length;
  while (end > PAGE_HEADER_BYTES && page[end - 1] === 0) end--;
  return { low: end, high: page.length };
}
