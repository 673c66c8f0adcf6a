/**
 * Writes one log file: frames payloads, numbers them, and keeps the watermarks that later tell a
 * torn write from damage. For the segments of a write-ahead log and for engines whose logs have
 * names and lives of their own. Not here: which file follows which.
 *
 * 1. A log begins with two watermarks of its first sequence number.
 * 2. Each group that is written carries a watermark of what was durable by then, when that has moved
 *    on. So whatever is damaged later, all but the last group are known to have been durable.
 */

import { assert } from '../base/assert.ts';
import { HoldfastError } from '../base/errors.ts';
import { AppendFile } from '../durable/append-file.ts';
import type { AppendFileOptions } from '../durable/append-options.ts';
import type { AppendSource } from '../durable/append-source.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { LOG_HEADER_BYTES, LOG_RECORD_BYTES_MAX } from './log-format.ts';
import { cutLength, framedLength, putCut, putFramed } from './log-framing.ts';
import type { LogPayload } from './log-framing.ts';
import {
  cutsOf,
  looksLikeWatermark,
  putWatermark,
  watermarkLength,
  WATERMARKS_AT_START,
} from './watermark.ts';

/** A payload that learns its first sequence number when it is written. */
export interface SequencedPayload {
  /** Bytes that `putInto` puts: header and operations of a batch. */
  readonly length: number;
  /** How many sequence numbers it takes, from 1. */
  readonly count: number;
  putInto(target: Uint8Array, offset: number, sequence: number): void;
}

/** Where a log file that goes on stands. */
export interface SegmentPlace {
  /** Bytes; all of them are durable. */
  readonly length: number;
  /** The sequence number of its first operation, also when there is none yet. */
  readonly firstSequence: number;
  /** That of its last operation, `firstSequence - 1` when there is none yet. */
  readonly lastSequence: number;
}

export type SegmentWriterOptions = Omit<AppendFileOptions, 'onGroup'>;

export class SegmentWriter {
  readonly path: string;
  readonly #appends: AppendFile;
  readonly #source = new FramedSource();
  #first: number;
  /** The highest sequence number that a watermark of this file calls durable. */
  #watermarked: number;
  /** Whether a full disk has taken the beginning of the file: it comes with the next append. */
  #beginsLater = false;

  private constructor(file: AppendFile, firstSequence: number, lastSequence: number) {
    this.path = file.path;
    this.#appends = file;
    this.#first = firstSequence;
    this.#watermarked = lastSequence;
    this.#reopenedAt = lastSequence;
    this.#atStart = Math.max(firstSequence - 1, lastSequence);
  }

  /** What was there when the file was opened. */
  readonly #reopenedAt: number;
  /** What was there before the first append: marks count from then on. */
  #atStart: number;

  /**
   * Makes a new file, whose name is durable when it resolves. Nothing is in it: `begin` follows.
   * @throws FileChangeError as `AppendFile.create`
   */
  static async create(path: string, options: SegmentWriterOptions): Promise<SegmentWriter> {
    const hook = new Hook(options);
    return hook.join(new SegmentWriter(await AppendFile.create(path, hook.options), 1, 0));
  }

  /** As `create`, on the calling thread. */
  static createSync(path: string, options: SegmentWriterOptions): SegmentWriter {
    const hook = new Hook(options);
    return hook.join(new SegmentWriter(AppendFile.createSync(path, hook.options), 1, 0));
  }

  /** Goes on behind what is there. REQUIRES: all of it is durable, and ends with a watermark. */
  static async open(
    path: string,
    place: SegmentPlace,
    options: SegmentWriterOptions,
  ): Promise<SegmentWriter> {
    const hook = new Hook(options);
    const file = await AppendFile.open(path, place.length, hook.options);
    return hook.join(new SegmentWriter(file, place.firstSequence, place.lastSequence));
  }

  /** As `open`, on the calling thread. */
  static openSync(path: string, place: SegmentPlace, options: SegmentWriterOptions): SegmentWriter {
    const hook = new Hook(options);
    const file = AppendFile.openSync(path, place.length, hook.options);
    return hook.join(new SegmentWriter(file, place.firstSequence, place.lastSequence));
  }

