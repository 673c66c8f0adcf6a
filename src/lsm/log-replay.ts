/**
 * Reads a log of write batches back, and judges its end. Not here: what is done with the batches.
 *
 * 1. In a log of Holdfast's (its manifest says so), a record counts only when its sequence number is
 *    exactly the next one, and the first record is a watermark of it. What follows the first that
 *    is not may be an older log's.
 * 2. Behind the last record that counts, a watermark above everything that was read says that the
 *    place had been durable: it is damaged, and the error says so. Older logs' watermarks are never
 *    above it: what they vouched for was recovered before this log began.
 * 3. Without such a watermark it is a torn write: it is cut, and reported.
 *
 * In a log of LevelDB's there are no watermarks: rule 3 only.
 */

import { DecodeError } from '../base/byte-reader.ts';
import { CorruptionError } from '../base/errors.ts';
import { BATCH_TAG } from '../wal/batch-format.ts';
import { BatchDecoder } from '../wal/batch-decoder.ts';
import { LOG_BLOCK_BYTES } from '../wal/log-format.ts';
import { LogParser } from '../wal/log-parser.ts';
import { damageOf } from './table/table-format.ts';

/** Takes operations in order. */
export interface ReplaySink {
  put(
    sequence: number,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueStart: number,
    valueEnd: number,
  ): void;
  delete(sequence: number, bytes: Uint8Array, keyStart: number, keyEnd: number): void;
}

/** What a log held. */
export interface ReplayResult {
  /** The sequence number after the last operation; the one given where there was none. */
  readonly nextSequence: number;
  readonly batches: number;
  /** Bytes of records that counted. */
  readonly bytes: number;
  /** What was cut; null when the log ends as it should. */
  readonly torn: {
    readonly offset: number;
    readonly bytes: number;
    readonly reason: string;
  } | null;
  /** Whether a watermark at the end says that everything before is durable. */
  readonly isSealed: boolean;
}

/** A log as it was read, and what is known of it. */
export interface LogSource {
  readonly bytes: Uint8Array;
  readonly path: string;
  /** Whether Holdfast wrote it, and not LevelDB. */
  readonly isOurs: boolean;
  /** The number after everything that was recovered before this log. */
  readonly nextSequence: number;
}

/** Reads a log and shows its operations. @throws HOLDFAST_CORRUPTION */
export function replayLog(log: LogSource, sink: ReplaySink): ReplayResult {
  return new Replay(log, sink).run();
}

class Replay {
  readonly #bytes: Uint8Array;
  readonly #path: string;
  readonly #sink: ReplaySink;
  readonly #batch = new BatchDecoder();
  readonly #parser = new LogParser();
  #next: number;
  #batches = 0;
  readonly #isOurs: boolean;
  /** The sequence number of the last watermark; 0 before the first. */
  #sealedAt = 0;
  #end = 0;

  constructor(log: LogSource, sink: ReplaySink) {
    this.#bytes = log.bytes;
    this.#path = log.path;
    this.#isOurs = log.isOurs;
    this.#next = log.nextSequence;
    this.#sink = sink;
    this.#parser.feed(log.bytes, true);
  }

