/**
 * What can be said of a disk with B+tree stores, so that opening does the same on every disk of which it is said: the
 * names, the redo log as recovery reads it, which pages are put back from the doublewrite files, and the pages that are
 * looked at, as they are then. A page of which the log has an image is built from the log alone (`redo`), so what its
 * place has is not said; nor is what stands in the place of a free page. For stores of one region: one free-list page.
 */

import { runNow } from '../../src/durable/two-forms.ts';
import { LOG_NAME, NEW_PAGES_NAME, PAGES_NAME, SPILL_NAME } from '../../src/btree/btree-parts.ts';
import { DOUBLE_NAMES, pagesInDouble } from '../../src/btree/double-write.ts';
import { freeListPageOf, isUsed } from '../../src/btree/free-list.ts';
import { META_FIXED_BYTES, pageBytesOf } from '../../src/btree/meta-page.ts';
import {
  PAGE_BYTES_MIN,
  pageFault,
  pageNumber,
  pagePosition,
} from '../../src/btree/page-format.ts';
import type { RedoChange } from '../../src/btree/redo-record.ts';
import { visitRedo } from '../../src/btree/redo-record.ts';
import type { CrashedDisk } from '../../src/lab/check/checker.ts';
import type { FileTreeDirectory, FileTreeNode } from '../../src/vfs/file-tree.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { inspectWal } from '../../src/wal/wal-inspection.ts';
import { WalReading } from '../../src/wal/wal-reading.ts';
import { saidInFull, sortedEntries } from './disk-facts.ts';
import { saidOfLog } from './wal-class.ts';
import { digestOf } from './wide-judge.ts';

/** They are removed unread. */
const SCRATCH: ReadonlySet<string> = new Set([NEW_PAGES_NAME, SPILL_NAME]);
const FREE_LIST_PAGE = freeListPageOf(0, PAGE_BYTES_MIN);
/** How many logs are remembered by what is said of them. */
const LOGS_MAX = 10_000;

/** What a log says, and makes of the pages. */
interface Redone {
  /** Pages of which it has images. */
  readonly imaged: ReadonlySet<number>;
  /** Records that change the free-list page. Bits are put, not turned: what was made before does no harm. */
  readonly freeList: readonly Uint8Array[];
  /** What its checkpoint covers, and its last record. */
  readonly upTo: number;
  readonly lastSequence: number;
}

/** By what is said of a log; null: it is refused. */
const redoneBy = new Map<string, Redone | null>();

/** For stores in directories of the root. */
export function classOfBtree({ root }: CrashedDisk): string {
  return sortedEntries(root)
    .map(
      ([name, node]) =>
        `${name}=${node.kind === 'directory' ? classOfStore(node) : saidInFull(node)}`,
    )
    .join(' ');
}

function classOfStore(store: FileTreeDirectory): string {
  const log = store.entries.get(LOG_NAME);
  const logSaid = log?.kind === 'directory' ? saidOfLog(log) : 'none';
  const others = sortedEntries(store).map(([name, node]) => {
    if (node === log && node.kind === 'directory') return logSaid;
    if (node.kind !== 'file') return `${name}${saidInFull(node)}`;
    if (SCRATCH.has(name)) return name;
    // Whose name is durable is told by whether anything was written.
    if (DOUBLE_NAMES.includes(name)) return `${name}:${node.content.length > 0}`;
    if (name !== PAGES_NAME) return `${name}:${saidInFull(node)}`;
    return `${name}:${pagesSaid(node.content, logSaid, log, doublesOf(store))}`;
  });
  return others.join(';');
}

function doublesOf({ entries }: FileTreeDirectory): Uint8Array[] {
  const nodes = DOUBLE_NAMES.map((name) => entries.get(name));
  return nodes.flatMap((node) => (node?.kind === 'file' ? [node.content] : []));
}

