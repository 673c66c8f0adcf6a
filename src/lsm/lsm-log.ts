/**
 * The log of one memtable: write batches framed as LevelDB frames them, with watermarks between.
 *
 * A watermark is a batch without operations. Its sequence number says that everything below was
 * durable when it was written, and it stands: twice at the beginning; before a record whenever more
 * has become durable since the last one; and at the end when the log is idle or finished. So
 * recovery can tell a torn write from damage (`log-replay`). LevelDB reads over them.
 */

import { join } from 'node:path';

import type { Clock, Timer } from '../base/clock.ts';
import { AppendFile } from '../durable/append-file.ts';
import type { AppendFileOptions, BatchBounds } from '../durable/append-options.ts';
import type { Poison } from '../durable/poison.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { BATCH_HEADER_BYTES, putBatchHeader } from '../wal/batch-format.ts';
import { BytesPayload, cutLength, framedLength, putCut, putFramed } from '../wal/log-framing.ts';
import { cutsOf, looksLikeWatermark } from '../wal/watermark.ts';
import { logName } from './lsm-files.ts';

/** How logs of a store are written. */
export interface LsmLogSettings {
  readonly dispatch: SyncDispatch;
  readonly directory: string;
  readonly policy: SyncPolicy;
  readonly batch: Partial<BatchBounds>;
  /** 0: none. */
  readonly preallocateBytes: number;
  readonly poison: Poison;
  readonly clock: Clock;
  /** Records from this sequence number on were refused: it is the next one again. */
  readonly onRefused: (log: LsmLog, sequence: number) => void;
}

/** A log that was not written to for so long gets a watermark. */
const IDLE_MS = 1000;

/** A record that may not be durable yet. */
interface Waiting {
  readonly first: number;
  readonly last: number;
  /** Where it ends in the file. */
  readonly end: number;
}

/** An open log. Sequence numbers are the caller's, one after the other. */
export class LsmLog {
  readonly number: number;
  readonly #settings: LsmLogSettings;
  #onRefused: LsmLogSettings['onRefused'];
  #file: AppendFile | null = null;
  /** Records that were not durable when last looked at, oldest first, from `#waitingStart`. */
  #waiting: Waiting[] = [];
  #waitingStart = 0;
  #durableSequence = 0;
  /** The sequence number that the last watermark gave. */
  #watermark = 0;
  #scratch = new Uint8Array(4096);
  #idleTimer: Timer | null = null;
  #lastAppendMs = 0;
  #isFinished = false;

  private constructor(number: number, settings: LsmLogSettings) {
    this.number = number;
    this.#settings = settings;
    this.#onRefused = settings.onRefused;
  }

  /** Makes a new, empty log. When it resolves, its name is durable. */
  static async create(number: number, settings: LsmLogSettings): Promise<LsmLog> {
    const log = new LsmLog(number, settings);
    log.#file = await AppendFile.create(log.path, log.#fileOptions());
    return log;
  }

  /** As `create`, on the calling thread. */
  static createSync(number: number, settings: LsmLogSettings): LsmLog {
    const log = new LsmLog(number, settings);
    log.#file = AppendFile.createSync(log.path, log.#fileOptions());
    return log;
  }

