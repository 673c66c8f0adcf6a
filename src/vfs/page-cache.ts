/**
 * One file between page cache and disk, as Linux handles it: writes make pages dirty, a sync writes
 * the dirty pages, and a sync that *fails* leaves them clean all the same. The lost bytes then read
 * back from the cache as if they were there, and a later sync has nothing to write; only a crash
 * shows it. Sizes reach the disk with every sync, also with a failed one, as on ext4 and XFS.
 * Not here: names, and what else a crash may take (that is the lab's business).
 *
 * @see Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020
 */

import { MemoryContent } from './memory-content.ts';
import type { VfsFile } from './vfs.ts';

/** The page of Linux on most machines: what one changed byte makes dirty, and rescues. */
export const PAGE_BYTES = 4096;

interface DirtyPage {
  readonly position: number;
  readonly bytes: Uint8Array;
}

/** What a sync has to bring to the disk: fixed when it starts. */
export interface Writeback {
  /** The shortest that the file was since the last sync: from there on nothing old may show. */
  readonly sizeMin: number;
  readonly size: number;
  readonly pages: readonly DirtyPage[];
  /** Whether it is of the whole file, and so waits for what is under way. */
  readonly whole: boolean;
}

/** The pages of one file, and the bytes that the disk holds of it. */
export class PageCache {
  readonly #disk: MemoryContent;
  readonly #dirty = new Set<number>();
  #sizeMin: number;
  /** Syncs under way that will succeed, in the order of their starts. */
  readonly #underWay = new Set<Writeback>();
  /** Of them, those that a later sync has waited for. */
  readonly #waitedFor = new WeakSet<Writeback>();

  /** `content` is what the disk holds now; nothing is dirty. */
  constructor(content: Uint8Array) {
    this.#disk = new MemoryContent({ content });
    this.#sizeMin = content.length;
  }

  /** A write of `length` bytes at `position` returned. */
  wrote(position: number, length: number): void {
    const end = position + length;
    for (let page = Math.floor(position / PAGE_BYTES); page * PAGE_BYTES < end; page++) {
      this.#dirty.add(page);
    }
  }

  /** The file was cut or grown to `size`. */
  truncated(size: number): void {
    this.#sizeMin = Math.min(this.#sizeMin, size);
    for (const page of this.#dirty) if (page * PAGE_BYTES >= size) this.#dirty.delete(page);
    // The kernel zeroes the rest of the last page, which is a change of that page.
    if (size % PAGE_BYTES !== 0) this.#dirty.add(Math.floor(size / PAGE_BYTES));
  }

  /**
   * A sync starts: takes the dirty pages out, with the bytes that `current` has now; of a range
   * only where one is given. One of `finish`, `fail` and `abandon` must follow; `doomed` says that
   * it will not be the first.
   */
  start(
    current: VfsFile,
    from: number = 0,
    to: number = Infinity,
    doomed: boolean = false,
  ): Writeback {
    const { size } = current.statSync();
    const pages: DirtyPage[] = [];
    for (const page of this.#dirty) {
      const position = page * PAGE_BYTES;
      if (position >= to || position + PAGE_BYTES <= from) continue;
      this.#dirty.delete(page);
      const buffer = new Uint8Array(PAGE_BYTES);
      const count = current.readSync(buffer, 0, PAGE_BYTES, position);
      if (count > 0) pages.push({ position, bytes: buffer.subarray(0, count) });
    }
    const sizeMin = Math.min(this.#sizeMin, size);
    this.#sizeMin = size;
    const writeback = { sizeMin, size, pages, whole: to === Infinity };
    if (!doomed) this.#underWay.add(writeback);
    return writeback;
  }

  /**
   * The sync succeeded: its pages and the size are on the disk, and those of the syncs that were
   * under way when it started, for which it has waited.
   */
  finish(writeback: Writeback): void {
    if (this.#waitedFor.has(writeback)) return;
    for (const earlier of this.#underWay) {
      if (earlier === writeback || !writeback.whole) break;
      this.#underWay.delete(earlier);
      this.#waitedFor.add(earlier);
      this.#write(earlier);
    }
    this.#underWay.delete(writeback);
    this.#write(writeback);
  }

  /** The sync failed: the size is on the disk, the pages are not, and nothing will try again. */
  fail(writeback: Writeback): void {
    if (this.#waitedFor.has(writeback)) return;
    this.#underWay.delete(writeback);
    this.#resize(writeback.sizeMin, writeback.size);
  }

  /** The sync did nothing at all: its pages are dirty again. */
  abandon(writeback: Writeback): void {
    const { sizeMin, pages } = writeback;
    this.#underWay.delete(writeback);
    this.#sizeMin = Math.min(this.#sizeMin, sizeMin);
    for (const { position } of pages) this.#dirty.add(position / PAGE_BYTES);
  }

  /** What the disk holds. Later changes do not touch it. */
  onDisk(): Uint8Array {
    return this.#disk.share();
  }

  /** What the disk would hold if all dirty pages were written now. Nothing is. */
  ifWritten(current: VfsFile): Uint8Array {
    const writeback = this.start(current);
    const copy = new PageCache(this.onDisk());
    for (const each of this.#underWay) copy.#write(each);
    this.abandon(writeback);
    return copy.onDisk();
  }

  #write({ sizeMin, size, pages }: Writeback): void {
    this.#resize(sizeMin, size);
    for (const { position, bytes } of pages) this.#disk.write(bytes, 0, bytes.length, position);
  }

  #resize(sizeMin: number, size: number): void {
    this.#disk.truncate(Math.min(sizeMin, this.#disk.size));
    this.#disk.truncate(size);
  }
}
