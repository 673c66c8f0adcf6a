/**
 * What can be said of a disk with B+tree stores, so that opening does the same on every disk of which it is said: the
 * names, the redo log as recovery reads it, and the pages that are looked at in their file. A page of which the log has
 * an image is built from the log alone (`redo`), so what its place in the file holds, torn as it may be, is not said;
 * nor is what stands in the place of a free page. For stores of one region: one free-list page.
 */

import { runNow } from '../../src/durable/two-forms.ts';
import { LOG_NAME, NEW_PAGES_NAME, PAGES_NAME, SPILL_NAME } from '../../src/btree/btree-parts.ts';
import { freeListPageOf, isUsed } from '../../src/btree/free-list.ts';
import { META_FIXED_BYTES, pageBytesOf } from '../../src/btree/meta-page.ts';
import { PAGE_BYTES_MIN } from '../../src/btree/page-format.ts';
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

/** What a log makes of the pages. */
interface Redone {
  /** Pages of which it has images. */
  readonly imaged: ReadonlySet<number>;
  /** The free-list page, where it is one of them. */
  readonly freeList: Uint8Array | null;
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
    if (name !== PAGES_NAME) return `${name}:${saidInFull(node)}`;
    return `${name}:${pagesSaid(node.content, logSaid, log)}`;
  });
  return others.join(';');
}

/** Of the pages: what tells their size, and those in use that the log has no image of. */
function pagesSaid(pages: Uint8Array, logSaid: string, log: FileTreeNode | undefined): string {
  const pageBytes = sizeOfPages(pages);
  if (pageBytes === null || log?.kind !== 'directory') return String(pageBytes);
  const redone = redoneIn(logSaid, log, pageBytes);
  // Without a log that is good, opening goes no further.
  if (redone === null) return `${pageBytes}`;
  const pageOf = (number: number): Uint8Array =>
    pages.subarray(number * pageBytes, (number + 1) * pageBytes);
  const freeList = redone.freeList ?? pageOf(FREE_LIST_PAGE);
  let text = `${pageBytes}`;
  for (let number = 0; number * pageBytes < pages.length; number++) {
    if (redone.imaged.has(number)) continue;
    // A free list that is no whole page is refused, whatever the others are.
    const isFree = freeList.length === pageBytes && !isUsed(freeList, number);
    if (number === FREE_LIST_PAGE || !isFree) text += `,${number}:${digestOf(pageOf(number))}`;
  }
  return text;
}

function sizeOfPages(pages: Uint8Array): number | null {
  try {
    return pageBytesOf(pages.subarray(0, META_FIXED_BYTES), PAGES_NAME);
  } catch {
    // Of a newer version: refused, as what is not ours.
    return null;
  }
}

function redoneIn(logSaid: string, log: FileTreeDirectory, pageBytes: number): Redone | null {
  const key = `${pageBytes} ${logSaid}`;
  let redone = redoneBy.get(key);
  if (redone === undefined) {
    redone = redoneFrom(log, pageBytes);
    if (redoneBy.size >= LOGS_MAX) redoneBy.clear();
    redoneBy.set(key, redone);
  }
  return redone;
}

/** Reads the log as recovery does. */
function redoneFrom(log: FileTreeDirectory, pageBytes: number): Redone | null {
  const vfs = MemoryVfs.fromTree({ ...log, entries: new Map([[LOG_NAME, log]]) });
  const imaged = new Set<number>();
  const freeList = new Uint8Array(pageBytes);
  const change = (number: number, put: (page: Uint8Array) => void): void => {
    if (number === FREE_LIST_PAGE) put(freeList);
  };
  const image: typeof change = (number, put) => {
    imaged.add(number);
    change(number, put);
  };
  try {
    const { segments, checkpoint, damage } = runNow(inspectWal(vfs, `/${LOG_NAME}`));
    if (damage !== null) return null;
    const sealed = segments.map((segment) => ({ ...segment, lastSequence: segment.limit }));
    const reading = new WalReading(vfs, sealed, checkpoint?.upTo ?? 0, () => 1);
    for (;;) {
      const entries = runNow(reading.next());
      if (entries === null) break;
      for (const entry of entries) {
        if (entry.kind === 'bytes') visitRedo(entry.bytes, { image, change });
      }
    }
    runNow(reading.close());
  } catch {
    // It cannot be read, and so it is refused.
    return null;
  }
  return { imaged, freeList: imaged.has(FREE_LIST_PAGE) ? freeList : null };
}
