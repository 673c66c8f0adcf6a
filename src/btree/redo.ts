/**
 * Redo: makes the changes of the log's records again, on the pages that a crash has left, each once:
 * a page says itself which records it has seen, and a record on which state of a page its changes
 * are made. Torn pages were put back before, from the doublewrite file.
 *
 * A page that is not in that state cannot be redone. It may have been given up by a later record,
 * for which nobody has written it, or cut off with the end of the file, or be that of a long value
 * whose commit never came: then nothing leads to it. Where it is in use, it is damaged.
 */

import { DecodeError } from '../base/byte-reader.ts';
import { CorruptionError } from '../base/errors.ts';
import type { WalEntry } from '../wal/wal-entry.ts';
import type { Checkpointer } from './checkpointer.ts';
import { freeListPageOf, isUsed } from './free-list.ts';
import { META_PAGE, pageCount } from './meta-page.ts';
import type { PageFile } from './page-file.ts';
import type { PageFrame } from './btree-page-cache.ts';
import { formatPage, pageFault, pagePosition, setPagePosition } from './page-format.ts';
import type { Pager } from './pager.ts';
import { visitRedo } from './redo-record.ts';
import type { RedoVisitor } from './redo-record.ts';

/** What redo did. */
export interface RedoReport {
  readonly records: number;
  readonly bytes: number;
  /** Pages that could not be redone: see `judgeLost`. */
  readonly lost: ReadonlyMap<number, CorruptionError>;
}

/**
 * Puts pages back that may be torn in their places: all but those of which the file has a later
 * state. What an earlier process has written there may have reached nothing but the cache of the
 * operating system, and has to be written again. On return all of them are durable.
 */
export async function putBack(
  doubles: ReadonlyMap<number, Uint8Array>,
  file: PageFile,
): Promise<void> {
  if (doubles.size === 0) return;
  const numbers = [...doubles.keys()].toSorted((a, b) => a - b);
  const newer = new Set<number>();
  await file.readAll(numbers, (number, page) => {
    const isNewer = pagePosition(page) > pagePosition(doubles.get(number)!);
    // One that is newer than the log stays, too, to be found.
    if (isNewer && pageFault(page, number) === null) newer.add(number);
  });
  for (const number of numbers) {
    if (!newer.has(number)) await file.write(number, doubles.get(number)!);
  }
  await file.settle();
}

/** Makes the changes of all entries. On return they are in memory, and in part in the file. */
export async function redo(
  entries: AsyncIterable<readonly WalEntry[]>,
  pager: Pager,
  checkpointer: Checkpointer,
  logPath: string,
): Promise<RedoReport> {
  const making = new Redo(pager, logPath);
  for await (const some of entries) {
    for (let from = 0; from < some.length;) {
      const until = await making.bring(some, from);
      for (; from < until; from++) making.make(some[from]!);
      if (pager.dirtyCount > pager.cache.pagesMax / 2) await checkpointer.flush();
      pager.cache.makeRoom();
    }
  }
  const { records, bytes, lost } = making;
  return { records, bytes, lost };
}

class Redo {
  records = 0;
  bytes = 0;
  readonly lost = new Map<number, CorruptionError>();
  readonly #pager: Pager;
  readonly #logPath: string;
  /** Pages that the record being made changes. */
  #open: PageFrame[] = [];

  constructor(pager: Pager, logPath: string) {
    this.#pager = pager;
    this.#logPath = logPath;
  }

  /** Brings the pages of some records, from that of an index on. Returns the index behind them. */
  async bring(entries: readonly WalEntry[], from: number): Promise<number> {
    const { cache, file } = this.#pager;
    const most = Math.max(1, cache.pagesMax / 8);
    const imaged = new Set<number>();
    const needed = new Set<number>();
    let until = from;
    const visitor: RedoVisitor = {
      image: (number) => imaged.add(number),
      base: (number) => {
        if (cache.peek(number) !== undefined || imaged.has(number)) return;
        if (!this.lost.has(number)) needed.add(number);
      },
      change: () => {},
    };
    for (; until < entries.length && needed.size + imaged.size < most; until++) {
      this.#visit(entries[until]!, visitor);
    }
    const numbers = [...needed].toSorted((a, b) => a - b);
    await file.readAll(numbers, (number, page, fault) => {
      if (fault !== null) {
        this.lost.set(number, fault);
        return;
      }
      const data = cache.takeBuffer();
      data.set(page);
      this.#pager.adopt(number, data, false);
    });
    return until;
  }

