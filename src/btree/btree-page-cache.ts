/**
 * The pages in memory, bounded in bytes. Which page goes when there is no room is decided by three
 * queues (S3-FIFO): a new page stands in a short queue first, and only one that was asked for again
 * comes into the long one, so that a scan does not push out what is used. Pages with changes that
 * the disk does not have yet stay. Not here: reading, writing and changing them (`pager`).
 *
 * @see https://dl.acm.org/doi/10.1145/3600006.3613147 (FIFO queues are all you need for cache
 *   eviction, SOSP 2023)
 */

import { assert } from '../base/assert.ts';

/** A page in memory. */
export class PageFrame {
  readonly number: number;
  /** The page with all changes, also those that are not with the log yet. */
  data: Buffer;
  /** The page as readers see it, where that is not `data`: before a change not yet logged. */
  visible: Buffer | null = null;
  /** Whether the page is new: until its first changes are published, no reader knows it. */
  fresh = false;
  /** Whether it stays in memory: the meta page and the free list. */
  pinned = false;
  /** Whether the disk has an older page. */
  dirty = false;
  /** Whether the record being made ends with an image of this page. */
  imaging = false;
  /** Whether it tells what its changes of this page are made on. */
  based = false;
  /** Whether the record being made changes this page. */
  edited = false;
  /** How often it was asked for lately, up to 3. */
  hits = 0;
  /** The queue that it left because it may not go; null: it stands in one. */
  parkedFrom: FrameQueue | null = null;

  constructor(number: number, data: Buffer) {
    this.number = number;
    this.data = data;
  }

  /** Whether the page may be forgotten. */
  get evictable(): boolean {
    return !this.dirty && this.visible === null && !this.pinned && !this.fresh;
  }
}

/** The part of the cache for pages that were asked for once. */
const SHORT_SHARE = 0.1;

export class PageCache {
  readonly pageBytes: number;
  /** Pages that fit; more are held only while none may go. */
  readonly pagesMax: number;
  /** By page number: this is asked at every step of every read. */
  readonly #frames: (PageFrame | undefined)[] = [];
  #short = new FrameQueue();
  #long = new FrameQueue();
  /** Numbers of pages that left the short queue, the oldest first. */
  readonly #ghosts = new Set<number>();
  readonly #buffers: Buffer[] = [];
  #count = 0;
  #pinned = 0;
  #bytesMade = 0;

  constructor(pageBytes: number, bytesMax: number) {
    this.pageBytes = pageBytes;
    this.pagesMax = Math.max(PAGES_MIN, Math.floor(bytesMax / pageBytes));
  }

  /** Pages that are held. */
  get count(): number {
    return this.#count;
  }

  /** Those of them that stay. */
  get pinned(): number {
    return this.#pinned;
  }

  /** Bytes of all page buffers that were made, spare ones included. */
  get bytes(): number {
    return this.#bytesMade;
  }

  /** The frame of a page, if it is in memory; counts as a use. */
  get(number: number): PageFrame | undefined {
    const frame = this.#frames[number];
    if (frame !== undefined && frame.hits < HITS_MAX) frame.hits++;
    return frame;
  }

  /** As `get`, but no use: for writing back and the like. */
  peek(number: number): PageFrame | undefined {
    return this.#frames[number];
  }

