/**
 * Pages for the tree: brings them into memory, gives each reader the state it reads, and carries
 * out changes so that each is in the redo record of its commit and can be taken back until the log
 * has it. Not here: what the pages mean (`tree-*`), and writing them to their file (`checkpointer`).
 *
 * Life of a change: `beginRecord`, edits, `endRecord` (now the bytes go to the log), then `publish`
 * when the log has them, or `undo` when it refused them. What readers see changes with `publish`.
 */

import { assert } from '../base/assert.ts';
import { nextTurn } from '../base/clock.ts';
import { ReadSpeed } from '../base/read-speed.ts';
import { META_PAGE } from './meta-page.ts';
import { PAGES_MIN } from './btree-page-cache.ts';
import type { PageCache, PageFrame } from './btree-page-cache.ts';
import type { PageFile } from './page-file.ts';
import { PAGE_KIND, formatPage, pagePosition, setPagePosition } from './page-format.ts';
import type { PageVersion, PageVersions } from './page-versions.ts';
import { RedoRecord } from './redo-record.ts';
import { insertCell, removeCell, replaceCell } from './slotted-page.ts';
import type { SpillFile } from './spill-file.ts';

/**
 * Thrown where a page is needed that is not in memory and the caller must not wait: it brings the
 * page (`Pager.bring`) and begins again. Never leaves this folder.
 */
export class PageMissing extends Error {
  number = 0;
  version: PageVersion | undefined;
}

/** What it says; its own fields are good until the next one is thrown. */
type Missing = Pick<PageMissing, 'number' | 'version'>;

/** One is enough: it is caught before anything else is asked for. */
const MISSING = new PageMissing('a page is not in memory');

/** Pages that calls that answer later bring on their own thread before others have their turn. */
export const PAGES_AT_ONCE: number = 64;

/** Spilled versions that are kept in memory for the reader that asked for them. */
const RECALLED_MAX = 64;

export class Pager {
  readonly file: PageFile;
  readonly cache: PageCache;
  readonly versions: PageVersions;
  /** Goes up with every checkpoint that begins. */
  epoch = 1;
  /** The epoch where the part of the log begins that recovery would redo. */
  loggedFrom = 1;
  /** Pages that the disk has in an older form. */
  dirtyCount = 0;
  /** The last record that gave the end of the file back. */
  shrunkAt = 0;
  /** Pages that readers have looked at, in memory or not. */
  looks = 0;
  readonly record: RedoRecord = new RedoRecord();

  readonly #spill: SpillFile;
  readonly #speed: ReadSpeed;
  #broughtSoon = 0;
  /** Reads under way of pages that have not come in another way since. */
  readonly #loading = new Map<number, Promise<void>>();
  /** All reads under way, also those of older versions. */
  readonly #bringing = new Set<Promise<void>>();
  readonly #recalled = new Map<PageVersion, Buffer>();
  /** By page: the last epoch in which something of it went to the log or its file, or nearly did. */
  #touched = new Uint32Array(1024);
  /** Frames that the record being made changes. */
  #edited: PageFrame[] = [];
  #recording = false;
  /** Frames with changes that readers do not see yet. */
  #pending: PageFrame[] = [];

  /** `speed` says when calls that answer later may read pages on the calling thread. */
  constructor(
    file: PageFile,
    cache: PageCache,
    versions: PageVersions,
    spill: SpillFile,
    speed: ReadSpeed = new ReadSpeed(null),
  ) {
    this.file = file;
    this.cache = cache;
    this.versions = versions;
    this.#spill = spill;
    this.#speed = speed;
  }

  get pageBytes(): number {
    return this.cache.pageBytes;
  }

  /** Whether there are changes that readers do not see yet. */
  get hasPending(): boolean {
    return this.#pending.length > 0;
  }

  /** The frame of a page, for a writer. @throws PageMissing, HOLDFAST_CORRUPTION */
  frame(number: number): PageFrame {
    return this.cache.get(number) ?? this.#absent(number);
  }

  /** The meta page, with all changes. */
  get meta(): PageFrame {
    const frame = this.cache.peek(META_PAGE);
    assert(frame !== undefined, 'the meta page is always in memory');
    return frame;
  }

