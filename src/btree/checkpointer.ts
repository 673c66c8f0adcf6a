/**
 * Brings changed pages to their file, in the background, and lets the log go that they make
 * needless. Where only the cache needs room, pages are written and the log stays (`flush`). The order
 * of a checkpoint, each step of which is needed:
 *
 * 1. Between two commits, when readers see everything: a new epoch begins. From now on the first
 *    change of each page logs the whole page, so that whatever is torn below is in the log.
 * 2. The log is rotated: what came before is durable, and in segments of its own.
 * 3. Each page that was changed before is written, as readers see it, and only when the log is
 *    durable up to its last change. No lock is held: commits go on.
 * 4. The file is synced.
 * 5. The checkpoint is recorded in the log, durably; then the old segments are removed.
 *
 * A crash before 5 finds the log that it needs to do all of it again.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { Poison } from '../durable/poison.ts';
import { meaningOf } from '../durable/poison.ts';
import type { PageFrame } from './btree-page-cache.ts';
import type { Relief } from './commit-queue.ts';
import { META_PAGE, pageCount } from './meta-page.ts';
import { pagePosition, sealPage } from './page-format.ts';
import type { Pager } from './pager.ts';
import type { RedoLog } from './redo-log.ts';

/** Pages that are written in one go. */
const RUN_PAGES = 128;
/** Bytes of pages that share a sync of the log. */
const STAGED_BYTES: number = 4 << 20;
/**
 * Bytes of pages after which a checkpoint syncs the file: others who sync something would wait for
 * all of them where the file system puts them into one transaction.
 */
const SYNCED_BYTES: number = 16 << 20;
/** Of the cache, how much may have changes: then they are written, or writers wait for it. */
const DIRTY_SHARE_SOON = 7 / 8;
const DIRTY_SHARE_MOST = 15 / 16;

export interface CheckpointBounds {
  /** A checkpoint begins when the log has this many bytes since the last one. */
  readonly logBytes: number;
  /** And this long after a change that no checkpoint has. */
  readonly ms: number;
}

/** Pages beside each other, copied and sealed. */
interface Run {
  readonly first: number;
  readonly bytes: Uint8Array;
  readonly frames: readonly PageFrame[];
  readonly positions: readonly number[];
}

export class Checkpointer implements Relief {
  readonly #pager: Pager;
  readonly #log: RedoLog;
  readonly #poison: Poison;
  readonly #bounds: CheckpointBounds;
  readonly #clock: Clock;
  /** Where pages are copied to be written; made when there is something to write. */
  #staging: Uint8Array = new Uint8Array(0);
  /** Pages that are being written on the thread pool. */
  #inFlight: readonly Run[] = [];
  #running: Promise<void> | null = null;
  /** Whether that is no checkpoint. */
  #flushing = false;
  /** Called between two commits. */
  #atBoundary: (() => void) | null = null;
  /** Those that wait for pages to have been written. */
  #progressed: (() => void)[] = [];
  #timer: Timer | null = null;
  /** The last failure that was no reason to stop for good; told to those who need room. */
  #failure: { readonly error: unknown } | null = null;
  #closed = false;
  /** Checkpoints that were completed. */
  completed = 0;

  constructor(pager: Pager, log: RedoLog, poison: Poison, bounds: CheckpointBounds, clock: Clock) {
    this.#pager = pager;
    this.#log = log;
    this.#poison = poison;
    this.#bounds = bounds;
    this.#clock = clock;
  }

  /** Makes a checkpoint of the state of now. Calls while one is under way share the next. */
  async checkpoint(): Promise<void> {
    await this.#running;
    // Others that waited may have begun another one, or only to write pages.
    while (this.#flushing) await this.#running;
    this.#failure = null;
    await this.#start('checkpoint');
    const failure = this.#failure as { readonly error: unknown } | null;
    if (failure !== null) throw failure.error;
  }

  /**
   * Writes all changed pages, without a checkpoint: the log, which stays, has an image of each of
   * them, for this epoch and what may be torn. Makes room in the cache at less cost.
   */
  async flush(): Promise<void> {
    // A thread that never waits finds no page under way.
    await this.#syncLog();
    await this.#writeAll(this.#dirtyPages());
  }

  /** No more checkpoints; resolves when the one under way has ended. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  before(): Promise<void> | undefined {
    this.#poison.check();
    this.#log.check();
    const tooMany = this.#pager.dirtyCount > this.#pager.cache.pagesMax * DIRTY_SHARE_MOST;
    if (!tooMany && !this.#pager.versions.full) return undefined;
    return this.#makeRoom(tooMany);
  }

  beforeSync(): void {
    this.#poison.check();
    this.#log.check();
    if (this.#pager.versions.full) this.#pager.versions.spillSync();
    if (this.#pager.dirtyCount <= this.#pager.cache.pagesMax * DIRTY_SHARE_MOST) return;
    // A thread that never waits gives a checkpoint no time: pages are written here, and the log
    // stays until there is time.
    this.#log.syncSync();
    const numbers = this.#dirtyPages();
    this.#eachRun(numbers, this.#stagingFor(numbers.length), (run) => {
      this.#guardSync(() => this.#pager.file.writeSync(run.first, run.bytes));
      this.#written(run);
    });
  }

  between(): void {
    const atBoundary = this.#atBoundary;
    this.#atBoundary = null;
    atBoundary?.();
    if (this.#closed) return;
    this.#setTimer();
    if (this.#running !== null) return;
    const soon = this.#pager.cache.pagesMax * DIRTY_SHARE_SOON;
    if (this.#log.bytes >= this.#bounds.logBytes) void this.#start('checkpoint');
    else if (this.#pager.dirtyCount > soon) void this.#start('flush');
  }

  /** Sees to a checkpoint of what was changed, also where nothing is changed any more. */
  #setTimer(): void {
    this.#timer ??= this.#clock.after(this.#bounds.ms, () => {
      this.#timer = null;
      if (this.#closed) return;
      if (this.#running === null) void this.#start('checkpoint');
      else this.#setTimer();
    });
  }

