/** The files of a B+tree: its pages, each with its cells, and what the records of its redo log change. */

import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';

import { DecodeError } from '../../base/byte-reader.ts';
import { HoldfastError } from '../../base/errors.ts';
import { LOG_NAME, PAGES_NAME } from '../../btree/btree-parts.ts';
import { DOUBLE_NAMES, pagesInDouble } from '../../btree/double-write.ts';
import { freeListPageOf, isFreeListPage, isUsed, regionPages } from '../../btree/free-list.ts';
import {
  entryCount,
  META_FIXED_BYTES,
  META_PAGE,
  pageBytesOf,
  pageCount,
  rootPage,
} from '../../btree/meta-page.ts';
import {
  cellCount,
  nextPage,
  PAGE_HEADER_BYTES,
  PAGE_KIND,
  pageFault,
  pageKind,
  pageLevel,
  pageNumber,
  pagePosition,
} from '../../btree/page-format.ts';
import { visitRedo } from '../../btree/redo-record.ts';
import { CellCursor, freeBytes } from '../../btree/slotted-page.ts';
import { dumpDouble } from './double-format.ts';
import { addReport, emptyReport, verifyByDumping } from './store-format.ts';
import type { DumpedRecord, FormatProgress, StoreFormat, StoreReport } from './store-format.ts';
import { walFormat } from './wal-format.ts';

type Dumping = Generator<DumpedRecord, StoreReport, undefined>;

/** The file of pages by itself. */
export const pageFileFormat: StoreFormat = {
  name: `page file (${PAGES_NAME})`,
  recognises: (path) => basename(path) === PAGES_NAME && statSync(path).isFile(),
  dump: (path, onProgress) => dumpPages(path, onProgress),
  verify: (path, onProgress) => verifyByDumping(pageFileFormat, path, onProgress),
};

/** The pages, those on their way to them, and then the redo log. */
export function* dumpBtreeStore(path: string, onProgress: FormatProgress): Dumping {
  const report = emptyReport();
  const pages = join(path, PAGES_NAME);
  const log = join(path, LOG_NAME);
  const hasLog = existsSync(log) && walFormat.recognises(log);
  const built = hasLog ? pagesElsewhere(path, log) : new Set<number>();
  if (existsSync(pages)) addReport(report, yield* dumpPages(pages, onProgress, built));
  else report.damage.push({ file: pages, offset: null, message: 'it is missing' });
  for (const name of DOUBLE_NAMES) {
    const double = join(path, name);
    if (existsSync(double)) addReport(report, yield* dumpDouble(double));
  }
  if (hasLog) addReport(report, yield* dumpRedo(log, onProgress));
  else report.damage.push({ file: log, offset: null, message: 'there is no log in it' });
  return report;
}

/** Pages that opening builds from the log or puts back, whatever their places have of them. */
function pagesElsewhere(path: string, log: string): Set<number> {
  const images: { readonly sequence: number; readonly page: number }[] = [];
  let upTo = 0;
  let lastSequence = 0;
  const records = walFormat.dump(log, () => {});
  for (let step = records.next(); step.done !== true; step = records.next()) {
    const { kind, fields } = step.value;
    const sequence = Number(fields['sequence']);
    if (kind === 'checkpoint') upTo = Number(fields['upTo']);
    const { bytes } = fields;
    if (kind !== 'bytes' || !(bytes instanceof Uint8Array)) continue;
    lastSequence = Math.max(lastSequence, sequence);
    try {
      visitRedo(bytes, { image: (page) => images.push({ sequence, page }), change: () => {} });
    } catch (error) {
      // What is wrong with a record is said where it is shown.
      if (!(error instanceof DecodeError)) throw error;
    }
  }
  const behind = images.filter(({ sequence }) => sequence > upTo);
  const built = new Set(behind.map(({ page }) => page));
  for (const name of DOUBLE_NAMES) {
    const double = join(path, name);
    if (!existsSync(double)) continue;
    const pages = pagesInDouble(readFileSync(double), double, { upTo, lastSequence });
    for (const page of pages) built.add(pageNumber(page));
  }
  return built;
}

/** `built`: pages that the log has; null where nobody has looked. */
function* dumpPages(
  path: string,
  onProgress: FormatProgress,
  built: ReadonlySet<number> | null = null,
): Dumping {
  const report = emptyReport();
  const descriptor = openSync(path, 'r');
  try {
    const { size } = statSync(path);
    const file = new DumpedPages(descriptor, path);
    const meta = file.read(META_PAGE);
    // Where the meta page is damaged, all that the file has room for is shown.
    const room = Math.ceil(size / file.pageBytes);
    const pages = faultOf(meta, META_PAGE) === null ? pageCount(meta) : room;
    let used = 0;
    for (let number = 0; number < pages; number++) {
      onProgress(number, pages, 'pages');
      if (!file.isUsed(number)) continue;
      used++;
      const page = file.read(number);
      const offset = number * file.pageBytes;
      const left = Math.max(0, size - offset);
      const isCut = left < file.pageBytes;
      const cut = `expected page ${number}, found ${left} bytes to the end of the file`;
      const fault = isCut ? cut : faultOf(page, number);
      if (fault === null) {
        yield* dumpPage(path, number, page);
      } else if (built === null || built.has(number)) {
        const ifThere = built === null ? ', if that has it' : '';
        const message = `${fault}: opening makes the page whole from the log or a copy${ifThere}`;
        report.torn.push({ file: path, offset, message });
      } else {
        report.damage.push({ file: path, offset, message: fault });
      }
    }
    onProgress(pages, pages, 'pages');
    report.files.push({ file: path, bytes: size, holds: `${pages} pages, ${used} in use` });
  } finally {
    closeSync(descriptor);
  }
  return report;
}