  /** A page as it is now for readers. @throws PageMissing, HOLDFAST_CORRUPTION */
  view(number: number): Buffer {
    this.looks++;
    const frame = this.cache.get(number) ?? this.#absent(number);
    return frame.visible ?? frame.data;
  }

  /** A page as a state has it. @throws PageMissing, HOLDFAST_CORRUPTION */
  viewAt(number: number, sequence: number): Buffer {
    const version = this.versions.find(number, sequence);
    if (version === undefined) return this.view(number);
    this.looks++;
    return version.data ?? this.#recalled.get(version) ?? this.#recall(number, version);
  }

  /** Brings what `PageMissing` said is missing. */
  bring({ number, version }: Missing): Promise<void> {
    const bringing = this.#bring(number, version).finally(() => this.#bringing.delete(bringing));
    this.#bringing.add(bringing);
    return bringing;
  }

  /** As `bring`, on the calling thread. */
  bringSync({ number, version }: Missing): void {
    if (version !== undefined) {
      const page = Buffer.allocUnsafeSlow(this.pageBytes);
      if (version.slot !== -1) {
        this.#spill.readSync(version.slot, page, number);
        this.#keepRecalled(version, page);
      }
      return;
    }
    if (this.cache.peek(number) !== undefined) return;
    const data = this.cache.takeBuffer();
    try {
      this.file.readSync(number, data);
    } catch (error) {
      this.cache.returnBuffer(data);
      throw error;
    }
    this.#loading.delete(number);
    this.#add(number, data);
  }

