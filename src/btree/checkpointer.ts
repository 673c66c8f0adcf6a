/**
 * Brings changed pages to their file, in the background, and lets the log go that they make
 * needless. Where only the cache needs room, pages are written and the log stays (`flush`). Pages go
 * in batches, each step of which is needed:
 *
 * 1. Pages are copied as readers see them. No lock is held: commits go on.
 * 2. The log is made durable up to the last change in them.
 * 3. They are written to the doublewrite file, durably, so that none is lost where it is torn.
 * 4. They are written to their places, and these are synced.
 *
 * The order of a checkpoint:
 *
 * 1. Between two commits, when readers see everything, the log is rotated: what came before is
 *    durable, and in segments of its own.
 * 2. Each page that was changed before is written so, if only with later changes.
 * 3. The checkpoint is recorded in the log, durably; then the old segments are removed.
 *
 * A crash before 3 finds the log that it needs to do all of it again.
 */

import type { Clock, Timer } from '../base/clock.ts';
import type { FailingCall, Poison } from '../durable/poison.ts';
import type { Relief } from './commit-queue.ts';
import type { DoubleWrite } from './double-write.ts';
import { META_PAGE, pageCount } from './meta-page.ts';
import { PageBatch } from './page-batch.ts';
import type { Run } from './page-batch.ts';
import { pagePosition } from './page-format.ts';
import type { Pager } from './pager.ts';
import type { RedoLog } from './redo-log.ts';

/** Of the cache, how much may have changes: then they are written, or writers wait for it. */
const DIRTY_SHARE_SOON = 7 / 8;
const DIRTY_SHARE_MOST = 15 / 16;

export interface CheckpointBounds {
  /** A checkpoint begins when the log has this many bytes since the last one. */
  readonly logBytes: number;
  /** And this long after a change that no checkpoint has. */
  readonly ms: number;
}

/** The doublewrite files of the thread pool and of the calling thread. */
export interface DoubleWrites {
  readonly later: DoubleWrite;
  readonly now: DoubleWrite;
}

export class Checkpointer implements Relief {
  readonly #pager: Pager;
  readonly #log: RedoLog;
  readonly #poison: Poison;
  readonly #bounds: CheckpointBounds;
  readonly #clock: Clock;
  readonly #doubles: DoubleWrites;
  /** What the last checkpoint covers, once it may be in the log. */
  #upTo: number;
  /**
   * Pages that are being written on the thread pool; and, where there was no room for one, until all
   * of them are in their places: before that, the doublewrite file takes no other batch.
   */
  #inFlight: readonly Run[] = [];
  /** As that, of the calling thread. */
  #owed: readonly Run[] = [];
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

  /** `upTo`: what the last checkpoint covers. */
  constructor(
    pager: Pager,
    log: RedoLog,
    poison: Poison,
    bounds: CheckpointBounds,
    clock: Clock,
    doubles: DoubleWrites,
    upTo: number,
  ) {
    this.#pager = pager;
    this.#log = log;
    this.#poison = poison;
    this.#bounds = bounds;
    this.#clock = clock;
    this.#doubles = doubles;
    this.#upTo = upTo;
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
   * Writes all changed pages, without a checkpoint: the log stays. Makes room in the cache at less
   * cost.
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
    this.#writeAllSync();
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
    await this.#log.beginCheckpoint();
    // Step 2.
    const pages = await this.#writeAll(numbers);
    await this.#cut(pages);
    // Step 3. The batches of before mean nothing once the checkpoint is recorded, also one that the
    // calling thread could not bring to its places meanwhile.
    this.#poison.check();
    this.#placeSync();
    // From here on a crash may find either checkpoint.
    this.#upTo = upTo;
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

  /** Writes pages durably. Resolves to how many the file has. */
  async #writeAll(numbers: readonly number[]): Promise<number> {
    this.#poison.check();
    const { cache } = this.#pager;
    // Redo writes pages while the first one may not be in memory, and cuts nothing.
    let pages = cache.peek(META_PAGE) === undefined ? 0 : pageCount(this.#pager.view(META_PAGE));
    const place = async (): Promise<void> => {
      for (const run of this.#inFlight) if (run.first === META_PAGE) pages = pageCount(run.bytes);
      await this.#place();
    };
    await place();
    const batch = new PageBatch(this.#pager, numbers.length);
    for (let at = 0; at < numbers.length;) {
      // A page is in one batch at a time.
      this.#placeSync();
      at = batch.take(numbers, at);
      if (batch.runs.length === 0) continue;
      this.#inFlight = batch.runs;
      try {
        // One sync for all of them: commits without a sync change pages all the time.
        if (batch.last > this.#log.durableSequence) await this.#log.sync();
        await this.#doubles.later.write(batch.double(this.#upTo));
      } catch (error) {
        this.#inFlight = [];
        throw error;
      }
      await place();
    }
    return pages;
  }

  /** Brings the batch that is in the doublewrite file to its places, durably. */
  async #place(): Promise<void> {
    if (this.#inFlight.length === 0) return;
    const { file } = this.#pager;
    for (const run of this.#inFlight) {
      if (file.landed !== undefined) await file.landed;
      await this.#guard('write', () => file.write(run.first, run.bytes));
      this.#written(run);
      this.#wake();
    }
    await this.#guard('sync', () => file.settle());
    this.#inFlight = [];
  }

  /** As `#writeAll`, on the calling thread. Pages that are under way on the thread pool are left to it. */
  #writeAllSync(): void {
    this.#placeSync();
    const { file } = this.#pager;
    const frames = this.#inFlight.flatMap((run) => run.frames);
    const underWay = new Set(frames.map(({ number }) => number));
    const numbers = this.#dirtyPages().filter(
      (number) => !underWay.has(number) && !file.isUnderWay(number),
    );
    const batch = new PageBatch(this.#pager, numbers.length);
    for (let at = 0; at < numbers.length;) {
      at = batch.take(numbers, at);
      if (batch.runs.length === 0) continue;
      this.#doubles.now.writeSync(batch.double(this.#upTo));
      this.#owed = batch.runs;
      this.#placeSync();
    }
  }

  /** As `#place`, on the calling thread. */
  #placeSync(): void {
    if (this.#owed.length === 0) return;
    const { file } = this.#pager;
    for (const run of this.#owed) {
      this.#guardSync('write', () => file.writeSync(run.first, run.bytes));
      this.#written(run);
    }
    this.#guardSync('sync', () => file.settleSync());
    this.#owed = [];
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
    if (there > needed) this.#guardSync('write', () => file.truncateSync(needed));
  }

  #dirtyPages(): number[] {
    const numbers: number[] = [];
    this.#pager.cache.forEach((frame) => {
      if (frame.dirty) numbers.push(frame.number);
    });
    return numbers;
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

  async #guard(call: FailingCall, run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      // No room for a page is no harm: the doublewrite file has it. Whoever waits for room has not begun.
      throw this.#poison.failed(call, error);
    }
  }

  #guardSync(call: FailingCall, run: () => void): void {
    try {
      run();
    } catch (error) {
      throw this.#poison.failed(call, error);
    }
  }
}