/** Of the pages: what tells their size, those that are put back, and those in use that the log has no image of. */
function pagesSaid(
  pages: Uint8Array,
  logSaid: string,
  log: FileTreeNode | undefined,
  doubles: readonly Uint8Array[],
): string {
  const pageBytes = sizeOfPages(pages);
  if (pageBytes === null || log?.kind !== 'directory') return String(pageBytes);
  const redone = redoneIn(logSaid, log);
  // Without a log that is good, opening goes no further.
  if (redone === null) return `${pageBytes}`;
  const back = pagesPutBack(pages, pageBytes, doubles, redone);
  const pageOf = (number: number): Uint8Array =>
    back.get(number) ?? pages.subarray(number * pageBytes, (number + 1) * pageBytes);
  const place = pageOf(FREE_LIST_PAGE);
  const freeList = new Uint8Array(pageBytes);
  freeList.set(place);
  const isThere = place.length === pageBytes || redone.imaged.has(FREE_LIST_PAGE);
  const put = (number: number, change: RedoChange): void => {
    if (number === FREE_LIST_PAGE) change.put(freeList);
  };
  if (isThere) for (const record of redone.freeList) visitRedo(record, { image: put, change: put });
  let text = `${pageBytes} ${[...back.keys()].toSorted((a, b) => a - b).join('+')}`;
  const count = Math.max(
    Math.ceil(pages.length / pageBytes),
    ...[...back.keys()].map((n) => n + 1),
  );
  for (let number = 0; number < count; number++) {
    if (redone.imaged.has(number)) continue;
    // A free list that is no whole page is refused, whatever the others are.
    const isFree = isThere && !isUsed(freeList, number);
    if (number === FREE_LIST_PAGE || !isFree) text += `,${number}:${digestOf(pageOf(number))}`;
  }
  return text;
}

/** As opening does it before redo. */
function pagesPutBack(
  pages: Uint8Array,
  pageBytes: number,
  doubles: readonly Uint8Array[],
  { upTo, lastSequence }: Redone,
): Map<number, Uint8Array> {
  const back = new Map<number, Uint8Array>();
  for (const double of doubles) {
    for (const page of pagesInDouble(double, '', { pageBytes, upTo, lastSequence })) {
      const number = pageNumber(page);
      const place = pages.subarray(number * pageBytes, (number + 1) * pageBytes);
      const whole = place.length === pageBytes && pageFault(place, number) === null;
      const position = pagePosition(page);
      if (whole && pagePosition(place) > position) continue;
      const other = back.get(number);
      if (other === undefined || pagePosition(other) < position) back.set(number, page);
    }
  }
  return back;
}

function sizeOfPages(pages: Uint8Array): number | null {
  try {
    return pageBytesOf(pages.subarray(0, META_FIXED_BYTES), PAGES_NAME);
  } catch {
    // Of a newer version: refused, as what is not ours.
    return null;
  }
}

function redoneIn(key: string, log: FileTreeDirectory): Redone | null {
  let redone = redoneBy.get(key);
  if (redone === undefined) {
    redone = redoneFrom(log);
    if (redoneBy.size >= LOGS_MAX) redoneBy.clear();
    redoneBy.set(key, redone);
  }
  return redone;
}

/** Reads the log as recovery does. */
function redoneFrom(log: FileTreeDirectory): Redone | null {
  const vfs = MemoryVfs.fromTree({ ...log, entries: new Map([[LOG_NAME, log]]) });
  const imaged = new Set<number>();
  const freeList: Uint8Array[] = [];
  let upTo = 0;
  let lastSequence = 0;
  try {
    const inspection = runNow(inspectWal(vfs, `/${LOG_NAME}`));
    const { segments, checkpoint, damage } = inspection;
    if (damage !== null) return null;
    upTo = checkpoint?.upTo ?? 0;
    lastSequence = inspection.lastSequence;
    const sealed = segments.map((segment) => ({ ...segment, lastSequence: segment.limit }));
    const reading = new WalReading(vfs, sealed, upTo, () => 1);
    for (;;) {
      const entries = runNow(reading.next());
      if (entries === null) break;
      for (const entry of entries) {
        if (entry.kind !== 'bytes') continue;
        let isOfList = false;
        const change = (number: number): void => {
          isOfList ||= number === FREE_LIST_PAGE;
        };
        const image = (number: number): void => {
          imaged.add(number);
          change(number);
        };
        visitRedo(entry.bytes, { image, change });
        if (isOfList) freeList.push(entry.bytes);
      }
    }
    runNow(reading.close());
  } catch {
    // It cannot be read, and so it is refused.
    return null;
  }
  return { imaged, freeList, upTo, lastSequence };
}