  /**
   * As `bringSync`, for calls that answer later, where that is not likely to wait for a device. False
   * where it is, and where it failed: `bring` tells then.
   */
  bringNow(missing: Missing): boolean {
    if (!this.#speed.isFast) return false;
    const startMs = this.#speed.begin();
    try {
      this.bringSync(missing);
      return true;
    } catch {
      return false;
    } finally {
      this.#speed.end(startMs);
    }
  }

  /** Whether pages are brought on the calling thread for now. */
  get readsQuickly(): boolean {
    return this.#speed.isFast;
  }

  /** As `bringNow`, or else `bring`; others have their turn now and then. */
  async bringSoon({ number, version }: Missing): Promise<void> {
    if (++this.#broughtSoon % PAGES_AT_ONCE === 0) await nextTurn();
    if (!this.bringNow({ number, version })) await this.bring({ number, version });
  }

  /**
   * Runs what may throw `PageMissing` until nothing is missing, on the calling thread. A page is
   * never brought while `run` holds others: bringing one may let another go, and its bytes with it.
   */
  bringing<T>(run: () => T): T {
    for (;;) {
      try {
        return run();
      } catch (error) {
        if (!(error instanceof PageMissing)) throw error;
        this.bringSync(error);
      }
    }
  }

  /** Resolves when no page is on its way: then the files may be closed. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#bringing);
  }

  async #bring(number: number, version: PageVersion | undefined): Promise<void> {
    if (version !== undefined) {
      const page = Buffer.allocUnsafeSlow(this.pageBytes);
      const { slot } = version;
      try {
        if (slot !== -1) await this.#spill.read(slot, page, number);
      } catch (error) {
        // Its place may be another's by now: nobody reads the version any more.
        if (version.slot === slot) throw error;
      }
      if (version.slot === slot) this.#keepRecalled(version, page);
      return;
    }
    if (this.cache.peek(number) !== undefined) return;
    const loading = this.#loading.get(number) ?? this.#load(number);
    await loading;
  }

  /**
   * Takes a page into memory whose bytes are known: when a file is made, and for redo. No other goes
   * for it: a record may need it.
   */
  adopt(number: number, data: Buffer, dirty: boolean): PageFrame {
    const frame = this.cache.add(number, data, Infinity);
    if (dirty) this.markDirty(frame);
    return frame;
  }

  markDirty(frame: PageFrame): void {
    if (frame.dirty) return;
    frame.dirty = true;
    this.dirtyCount++;
  }

  /** The file has the page as it is in memory, if nothing changed it meanwhile. */
  markClean(frame: PageFrame): void {
    assert(frame.dirty, 'a page that was written had changes');
    frame.dirty = false;
    this.dirtyCount--;
    this.cache.unpark(frame);
  }

  /** Says that the log speaks of a page, in this epoch, or that it goes to its file. */
  touch(number: number): void {
    if (number >= this.#touched.length) {
      const larger = new Uint32Array(Math.max(number + 1, this.#touched.length * 2));
      larger.set(this.#touched);
      this.#touched = larger;
    }
    this.#touched[number] = this.epoch;
  }

  /**
   * Whether what is written to the place of a free page now stays there: nothing of it is in
   * memory or under way, in either direction, and neither redo nor what opening puts back would
   * touch it.
   */
  isQuiet(number: number): boolean {
    if ((this.#touched[number] ?? 0) >= this.loggedFrom) return false;
    // A read under way would bring what was there before.
    if (this.cache.peek(number) !== undefined || this.#loading.has(number)) return false;
    return !this.file.isUnderWay(number);
  }

  /** Bytes of the pages that the record being made changes. */
  get editedBytes(): number {
    return this.#edited.length * this.pageBytes;
  }

  /** Whether a record is being made. */
  get recording(): boolean {
    return this.#recording;
  }

  beginRecord(): void {
    assert(this.#edited.length === 0, 'one record is made at a time');
    this.record.clear();
    this.#recording = true;
  }

  /** Ends a record that changes nothing. */
  dropRecord(): void {
    assert(this.#edited.length === 0, 'a record with changes goes to the log');
    this.#recording = false;
  }

  /** Must come before any change of `frame.data`: keeps the page as readers see it. */
  edit(frame: PageFrame): void {
    if (frame.edited) return;
    frame.edited = true;
    this.#edited.push(frame);
    this.touch(frame.number);
    if (frame.visible === null && !frame.fresh) {
      const visible = this.cache.takeBuffer();
      visible.set(frame.data);
      frame.visible = visible;
      this.#pending.push(frame);
    }
    this.markDirty(frame);
  }

  insertCell(frame: PageFrame, index: number, cell: Uint8Array, start: number, end: number): void {
    this.edit(frame);
    insertCell(frame.data, index, cell, start, end);
    if (this.#isLogged(frame)) this.record.insert(frame.number, index, cell, start, end);
  }

  removeCell(frame: PageFrame, index: number): void {
    this.edit(frame);
    removeCell(frame.data, index);
    if (this.#isLogged(frame)) this.record.remove(frame.number, index);
  }

  replaceCell(frame: PageFrame, index: number, cell: Uint8Array, start: number, end: number): void {
    this.edit(frame);
    replaceCell(frame.data, index, cell, start, end);
    if (this.#isLogged(frame)) this.record.replace(frame.number, index, cell, start, end);
  }

  /** Records bytes of a page that the caller has just changed, after `edit`. */
  changed(frame: PageFrame, start: number, end: number): void {
    assert(frame.edited, 'a page is edited before it is changed');
    if (this.#isLogged(frame)) this.record.range(frame.number, frame.data, start, end);
  }

  /** Whether the record has the single changes of a page; it tells then what they are made on. */
  #isLogged(frame: PageFrame): boolean {
    if (frame.imaging) return false;
    if (!frame.based) this.record.base(frame.number, pagePosition(frame.data));
    frame.based = true;
    return true;
  }

  /** Makes a page empty, to be filled by the caller before the record ends. */
  format(frame: PageFrame, kind: number, level: number): void {
    this.edit(frame);
    // Its image goes to the log, also where `discard` in the same record has said that none does.
    this.touch(frame.number);
    formatPage(frame.data, frame.number, kind, level);
    // It may have been given up earlier in the same record.
    this.markDirty(frame);
    frame.imaging = true;
  }

  /** A page whose number was free until now, empty. */
  fresh(number: number, kind: number, level: number): PageFrame {
    let frame = this.cache.peek(number);
    if (frame === undefined) {
      // Nothing goes for it: a writer holds frames that nothing else protects.
      frame = this.cache.add(number, this.cache.takeBuffer(), Infinity);
      this.#loading.delete(number);
      frame.fresh = true;
      this.#pending.push(frame);
    }
    this.format(frame, kind, level);
    return frame;
  }

  /** Gives a page up: older states read it on, and nobody else. Its bytes need not reach the file. */
  discard(frame: PageFrame): void {
    // Of this change the log says nothing.
    const touched = this.#touched[frame.number] ?? 0;
    this.edit(frame);
    this.#touched[frame.number] = touched;
    formatPage(frame.data, frame.number, PAGE_KIND.none, 0);
    frame.imaging = false;
    // It stays among the changed ones until the log has the record: what readers see of it goes to
    // the file, as a checkpoint may end before, and there is room beside it.
  }

  /** The record's bytes for the log, where it will have this sequence number. */
  endRecord(sequence: number): Uint8Array {
    for (const frame of this.#edited) {
      // Redo would miss a change that brings a page to a position without being in the record.
      const told = frame.imaging || frame.based || frame.data[KIND_AT] === PAGE_KIND.none;
      assert(told, 'a page that changes is in the record');
      setPagePosition(frame.data, sequence);
      if (frame.imaging) this.record.image(frame.number, frame.data);
      frame.imaging = false;
      frame.based = false;
      frame.edited = false;
    }
    this.#edited = [];
    this.#recording = false;
    return this.record.bytes();
  }

  /** Readers see all changes from now on. REQUIRES: the log has them. */
  publish(): void {
    const held = this.versions.snapshots.newest >= 0;
    for (const frame of this.#pending) {
      const { visible } = frame;
      frame.visible = null;
      frame.fresh = false;
      if (visible !== null && !held) {
        this.cache.returnBuffer(visible);
      } else if (visible !== null) {
        const from = pagePosition(visible);
        this.versions.keep(frame.number, from, pagePosition(frame.data), visible);
      }
      if (frame.data[KIND_AT] !== PAGE_KIND.none) continue;
      if (frame.dirty) this.markClean(frame);
      this.cache.drop(frame);
    }
    this.#pending = [];
    // New pages have pushed nothing out while the record was made.
    this.cache.makeRoom(this.#countMax);
  }

  /** Takes all changes back that readers do not see yet. */
  undo(): void {
    for (const frame of this.#pending) {
      const { visible } = frame;
      frame.edited = false;
      frame.imaging = false;
      frame.based = false;
      if (visible === null) {
        if (frame.dirty) this.markClean(frame);
        this.cache.drop(frame);
        continue;
      }
      frame.data.set(visible);
      frame.visible = null;
      this.cache.returnBuffer(visible);
      this.markDirty(frame);
    }
    this.#pending = [];
    this.#edited = [];
    this.#recording = false;
  }

  #absent(number: number): never {
    MISSING.number = number;
    MISSING.version = undefined;
    throw MISSING;
  }

  #load(number: number): Promise<void> {
    const isOld = (): boolean => this.#loading.get(number) !== loading;
    const loading = this.#read(number, isOld).finally(() => {
      if (!isOld()) this.#loading.delete(number);
    });
    this.#loading.set(number, loading);
    return loading;
  }

  async #read(number: number, isOld: () => boolean): Promise<void> {
    this.#speed.noteLater();
    const data = this.cache.takeBuffer();
    let failure: { readonly error: unknown } | null = null;
    try {
      await this.file.read(number, data);
    } catch (error) {
      failure = { error };
    }
    if (failure === null && !isOld()) {
      this.#add(number, data);
      return;
    }
    this.cache.returnBuffer(data);
    // Of a page that came meanwhile, and may be changed and gone again, whoever asked asks anew.
    if (failure !== null && !isOld()) throw failure.error;
  }

  #add(number: number, data: Buffer): void {
    this.cache.add(number, data, this.#countMax);
  }

  /** Beside pages that may not go, however many, there is room for all that one change needs. */
  get #countMax(): number {
    const least = this.dirtyCount + this.cache.pinned + PAGES_MIN;
    return Math.max(this.cache.pagesMax, least);
  }

  #recall(number: number, version: PageVersion): never {
    MISSING.number = number;
    MISSING.version = version;
    throw MISSING;
  }

  #keepRecalled(version: PageVersion, page: Buffer): void {
    this.#recalled.set(version, page);
    if (this.#recalled.size <= RECALLED_MAX) return;
    for (const oldest of this.#recalled.keys()) {
      this.#recalled.delete(oldest);
      return;
    }
  }
}

/** Where the kind stands in a page; asked for every published page. */
const KIND_AT = 16;
