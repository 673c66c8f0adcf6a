/**
 * The logical records of a log that is in memory as a whole, such as a manifest. Files of any
 * length are read with `segment-reader`.
 */

import { assert } from '../base/assert.ts';
import { LogParser } from './log-parser.ts';
import type { LogEnd } from './log-parser.ts';

/** One logical record and where it stands. */
export interface LoggedRecord {
  /** A view on what was read, or a copy where the record was in pieces. */
  readonly data: Uint8Array;
  /** Byte position in the file of its first header. */
  readonly offset: number;
  /** Byte position in the file behind it. */
  readonly endOffset: number;
}

/** Yields the records of a whole log file and returns why there are no more. */
export function* logRecords(bytes: Uint8Array): Generator<LoggedRecord, LogEnd, undefined> {
  const parser = new LogParser();
  parser.feed(bytes, true);
  while (parser.next() === 'record') {
    const data = parser.bytes.subarray(parser.start, parser.stop);
    yield { data, offset: parser.offset, endOffset: parser.endOffset };
  }
  const { end } = parser;
  assert(end !== null, 'a final chunk has an end');
  return end;
}