/** What is wrong with a page, in words; null when nothing is. */
function faultOf(page: Uint8Array, number: number): string | null {
  const fault = pageFault(page, number);
  return fault === null ? null : `expected ${fault.expected}, found ${fault.found}`;
}

/** Reads pages as they are. What the file does not have is zeros. */
class DumpedPages {
  readonly pageBytes: number;
  readonly #descriptor: number;
  readonly #lists = new Map<number, Uint8Array>();

  /** @throws HOLDFAST_FOREIGN, HOLDFAST_FORMAT */
  constructor(descriptor: number, path: string) {
    this.#descriptor = descriptor;
    const first = Buffer.alloc(META_FIXED_BYTES);
    const length = readSync(descriptor, first, 0, first.length, 0);
    const pageBytes = pageBytesOf(first.subarray(0, length), path);
    if (pageBytes === null) {
      const message = `${path} does not begin as a B+tree of Holdfast does`;
      throw new HoldfastError('HOLDFAST_FOREIGN', message);
    }
    this.pageBytes = pageBytes;
  }

  read(number: number): Uint8Array {
    const page = new Uint8Array(this.pageBytes);
    for (let done = 0; done < page.length;) {
      const at = number * this.pageBytes + done;
      const count = readSync(this.#descriptor, page, done, page.length - done, at);
      if (count === 0) break;
      done += count;
    }
    return page;
  }

  /** As its free-list page says; where that is damaged, every page may be. */
  isUsed(number: number): boolean {
    const at = freeListPageOf(number, this.pageBytes);
    let list = this.#lists.get(at);
    if (list === undefined) {
      list = this.read(at);
      if (faultOf(list, at) !== null) list.fill(0xff, PAGE_HEADER_BYTES);
      this.#lists.set(at, list);
    }
    return number === META_PAGE || isFreeListPage(number, this.pageBytes) || isUsed(list, number);
  }
}

function* dumpPage(file: string, number: number, page: Uint8Array): Generator<DumpedRecord> {
  const offset = number * page.length;
  const about = { page: number, position: pagePosition(page) };
  switch (pageKind(page)) {
    case PAGE_KIND.meta: {
      const tree = { root: rootPage(page), pages: pageCount(page), entries: entryCount(page) };
      yield { file, offset, kind: 'meta', fields: { ...about, pageBytes: page.length, ...tree } };
      return;
    }
    case PAGE_KIND.leaf:
    case PAGE_KIND.branch:
      yield* dumpCells(file, number, page);
      return;
    case PAGE_KIND.overflow:
      yield { file, offset, kind: 'overflow', fields: { ...about, next: nextPage(page) } };
      return;
    case PAGE_KIND.freeList: {
      let used = 0;
      for (let bit = 0; bit < regionPages(page.length); bit++) if (isUsed(page, bit)) used++;
      yield { file, offset, kind: 'free-list', fields: { ...about, used } };
      return;
    }
    default:
      yield { file, offset, kind: `kind-${pageKind(page)}`, fields: about };
  }
}

function* dumpCells(file: string, number: number, page: Uint8Array): Generator<DumpedRecord> {
  const isLeaf = pageKind(page) === PAGE_KIND.leaf;
  const offset = number * page.length;
  const cells = cellCount(page);
  const about = { page: number, position: pagePosition(page), level: pageLevel(page), cells };
  const fields = { ...about, freeBytes: freeBytes(page) };
  yield { file, offset, kind: isLeaf ? 'leaf' : 'branch', fields };
  const cell = new CellCursor();
  for (let index = 0; index < cells; index++) {
    cell.at(page, index);
    const key = page.subarray(cell.keyStart, cell.keyEnd);
    const place = offset + cell.start;
    if (!isLeaf) {
      yield { file, offset: place, kind: 'child', fields: { key, page: cell.child } };
    } else if (cell.overflows) {
      const value = { valueBytes: cell.valueLength, overflow: cell.child };
      yield { file, offset: place, kind: 'entry', fields: { key, ...value } };
    } else {
      const value = page.subarray(cell.valueStart, cell.valueStart + cell.valueLength);
      yield { file, offset: place, kind: 'entry', fields: { key, value } };
    }
  }
}

/** Each commit with the pages that it changes: `image 0, change 3`. */
function* dumpRedo(log: string, onProgress: FormatProgress): Dumping {
  const records = walFormat.dump(log, onProgress);
  for (;;) {
    const step = records.next();
    if (step.done === true) return step.value;
    const record = step.value;
    const { bytes, sequence } = record.fields;
    if (record.kind !== 'bytes' || !(bytes instanceof Uint8Array)) {
      yield record;
      continue;
    }
    const fields = { sequence: sequence ?? 0, bytes: bytes.length, changes: changesOf(bytes) };
    yield { ...record, kind: 'redo', fields };
  }
}

function changesOf(bytes: Uint8Array): string {
  const changes: string[] = [];
  try {
    visitRedo(bytes, {
      image: (number) => changes.push(`image ${number}`),
      change: (number) => changes.push(`change ${number}`),
    });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    changes.push(error.message);
  }
  return changes.join(', ');
}
