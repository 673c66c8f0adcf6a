/**
 * Reads the batches of one log file in order, from chunks that its owner feeds, and stops at the
 * first thing that cannot be what was written there. What that means (a torn write, damage) is
 * for those who know what was durable.
 *
 * 1. A log of ours begins with two equal watermarks, which name its first sequence number.
 * 2. In it a record counts only if its number is exactly the next one.
 * 3. In it a watermark says that everything below its number was durable. Numbers of watermarks
 *    never go back, and never beyond the records before them.
 * 4. Other logs (LevelDB's): numbers only rise, and watermarks are read over.
 */

import { assert } from '../base/assert.ts';
import { DecodeError } from '../base/byte-reader.ts';
import { BatchDecoder, view } from './batch-decoder.ts';
import { BATCH_TAG } from './batch-format.ts';
import type { LogOperation } from './batch-format.ts';
import { LogParser } from './log-parser.ts';
import type { CheckpointEntry, WalEntry } from './wal-entry.ts';
import { WATERMARKS_AT_START } from './watermark.ts';

/** Which logs are taken: ours only, or any. */
export type CursorMode = 'ours' | 'any';

/** A place behind a record or watermark of one of our logs. */
export interface CursorPlace {
  readonly offset: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly watermark: number;
}

/** Why a file cannot be read on. */
export interface SegmentProblem {
  /** Byte position behind the last good record. */
  readonly offset: number;
  /** The place of what is wrong. */
  readonly at: number;
  readonly expected: string;
  readonly found: string;
  /**
   * True when no crash explains it: a watermark of this very place says that records are missing.
   */
  readonly certain: boolean;
}

export class SegmentCursor {
  /** The number of the first operation; 0 until it is known. */
  firstSequence = 0;
  /** The number of the last operation so far. */
  lastSequence = 0;
  /** The highest number that a watermark calls durable. */
  watermark = 0;
  /** Records so far, batches counted once. */
  records = 0;
  /** Whether the log begins with two watermarks. */
  ours = false;
  /** The record that `next(true)` has found. */
  entry: WalEntry | null = null;
  /** Byte positions: where the record begins, behind it, and behind it or the last watermark. */
  recordOffset = 0;
  recordEnd = 0;
  endOffset = 0;
  /** Set when the file cannot be read on; null at its proper end. */
  problem: SegmentProblem | null = null;
  /** What the last checkpoint holds. */
  checkpoint: CheckpointEntry | null = null;

  readonly #parser: LogParser;
  readonly #decoder = new BatchDecoder();
  readonly #mode: CursorMode;
  /** Logical records so far, watermarks included. */
  #count = 0;

  /** Reads from the beginning, or goes on from a place inside one of our logs. */
  constructor(mode: CursorMode, from: CursorPlace | null = null) {
    this.#mode = mode;
    this.#parser = new LogParser(from?.offset ?? 0);
    if (from === null) return;
    this.ours = true;
    this.#count = WATERMARKS_AT_START;
    this.firstSequence = from.firstSequence;
    this.lastSequence = from.lastSequence;
    this.watermark = from.watermark;
    this.endOffset = from.offset;
  }

  /** Where another cursor may go on. */
  get place(): CursorPlace {
    const { endOffset: offset, firstSequence, lastSequence, watermark } = this;
    return { offset, firstSequence, lastSequence, watermark };
  }

  /** Byte position of the next chunk. */
  get feedOffset(): number {
    return this.#parser.feedOffset;
  }

  /** As `LogParser.feed`. */
  feed(chunk: Uint8Array, final: boolean): void {
    this.#parser.feed(chunk, final);
  }

  /** The bytes of the record that was found, without framing; for who copies records. */
  get data(): { readonly bytes: Uint8Array; readonly start: number; readonly stop: number } {
    return this.#parser;
  }