  /**
   * Does one or the other, unless something is being done. Never rejects: what fails is kept, and
   * told by those who need what it was for.
   */
  #start(what: 'checkpoint' | 'flush'): Promise<void> {
    if (this.#running !== null) return this.#running;
    this.#flushing = what === 'flush';
    const working = this.#flushing ? this.flush() : this.#run();
    this.#running = working
      .catch((error: unknown) => {
        this.#failure = { error };
      })
      .finally(() => {
        this.#running = null;
        this.#flushing = false;
        this.#wake();
      });
    return this.#running;
  }

  async #makeRoom(tooMany: boolean): Promise<void> {
    await this.#pager.versions.spill();
    if (!tooMany) return;
    this.#failure = null;
    while (this.#pager.dirtyCount > this.#pager.cache.pagesMax * DIRTY_SHARE_MOST) {
      void this.#start('flush');
      await new Promise<void>((resolve) => this.#progressed.push(resolve));
      const failure = this.#failure as { readonly error: unknown } | null;
      if (failure !== null) throw failure.error;
    }
  }

  async #run(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    // What is durable now, the records of the new segment need not wait for.
    await this.#syncLog();
    // Step 1.
    const upTo = await this.#boundary();
    const { epoch } = this.#pager;
    const numbers = this.#dirtyPages();
    // Step 2.
    await this.#log.beginCheckpoint();
    // Step 3.
    const pages = await this.#writeAll(numbers, SYNCED_BYTES);
    // Step 4.
    await this.#guard('sync', () => this.#pager.file.settle());
    // A sync on the calling thread may have failed meanwhile.
    this.#poison.check();
    await this.#cut(pages);
    // Step 5.
    await this.#log.endCheckpoint(upTo);
    this.#pager.loggedFrom = epoch;
    this.completed++;
  }

  /** Syncs the log ahead of a step that needs it and would tell what fails. */
  async #syncLog(): Promise<void> {
    await this.#log.sync().catch(() => 'told by that step');
  }

  /** Resolves to the last sequence number, in the moment when the epoch changes. */
  #boundary(): Promise<number> {
    return new Promise((resolve) => {
      const begin = (): void => {
        this.#pager.epoch++;
        resolve(this.#log.lastSequence);
      };
      if (this.#pager.hasPending || this.#pager.recording) this.#atBoundary = begin;
      else begin();
    });
  }

  /**
   * Writes pages, with a sync after each `syncedBytes`. Resolves to how many the file has, as far as
   * is durable.
   */
  async #writeAll(numbers: readonly number[], syncedBytes: number = Infinity): Promise<number> {
    const { pageBytes, file, cache } = this.#pager;
    // Redo writes pages while the first one may not be in memory, and cuts nothing.
    let pages = cache.peek(META_PAGE) === undefined ? 0 : pageCount(this.#pager.view(META_PAGE));
    const pagesMax = Math.max(RUN_PAGES, STAGED_BYTES / pageBytes);
    const bytes = Math.min(numbers.length, pagesMax) * pageBytes;
    if (this.#staging.length < bytes) this.#staging = new Uint8Array(bytes);
    let at = 0;
    let unsynced = 0;
    while (at < numbers.length) {
      const { runs, next } = this.#stageRuns(numbers, at);
      unsynced += (next - at) * pageBytes;
      at = next;
      this.#inFlight = runs;
      try {
        // One sync for all of them: commits without a sync change pages all the time.
        const last = Math.max(0, ...runs.map(({ positions }) => Math.max(...positions)));
        if (last > this.#log.durableSequence) await this.#log.sync();
        for (const run of runs) {
          if (file.landed !== undefined) await file.landed;
          await this.#guard('write', () => file.write(run.first, run.bytes));
          if (run.first === META_PAGE) pages = pageCount(run.bytes);
          this.#written(run);
          this.#wake();
        }
      } finally {
        this.#inFlight = [];
      }
      if (unsynced < syncedBytes || at >= numbers.length) continue;
      unsynced = 0;
      await this.#guard('sync', () => file.settle());
    }
    return pages;
  }

  /** As many runs as the staging area takes. */
  #stageRuns(
    numbers: readonly number[],
    from: number,
  ): { readonly runs: readonly Run[]; readonly next: number } {
    const runs: Run[] = [];
    let at = from;
    for (let used = 0; at < numbers.length && used < this.#staging.length;) {
      const { run, next } = this.#stage(numbers, at, this.#staging.subarray(used));
      at = next;
      if (run === null) continue;
      runs.push(run);
      used += run.bytes.length;
    }
    return { runs, next: at };
  }

  /** Gives the end of the file back that no page needs, once that is durable. */
  async #cut(pages: number): Promise<void> {
    const { file, meta } = this.#pager;
    const there = await file.pageCount();
    // A crash may lead back to before that: pages moved from the end may still be needed there. The
    // next checkpoint cuts.
    this.#log.check();
    if (this.#pager.shrunkAt > this.#log.durableSequence) return;
    // In one turn with the cut: pages behind the end may be written ahead of their commit.
    const needed = Math.max(pages, pageCount(this.#pager.view(META_PAGE)), pageCount(meta.data));
    if (there > needed) this.#guardSync(() => file.truncateSync(needed));
  }

  /** Pages that are under way on the thread pool are left to it. */
  #eachRun(numbers: readonly number[], staging: Uint8Array, visit: (run: Run) => void): void {
    const frames = this.#inFlight.flatMap((run) => run.frames);
    const underWay = new Set(frames.map(({ number }) => number));
    const { file } = this.#pager;
    const mine = numbers.filter((number) => !underWay.has(number) && !file.isUnderWay(number));
    let at = 0;
    while (at < mine.length) {
      const { run, next } = this.#stage(mine, at, staging);
      at = next;
      if (run !== null) visit(run);
    }
  }

  #stagingFor(pages: number): Uint8Array {
    return new Uint8Array(Math.min(pages, RUN_PAGES) * this.#pager.pageBytes);
  }

  #dirtyPages(): number[] {
    const numbers: number[] = [];
    this.#pager.cache.forEach((frame) => {
      if (frame.dirty) numbers.push(frame.number);
    });
    return numbers;
  }

  /** Copies pages that follow each other, as readers see them. */
  #stage(
    numbers: readonly number[],
    from: number,
    staging: Uint8Array,
  ): { readonly run: Run | null; readonly next: number } {
    const { pageBytes, cache } = this.#pager;
    const frames: PageFrame[] = [];
    const positions: number[] = [];
    let at = from;
    const most = Math.min(RUN_PAGES, staging.length / pageBytes);
    for (; at < numbers.length && frames.length < most; at++) {
      const number = numbers[at]!;
      if (frames.length > 0 && number !== frames[0]!.number + frames.length) break;
      const frame = cache.peek(number);
      // Given up, or written meanwhile.
      if (frame === undefined || !frame.dirty || frame.fresh) {
        if (frames.length === 0) continue;
        break;
      }
      const page = staging.subarray(frames.length * pageBytes, (frames.length + 1) * pageBytes);
      page.set(frame.visible ?? frame.data);
      sealPage(page);
      frames.push(frame);
      positions.push(pagePosition(page));
    }
    const [first] = frames;
    if (first === undefined) return { run: null, next: Math.max(at, from + 1) };
    const bytes = staging.subarray(0, frames.length * pageBytes);
    return { run: { first: first.number, bytes, frames, positions }, next: at };
  }

  /** Pages that nothing changed since they were copied are as the file has them. */
  #written(run: Run): void {
    run.frames.forEach((frame, index) => {
      if (this.#pager.cache.peek(frame.number) !== frame || !frame.dirty) return;
      const unchanged = frame.visible === null && !frame.edited;
      if (unchanged && pagePosition(frame.data) === run.positions[index]) {
        this.#pager.markClean(frame);
      }
    });
  }

  #wake(): void {
    const progressed = this.#progressed;
    this.#progressed = [];
    for (const resolve of progressed) resolve();
  }

  async #guard(call: 'write' | 'sync', run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      throw this.#failed(call, error);
    }
  }

  #guardSync(run: () => void): void {
    try {
      run();
    } catch (error) {
      throw this.#failed('write', error);
    }
  }

  /** No room for a page is no harm: the log has it. Anything else ends writing. */
  #failed(call: 'write' | 'sync', error: unknown): unknown {
    if (meaningOf(call, error) === 'refused') return error;
    this.#poison.poison(error);
    // Whoever waits for room has not begun.
    return this.#poison.error('old');
  }
}