  /** Makes the changes of a record. REQUIRES: its pages were brought */
  make(entry: WalEntry): void {
    if (entry.kind === 'checkpoint') return;
    this.records++;
    this.bytes += 'bytes' in entry ? entry.bytes.length : 0;
    const { sequence } = entry;
    this.#visit(entry, {
      image: (number, change) => change.put(this.#imaged(number).data),
      base: (number, position) => this.#begin(number, position, sequence),
      change: (number, change) => {
        const frame = this.#pager.cache.peek(number);
        if (frame?.edited === true) change.put(frame.data);
      },
    });
    for (const frame of this.#open) {
      setPagePosition(frame.data, sequence);
      frame.edited = false;
    }
    this.#open = [];
  }

  /** Sees to it that the changes of a page are made, where it has not seen them. */
  #begin(number: number, base: number | null, sequence: number): void {
    const { cache } = this.#pager;
    this.#pager.touch(number);
    const frame = cache.peek(number);
    if (frame === undefined || frame.edited) return;
    const position = pagePosition(frame.data);
    if (position >= sequence) return;
    if (base === null || position === base) {
      this.#edit(frame);
      return;
    }
    this.lost.set(number, staleError(this.#pager.file, number, base, position));
    if (frame.dirty) this.#pager.markClean(frame);
    cache.drop(frame);
  }

  /** The page of an image, whatever the file has. */
  #imaged(number: number): PageFrame {
    this.#pager.touch(number);
    this.lost.delete(number);
    let frame = this.#pager.cache.peek(number);
    if (frame === undefined) {
      const data = this.#pager.cache.takeBuffer();
      formatPage(data, number, 0, 0);
      frame = this.#pager.adopt(number, data, true);
    }
    this.#edit(frame);
    return frame;
  }

  #edit(frame: PageFrame): void {
    if (frame.edited) return;
    frame.edited = true;
    this.#open.push(frame);
    this.#pager.markDirty(frame);
  }

  #visit(entry: WalEntry, visitor: RedoVisitor): void {
    if (entry.kind === 'checkpoint') return;
    const { sequence, kind } = entry;
    if (kind !== 'bytes') throw foreignRecord(this.#logPath, sequence, kind);
    try {
      visitRedo(entry.bytes, visitor);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      const { expected, found, offset } = error;
      const place = `byte ${offset} of record ${sequence}`;
      throw new CorruptionError(
        { path: this.#logPath, offset: 0, expected: `${expected} at ${place}`, found },
        { cause: error },
      );
    }
  }
}

/**
 * Of pages that could not be redone, none may be in use.
 * REQUIRES: the meta page and the free list are in memory. @throws HOLDFAST_CORRUPTION
 */
export function judgeLost(lost: ReadonlyMap<number, CorruptionError>, pager: Pager): void {
  const inUse = (number: number): boolean => {
    if (number === META_PAGE || lost.has(META_PAGE)) return true;
    if (number >= pageCount(pager.meta.data)) return false;
    const list = freeListPageOf(number, pager.pageBytes);
    const frame = pager.cache.peek(list);
    return frame === undefined || lost.has(list) || isUsed(frame.data, number);
  };
  for (const [number, fault] of lost) if (inUse(number)) throw fault;
}

/** A page whose place has another state of it than the one that a record changes. */
export function staleError(
  { path, pageBytes }: Pick<PageFile, 'path' | 'pageBytes'>,
  number: number,
  base: number,
  position: number,
): CorruptionError {
  const expected = `page ${number} as of record ${base}`;
  const found = `as of record ${position}`;
  return new CorruptionError({ path, offset: number * pageBytes, expected, found });
}

/** A log was cut short: it begins behind a checkpoint that it should hold. */
export function checkpointGone(path: string, firstSequence: number): CorruptionError {
  const expected = `a checkpoint of all records before ${firstSequence}, where the log begins`;
  return new CorruptionError({ path, offset: 0, expected, found: 'none' });
}

function foreignRecord(path: string, sequence: number, kind: string): CorruptionError {
  const expected = `a record of page changes with number ${sequence}`;
  return new CorruptionError({ path, offset: 0, expected, found: `one of kind ${kind}` });
}