  get path(): string {
    return join(this.#settings.directory, logName(this.number));
  }

  /** Bytes of the log. */
  get length(): number {
    return this.#open.length;
  }

  /** Records that end up to here are with the operating system. */
  get writtenLength(): number {
    return this.#open.writtenLength;
  }

  /**
   * Begins to be written to, by whom `onRefused` is of. REQUIRES: everything up to `durableSequence`
   * is durable, in tables or in logs before this one.
   */
  start(
    durableSequence: number,
    onRefused: LsmLogSettings['onRefused'] = this.#settings.onRefused,
  ): void {
    this.#durableSequence = durableSequence;
    this.#onRefused = onRefused;
  }

  /** Appends a batch with its sequence number in it. Settles as `AppendFile.append` does. */
  append(batch: Uint8Array, first: number, last: number, policy: SyncPolicy): Promise<void> {
    const bytes = this.#framed(batch);
    const promise = this.#open.append(bytes, policy);
    // Before the promise can settle, whichever way.
    this.#note(first, last);
    return promise;
  }

  /** As `append`, on the calling thread. */
  appendSync(batch: Uint8Array, first: number, last: number, policy: SyncPolicy): void {
    this.#open.appendSync(this.#framed(batch), policy);
    this.#note(first, last);
  }

  /** Resolves when everything appended is durable. */
  sync(): Promise<void> {
    return this.#open.sync();
  }

  syncSync(): void {
    this.#open.syncSync();
  }

  /** Everything is durable, and the log says so, when it resolves. Nothing may be appended then. */
  async finish(): Promise<void> {
    if (this.#isFinished || this.#open.length === 0) return;
    this.#stopTimer();
    await this.#open.sync();
    if (this.#isFinished || !this.#needsWatermark()) return;
    try {
      await this.#open.append(this.#watermarkBytes(), 'sync');
    } catch (error) {
      // A full disk: the records are durable all the same, and only the proof is missing.
      if (this.#settings.poison.poisoned) throw error;
    }
  }

  /** As `finish`, without a watermark: the next log begins with one. */
  finishSync(): void {
    this.#stopTimer();
    this.#open.syncSync();
    this.#isFinished = true;
  }

  /** Releases the file. REQUIRES: `finish`, or that nothing in it counts. */
  close(): Promise<void> {
    this.#stopTimer();
    this.#isFinished = true;
    return this.#open.close();
  }

  /** As `close`, on the calling thread. */
  closeSync(): void {
    this.#stopTimer();
    this.#isFinished = true;
    // Whoever still waits for this log does not keep what it needed for writing.
    this.#waiting = [];
    this.#scratch = new Uint8Array(0);
    this.#open.closeSync();
  }

  get #open(): AppendFile {
    return this.#file!;
  }

  #fileOptions(): AppendFileOptions {
    const { dispatch, policy, batch, preallocateBytes, poison, clock } = this.#settings;
    return {
      dispatch,
      sync: policy,
      batch,
      preallocateBytes,
      poison,
      clock,
      onRefused: (length) => this.#refused(length),
    };
  }

  /** Notes a record that ends where the file ends now. */
  #note(first: number, last: number): void {
    this.#waiting.push({ first, last, end: this.#open.length });
    this.#lastAppendMs = this.#settings.clock.monotonicMs();
    this.#idleTimer ??= this.#settings.clock.after(IDLE_MS, () => this.#idle());
  }

  #refused(length: number): void {
    let refused = this.#waiting.length;
    while (refused > this.#waitingStart && this.#waiting[refused - 1]!.end > length) refused--;
    const first = this.#waiting[refused]?.first;
    this.#waiting.length = refused;
    // Whether the last watermark is still there is not known: the next record brings one.
    this.#watermark = 0;
    if (first !== undefined) this.#onRefused(this, first);
  }

  /** Whether more is durable than the last watermark says. */
  #needsWatermark(): boolean {
    const { durableLength } = this.#open;
    const waiting = this.#waiting;
    while (this.#waitingStart < waiting.length) {
      const { end, last } = waiting[this.#waitingStart]!;
      if (end > durableLength) break;
      this.#durableSequence = last;
      this.#waitingStart++;
    }
    if (this.#waitingStart > 1024) {
      this.#waiting = waiting.slice(this.#waitingStart);
      this.#waitingStart = 0;
    }
    return this.#durableSequence + 1 > this.#watermark;
  }

  /** A batch as it goes to the end of the file, with the watermarks that belong before it. */
  #framed(batch: Uint8Array): Uint8Array {
    const start = this.#open.length;
    const marks = start === 0 ? 2 : this.#needsWatermark() ? 1 : 0;
    // Values that hold a piece of a log are cut there: torn, they would look like damage.
    const cuts = looksLikeWatermark(batch, 0, batch.length) ? cutsOf(batch, 0, batch.length) : [];
    const room = marks * (framedLength(0, BATCH_HEADER_BYTES) + 14);
    const wanted = room + cutLength(start, batch.length, cuts) + 28;
    if (wanted > this.#scratch.length) this.#scratch = new Uint8Array(2 * wanted);
    let at = 0;
    for (let mark = 0; mark < marks; mark++) at = this.#putWatermark(at, start + at);
    at =
      cuts.length === 0
        ? putFramed(this.#scratch, at, start + at, new BytesPayload(batch))
        : putCut(this.#scratch, at, start + at, batch, cuts);
    const bytes = this.#scratch.subarray(0, at);
    // A large batch once should not be paid for ever.
    if (this.#scratch.length > 1 << 20) this.#scratch = new Uint8Array(4096);
    return bytes;
  }

  #watermarkBytes(): Uint8Array {
    const start = this.#open.length;
    let at = 0;
    for (let mark = start === 0 ? 2 : 1; mark > 0; mark--) at = this.#putWatermark(at, start + at);
    return this.#scratch.subarray(0, at);
  }

  #putWatermark(at: number, fileOffset: number): number {
    const payload = new Uint8Array(BATCH_HEADER_BYTES);
    this.#watermark = this.#durableSequence + 1;
    putBatchHeader(payload, 0, this.#watermark, 0);
    return putFramed(this.#scratch, at, fileOffset, new BytesPayload(payload));
  }

  #idle(): void {
    this.#idleTimer = null;
    const { clock, poison } = this.#settings;
    if (this.#isFinished || poison.poisoned) return;
    const restMs = IDLE_MS - (clock.monotonicMs() - this.#lastAppendMs);
    if (restMs > 0) {
      this.#idleTimer = clock.after(restMs, () => this.#idle());
      return;
    }
    // What went wrong, the next writer hears: a full disk again, or the poison.
    this.finish().catch(() => undefined);
  }

  #stopTimer(): void {
    this.#idleTimer?.cancel();
    this.#idleTimer = null;
  }
}