  /** Begins the log: its first operation will have this number. REQUIRES: nothing is in it. */
  begin(firstSequence: number): void {
    assert(this.#appends.length === 0, 'a log begins at the beginning of its file');
    this.#first = firstSequence;
    this.#atStart = Math.max(firstSequence - 1, this.#reopenedAt);
    this.#watermarked = firstSequence - 1;
    for (let count = 0; count < WATERMARKS_AT_START; count++) {
      this.#source.watermark(this.#appends.length, firstSequence);
      this.#appends.enqueue(this.#source, firstSequence - 1, 'none');
    }
  }

  get firstSequence(): number {
    return this.#first;
  }

  /** The number of the last operation that was accepted. */
  get lastSequence(): number {
    return Math.max(this.#atStart, this.#appends.mark);
  }

  /** Everything of this file up to here is with the operating system. */
  get writtenSequence(): number {
    return Math.max(this.#atStart, this.#appends.writtenMark);
  }

  /** Everything of this file up to here is on stable storage. */
  get durableSequence(): number {
    return Math.max(this.#atStart, this.#appends.durableMark);
  }

  /** Bytes accepted, bytes with the operating system, bytes on stable storage. */
  get length(): number {
    return this.#appends.length;
  }

  get writtenLength(): number {
    return this.#appends.writtenLength;
  }

  get durableLength(): number {
    return this.#appends.durableLength;
  }

  /** Whether a watermark says that all of it is durable. */
  get closed(): boolean {
    return !this.#beginsLater && this.#watermarked === this.lastSequence;
  }

  /**
   * Appends a payload, which gets the next numbers. Resolves as the policy says; all that share a
   * write get the same promise.
   */
  append(payload: SequencedPayload, policy: SyncPolicy): Promise<void> {
    checkLength(payload.length);
    this.#beginIfEmpty();
    const last = this.lastSequence;
    this.#source.record(this.#appends.length, payload, last + 1, 0);
    return this.#appends.appendFrom(this.#source, last + payload.count, policy);
  }

  /** As `append`, on the calling thread. */
  appendSync(payload: SequencedPayload, policy: SyncPolicy): void {
    checkLength(payload.length);
    this.#beginIfEmpty();
    const last = this.lastSequence;
    const durable = this.durableSequence;
    const watermark = durable > this.#watermarked ? durable + 1 : 0;
    this.#source.record(this.#appends.length, payload, last + 1, watermark);
    this.#appends.appendFromSync(this.#source, last + payload.count, policy);
    if (watermark > 0) this.#watermarked = durable;
  }

  /** Appends a watermark of what is durable. Resolves when it is durable itself. */
  appendWatermark(): Promise<void> {
    this.#beginIfEmpty();
    this.#prepareWatermark();
    return this.#appends.appendFrom(this.#source, this.lastSequence, 'sync');
  }

  /** As `appendWatermark`, on the calling thread. */
  appendWatermarkSync(): void {
    this.#beginIfEmpty();
    this.#prepareWatermark();
    this.#appends.appendFromSync(this.#source, this.lastSequence, 'sync');
  }

  /** As `AppendFile.sync`. */
  sync(): Promise<void> {
    return this.#appends.sync();
  }

  syncSync(): void {
    this.#appends.syncSync();
  }

  /** As `AppendFile.release` and `AppendFile.discard`; after `discard` the log begins anew. */
  release(): void {
    this.#appends.release();
  }

  discard(reason: Error, firstSequence: number): void {
    this.#appends.discard(reason);
    if (!this.#appends.poisoned) this.begin(firstSequence);
  }

  /**
   * Records were refused, watermarks perhaps with them: the next group gets one again, and a log of
   * which nothing is left begins anew with the next append.
   */
  refused(): void {
    this.#watermarked = this.#first - 1;
    // Not now: the disk is full, and would refuse the beginning again and again.
    this.#beginsLater = this.#appends.length === 0;
  }

  #beginIfEmpty(): void {
    if (!this.#beginsLater) return;
    this.#beginsLater = false;
    if (this.#appends.length === 0) this.begin(this.#first);
  }

  /** As `AppendFile.close`: makes everything durable and cuts what lies behind it. */
  close(): Promise<void> {
    return this.#appends.close();
  }

  closeSync(): void {
    this.#appends.closeSync();
  }

  /** Rule 2. */
  beforeGroup(): void {
    const durable = this.durableSequence;
    if (durable <= this.#watermarked) return;
    this.#source.watermark(this.#appends.length, durable + 1);
    if (this.#appends.enqueue(this.#source, this.lastSequence, 'none')) this.#watermarked = durable;
  }

  #prepareWatermark(): void {
    this.#watermarked = this.durableSequence;
    this.#source.watermark(this.#appends.length, this.#watermarked + 1);
  }
}

/** Lets the file call its writer, which is there only after the file. */
class Hook {
  readonly options: AppendFileOptions;
  #writer: SegmentWriter | null = null;

  constructor(options: SegmentWriterOptions) {
    const { onRefused } = options;
    this.options = {
      ...options,
      onGroup: () => this.#writer?.beforeGroup(),
      onRefused: (length, refusal) => {
        this.#writer?.refused();
        onRefused?.(length, refusal);
      },
    };
  }

  join(writer: SegmentWriter): SegmentWriter {
    this.#writer = writer;
    return writer;
  }
}

/**
 * What is appended next, framed for its place: a watermark, a payload, or a payload behind a
 * watermark. One object for all appends of a file.
 */
class FramedSource implements AppendSource {
  length = 0;
  #appendsOffset = 0;
  #next = 0;
  #payload: SequencedPayload | null = null;
  #sequence = 0;
  readonly #inner: LogPayload & { length: number };

  constructor() {
    this.#inner = {
      length: 0,
      putInto: (target, offset) => this.#payload?.putInto(target, offset, this.#sequence),
    };
  }

  watermark(fileOffset: number, next: number): void {
    this.#appendsOffset = fileOffset;
    this.#next = next;
    this.#payload = null;
    this.length = watermarkLength(fileOffset);
  }

  /** `next` is 0 for no watermark before it. */
  record(fileOffset: number, payload: SequencedPayload, sequence: number, next: number): void {
    this.#appendsOffset = fileOffset;
    this.#next = next;
    this.#payload = payload;
    this.#sequence = sequence;
    this.#inner.length = payload.length;
    const before = next > 0 ? watermarkLength(fileOffset) : 0;
    this.length = before + framedLength(fileOffset + before, payload.length);
  }

  putInto(target: Uint8Array, offset: number): void {
    let place = offset;
    if (this.#next > 0) place = putWatermark(target, place, this.#appendsOffset, this.#next);
    if (this.#payload === null) return;
    const fileOffset = this.#appendsOffset + (place - offset);
    const end = putFramed(target, place, fileOffset, this.#inner);
    if (looksLikeWatermark(target, place + LOG_HEADER_BYTES, end))
      return this.#putCut(target, offset, place);
    assert(end === offset + this.length, 'a record takes the bytes that were counted for it');
  }

  /** A record that holds the bytes of a watermark is cut there, which may take more room. */
  #putCut(target: Uint8Array, offset: number, place: number): void {
    const data = new Uint8Array(this.#inner.length);
    this.#inner.putInto(data, 0);
    const cuts = cutsOf(data, 0, data.length);
    const fileOffset = this.#appendsOffset + (place - offset);
    this.length = place - offset + cutLength(fileOffset, data.length, cuts);
    if (offset + this.length > target.length) return;
    const end = putCut(target, place, fileOffset, data, cuts);
    assert(end === offset + this.length, 'a cut record takes the bytes that were counted for it');
  }
}

function checkLength(length: number): void {
  if (length <= LOG_RECORD_BYTES_MAX) return;
  const limit = `${LOG_RECORD_BYTES_MAX} bytes`;
  throw new HoldfastError('HOLDFAST_TOO_LARGE', `a record of ${length} bytes is over ${limit}`);
}
