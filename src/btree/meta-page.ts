/**
 * Page 0: what the file is, and where its tree begins. What never changes stands first, so that a
 * page torn behind it still tells the size of the pages.
 *
 *   header 32 | "HOLDBTR" and a line feed 8 | version 4 | page bytes 4 | root 4 | page count 4 |
 *   entries 8
 */

import { HoldfastError } from '../base/errors.ts';
import {
  PAGE_BYTES_MAX,
  PAGE_BYTES_MIN,
  PAGE_HEADER_BYTES,
  PAGE_KIND,
  formatPage,
  putUint32,
  uint32,
} from './page-format.ts';

/** The number of the meta page. */
export const META_PAGE = 0;

const MAGIC = [0x48, 0x4f, 0x4c, 0x44, 0x42, 0x54, 0x52, 0x0a];
const VERSION = 1;
const VERSION_AT: number = PAGE_HEADER_BYTES + 8;
const PAGE_BYTES_AT: number = VERSION_AT + 4;
const ROOT_AT: number = PAGE_BYTES_AT + 4;
const PAGE_COUNT_AT: number = ROOT_AT + 4;
const ENTRIES_AT: number = PAGE_COUNT_AT + 4;

/** The part of the page that changes. */
export const META_FIELDS: { readonly start: number; readonly end: number } = {
  start: ROOT_AT,
  end: ENTRIES_AT + 8,
};
/** Bytes that tell a file of ours and the size of its pages. */
export const META_FIXED_BYTES: number = ROOT_AT;

export function formatMetaPage(page: Uint8Array): void {
  formatPage(page, META_PAGE, PAGE_KIND.meta, 0);
  page.set(MAGIC, PAGE_HEADER_BYTES);
  putUint32(page, VERSION_AT, VERSION);
  putUint32(page, PAGE_BYTES_AT, page.length);
}

/**
 * The size of the pages of a file, from its first bytes; null when it is not one of ours.
 * @throws HOLDFAST_FORMAT when a newer version wrote it
 */
export function pageBytesOf(first: Uint8Array, path: string): number | null {
  if (first.length < META_FIXED_BYTES) return null;
  if (!MAGIC.every((byte, index) => first[PAGE_HEADER_BYTES + index] === byte)) return null;
  const version = uint32(first, VERSION_AT);
  if (version > VERSION) {
    throw new HoldfastError(
      'HOLDFAST_FORMAT',
      `${path} is of version ${version}, and this program knows versions up to ${VERSION}: ` +
        'open it with the program that wrote it, or a newer one',
    );
  }
  const pageBytes = uint32(first, PAGE_BYTES_AT);
  return isPageSize(pageBytes) ? pageBytes : null;
}

/** Whether a file may have pages of so many bytes. */
export function isPageSize(bytes: number): boolean {
  return bytes >= PAGE_BYTES_MIN && bytes <= PAGE_BYTES_MAX && Number.isInteger(Math.log2(bytes));
}

/** The page where every search begins. */
export function rootPage(meta: Uint8Array): number {
  return uint32(meta, ROOT_AT);
}

export function setRootPage(meta: Uint8Array, root: number): void {
  putUint32(meta, ROOT_AT, root);
}

/** Pages of the file, free ones included. */
export function pageCount(meta: Uint8Array): number {
  return uint32(meta, PAGE_COUNT_AT);
}

export function setPageCount(meta: Uint8Array, count: number): void {
  putUint32(meta, PAGE_COUNT_AT, count);
}

/** Keys that have a value. */
export function entryCount(meta: Uint8Array): number {
  return uint32(meta, ENTRIES_AT + 4) * 2 ** 32 + uint32(meta, ENTRIES_AT);
}

export function setEntryCount(meta: Uint8Array, count: number): void {
  putUint32(meta, ENTRIES_AT, count >>> 0);
  putUint32(meta, ENTRIES_AT + 4, Math.floor(count / 2 ** 32));
}