  run(): ReplayResult {
    const parser = this.#parser;
    let reason: string | null = null;
    while (reason === null && parser.next() === 'record') {
      reason = this.#record();
      if (reason === null) this.#end = parser.endOffset;
    }
    const { end } = parser;
    if (reason === null && end !== null && end.kind === 'damage') {
      reason = `expected ${end.expected}, found ${end.found}`;
    }
    if (reason !== null && this.#isOurs) this.#requireNothingVouchedFor(reason);
    const rest = this.#bytes.length - this.#end;
    return {
      nextSequence: this.#next,
      batches: this.#batches,
      bytes: this.#end,
      torn: reason === null ? null : { offset: this.#end, bytes: rest, reason },
      isSealed: this.#isOurs && reason === null && this.#sealedAt === this.#next,
    };
  }

  /** Takes one record; a text when it and what follows do not count. */
  #record(): string | null {
    const { bytes, start, stop, offset } = this.#parser;
    const batch = this.#batch;
    try {
      batch.begin(bytes, start, stop);
      if (batch.count === 0) {
        // LevelDB takes batches of nothing for what they are; so may a log of LevelDB's hold them.
        if (batch.next()) return 'operations where none were announced';
        if (!this.#isOurs) return null;
        if (this.#sealedAt === 0 && batch.sequence > this.#next) {
          throw this.#gap(batch.sequence, offset);
        }
        if (batch.sequence > this.#next || (this.#sealedAt === 0 && batch.sequence < this.#next)) {
          return `a watermark of ${batch.sequence} after ${this.#next - 1}`;
        }
        this.#sealedAt = batch.sequence;
        return null;
      }
      if (this.#isOurs && this.#sealedAt === 0) return 'no watermark at the beginning';
      if (this.#isOurs && batch.sequence !== this.#next) {
        return `sequence number ${batch.sequence} where ${this.#next} is next`;
      }
      this.#checkWhole(bytes, start, stop);
      this.#show(bytes, start, stop);
      return null;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // Its checksum is right: it was written so, by whoever wrote it.
      if (!this.#isOurs) throw damageOf(error, this.#path, offset);
      return error.message;
    }
  }

  /** A batch counts as a whole or not at all. */
  #checkWhole(bytes: Uint8Array, start: number, stop: number): void {
    const batch = this.#batch;
    while (batch.next()) {
      if (batch.tag === BATCH_TAG.put || batch.tag === BATCH_TAG.delete) continue;
      throw new DecodeError(start, 'a put or a delete', `an operation of kind ${batch.tag}`);
    }
    batch.begin(bytes, start, stop);
  }

  #show(bytes: Uint8Array, start: number, stop: number): void {
    const batch = this.#batch;
    batch.begin(bytes, start, stop);
    let { sequence } = batch;
    while (batch.next()) {
      const { keyStart, keyStop } = batch;
      if (batch.tag === BATCH_TAG.delete) {
        this.#sink.delete(sequence, bytes, keyStart, keyStop);
      } else {
        this.#sink.put(sequence, bytes, keyStart, keyStop, batch.valueStart, batch.valueStop);
      }
      sequence++;
    }
    this.#next = Math.max(this.#next, sequence);
    this.#batches++;
  }

  /** Rule 2. */
  #requireNothingVouchedFor(reason: string): void {
    const bytes = this.#bytes;
    const from = this.#end;
    for (let block = from - (from % LOG_BLOCK_BYTES); block < bytes.length;) {
      const stop = Math.min(block + LOG_BLOCK_BYTES, bytes.length);
      for (let at = Math.max(block, from); at + WATERMARK_BYTES <= stop; at++) {
        const sequence = watermarkAt(bytes, at);
        if (sequence === null || sequence <= this.#next) continue;
        throw new CorruptionError({
          path: this.#path,
          offset: from,
          expected:
            `records up to ${sequence - 1}, which the watermark at ${at} says were durable ` +
            `(repair the store to go on without them, or restore a copy)`,
          found: reason,
        });
      }
      block = stop;
    }
  }

  #gap(sequence: number, offset: number): CorruptionError {
    return new CorruptionError({
      path: this.#path,
      offset,
      expected: `a log that goes on at ${this.#next}`,
      found: `one that begins at ${sequence}: records are missing before it`,
    });
  }
}

/** Header, sequence number and count. */
const WATERMARK_BYTES = 19;

/** The sequence number of a watermark that stands at `at`; null when none does. */
function watermarkAt(bytes: Uint8Array, at: number): number | null {
  if (bytes[at + 6] !== 1 || bytes[at + 4] !== WATERMARK_BYTES - 7 || bytes[at + 5] !== 0) {
    return null;
  }
  const parser = new LogParser();
  parser.feed(bytes.subarray(at, at + WATERMARK_BYTES), true);
  if (parser.next() !== 'record') return null;
  const batch = new BatchDecoder();
  try {
    batch.begin(parser.bytes, parser.start, parser.stop);
  } catch (error) {
    if (error instanceof DecodeError) return null;
    throw error;
  }
  return batch.count === 0 ? batch.sequence : null;
}