  /**
   * Takes a page in, and lets others go until there are at most `countMax`. `data` came from
   * `takeBuffer` and is the cache's now.
   */
  add(number: number, data: Buffer, countMax: number = this.pagesMax): PageFrame {
    assert(this.#frames[number] === undefined, 'a page is in memory once');
    this.makeRoom(countMax);
    const frame = new PageFrame(number, data);
    // The first page of a large file may have a large number.
    while (this.#frames.length + ABSENT.length <= number) this.#frames.push(...ABSENT);
    while (this.#frames.length <= number) this.#frames.push(undefined);
    this.#frames[number] = frame;
    this.#count++;
    if (this.#ghosts.delete(number)) this.#long.push(frame);
    else this.#short.push(frame);
    return frame;
  }

  /** Lets a page stay until it is dropped. */
  pin(frame: PageFrame): void {
    if (frame.pinned) return;
    frame.pinned = true;
    this.#pinned++;
  }

  /** Lets pages go until there is room for one more, or none may. */
  makeRoom(countMax: number = this.pagesMax): void {
    while (this.#count >= countMax && this.#evict());
  }

  /**
   * A page may go again. Those that may not are in no queue, or each page that goes would be looked for
   * behind all that have changes.
   */
  unpark(frame: PageFrame): void {
    const { parkedFrom } = frame;
    if (parkedFrom === null || !frame.evictable) return;
    frame.parkedFrom = null;
    parkedFrom.push(frame);
  }

  /** Forgets a page that is of no use any more, whatever its state. */
  drop(frame: PageFrame): void {
    if (this.#frames[frame.number] !== frame) return;
    // The queues pass over frames that are not the page's when they come to them.
    this.#release(frame);
  }

  /** A buffer for a page; its bytes are anything. */
  takeBuffer(): Buffer {
    const spare = this.#buffers.pop();
    if (spare !== undefined) return spare;
    const slab = new ArrayBuffer(this.pageBytes * SLAB_PAGES);
    this.#bytesMade += slab.byteLength;
    for (let index = 1; index < SLAB_PAGES; index++) {
      this.#buffers.push(Buffer.from(slab, index * this.pageBytes, this.pageBytes));
    }
    return Buffer.from(slab, 0, this.pageBytes);
  }

  /** Gives a buffer back that nobody holds any more. */
  returnBuffer(buffer: Buffer): void {
    this.#buffers.push(buffer);
  }

  /** Calls back for every page that is held. */
  forEach(visit: (frame: PageFrame) => void): void {
    for (const frame of this.#frames) if (frame !== undefined) visit(frame);
  }

  /** Lets one page go. False when none may. */
  #evict(): boolean {
    const shortFirst = this.#short.length > this.pagesMax * SHORT_SHARE;
    return shortFirst
      ? this.#evictShort() || this.#evictLong()
      : this.#evictLong() || this.#evictShort();
  }

  #evictShort(): boolean {
    while (this.#short.length > 0) {
      const frame = this.#short.shift();
      if (this.#frames[frame.number] !== frame) continue;
      if (frame.hits > 1) {
        frame.hits = 0;
        this.#long.push(frame);
      } else if (frame.evictable) {
        this.#ghosts.add(frame.number);
        this.#forgetGhosts();
        this.#release(frame);
        return true;
      } else {
        frame.parkedFrom = this.#short;
      }
    }
    return false;
  }

  #evictLong(): boolean {
    // Every frame may have to lose its hits before the first one goes, or all are parked.
    while (this.#long.length > 0) {
      const frame = this.#long.shift();
      if (this.#frames[frame.number] !== frame) continue;
      if (frame.hits > 0) {
        frame.hits--;
        this.#long.push(frame);
      } else if (frame.evictable) {
        this.#release(frame);
        return true;
      } else {
        frame.parkedFrom = this.#long;
      }
    }
    return false;
  }

  #release(frame: PageFrame): void {
    this.#frames[frame.number] = undefined;
    this.#count--;
    if (frame.pinned) this.#pinned--;
    this.#buffers.push(frame.data);
  }

  #forgetGhosts(): void {
    if (this.#ghosts.size <= this.pagesMax) return;
    for (const oldest of this.#ghosts) {
      this.#ghosts.delete(oldest);
      return;
    }
  }
}

/** A tree of some height, its siblings and a free list fit in any cache. */
export const PAGES_MIN: number = 64;
const HITS_MAX = 3;
/** Pages that are not in memory. */
const ABSENT: readonly undefined[] = Array.from({ length: 1024 }, () => undefined);
/** Buffers are made many at a time: an `ArrayBuffer` of one page each is dear. */
const SLAB_PAGES = 16;

/** Frames in order of arrival. */
class FrameQueue {
  #frames: PageFrame[] = [];
  #head = 0;

  get length(): number {
    return this.#frames.length - this.#head;
  }

  push(frame: PageFrame): void {
    this.#frames.push(frame);
  }

  shift(): PageFrame {
    const frame = this.#frames[this.#head++];
    assert(frame !== undefined, 'a queue that is not empty has a first frame');
    if (this.#head > 1024 && this.#head * 2 > this.#frames.length) {
      this.#frames = this.#frames.slice(this.#head);
      this.#head = 0;
    }
    return frame;
  }
}