  /** Goes to the next record, past watermarks. With `build`, `entry` holds it. */
  next(build: boolean): 'record' | 'more' | 'end' {
    if (this.problem !== null) return 'end';
    const parser = this.#parser;
    const decoder = this.#decoder;
    for (;;) {
      const step = parser.next();
      if (step === 'more') return step;
      if (step === 'end') return this.#ended();
      this.#count++;
      try {
        decoder.begin(parser.bytes, parser.start, parser.stop);
        if (decoder.count === 0) {
          if (decoder.next() || !this.#takeWatermark(decoder.sequence - 1)) return 'end';
          this.endOffset = parser.endOffset;
          continue;
        }
        if (!this.#takeSequence(decoder.sequence)) return 'end';
        this.#takeOperations(build);
      } catch (error) {
        // A batch that is none is a finding; anything else is a bug.
        if (!(error instanceof DecodeError)) throw error;
        return this.#fails(error.expected, error.found);
      }
      this.lastSequence = decoder.sequence + decoder.count - 1;
      this.records++;
      this.recordOffset = parser.offset;
      this.recordEnd = parser.endOffset;
      this.endOffset = parser.endOffset;
      return 'record';
    }
  }

  #ended(): 'end' {
    const end = this.#parser.end;
    assert(end !== null, 'a parser that has ended says how');
    if (end.kind === 'damage') {
      const { at, expected, found } = end;
      this.problem = { offset: this.endOffset, at, expected, found, certain: false };
    } else if (this.#mode === 'ours' && this.#count < WATERMARKS_AT_START) {
      return this.#fails('two watermarks', 'the end', end.offset);
    }
    return 'end';
  }

  /** Rules 1 and 3. False when it is a problem. */
  #takeWatermark(durable: number): boolean {
    if (this.#count === 1) {
      this.watermark = durable;
      return true;
    }
    if (this.#count === 2 && this.records === 0 && durable === this.watermark) {
      this.ours = true;
      this.firstSequence = durable + 1;
      this.lastSequence = durable;
      return true;
    }
    if (!this.ours) {
      if (this.#mode === 'any') return true;
      this.#fails('two equal watermarks', 'two that differ');
      return false;
    }
    if (durable < this.watermark) {
      this.#fails(`a watermark of ${this.watermark + 1} or more`, `one of ${durable + 1}`);
      return false;
    }
    if (durable > this.lastSequence) {
      const found = `a watermark that says that ${durable} was durable`;
      this.#fails(`record ${this.lastSequence + 1}`, found, this.#parser.offset, true);
      return false;
    }
    this.watermark = durable;
    return true;
  }

  /** Rules 2 and 4. False when it is a problem. */
  #takeSequence(sequence: number): boolean {
    if (this.ours) {
      if (sequence === this.lastSequence + 1) return true;
      this.#fails(`record ${this.lastSequence + 1}`, `record ${sequence}`);
      return false;
    }
    if (this.#mode === 'ours') {
      this.#fails('two watermarks', 'a record');
      return false;
    }
    if (sequence <= this.lastSequence) {
      this.#fails(`a record above ${this.lastSequence}`, `record ${sequence}`);
      return false;
    }
    if (this.firstSequence === 0) this.firstSequence = sequence;
    return true;
  }

  /** Reads all operations, so that none is believed of a batch that is damaged. */
  #takeOperations(build: boolean): void {
    const decoder = this.#decoder;
    const { bytes } = this.#parser;
    const { sequence, count } = decoder;
    this.entry = null;
    if (count === 1) {
      decoder.next();
      if (decoder.tag === BATCH_TAG.checkpoint) {
        const data = view(bytes, decoder.keyStart, decoder.keyStop).slice();
        this.checkpoint = { kind: 'checkpoint', sequence, upTo: decoder.upTo, bytes: data };
        if (build) this.entry = this.checkpoint;
      } else if (build) {
        this.entry = this.#single(bytes, sequence);
      }
      decoder.next();
      return;
    }
    const operations: LogOperation[] = [];
    while (decoder.next()) {
      if (decoder.tag === BATCH_TAG.checkpoint) {
        throw new DecodeError(decoder.keyStart, 'a checkpoint by itself', 'one in a batch');
      }
      if (build) operations.push(decoder.operation() as LogOperation);
    }
    if (build) this.entry = { kind: 'batch', sequence: sequence + count - 1, operations };
  }

  #single(bytes: Uint8Array, sequence: number): WalEntry {
    const { tag, keyStart, keyStop, valueStart, valueStop } = this.#decoder;
    const key = view(bytes, keyStart, keyStop);
    if (tag === BATCH_TAG.bytes) return { kind: 'bytes', sequence, bytes: key };
    if (tag === BATCH_TAG.delete) return { kind: 'delete', sequence, key };
    return { kind: 'put', sequence, key, value: view(bytes, valueStart, valueStop) };
  }

  #fails(
    expected: string,
    found: string,
    at: number = this.#parser.offset,
    certain = false,
  ): 'end' {
    this.problem = { offset: this.endOffset, at, expected, found, certain };
    return 'end';
  }
}
