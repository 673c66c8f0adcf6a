/**
 * Reads the log of one thread back, record by record, without holding more than one of them. The last record of
 * a thread that was killed may be cut: it is left out, for its call had not been told to anybody.
 */

import fs from 'node:fs';

import { assert } from '../../base/assert.ts';
import type { RawRecord } from './raw-log.ts';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export class RawLogReader {
  readonly #fd: number;
  #buffer: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(path: string) {
    this.#fd = fs.openSync(path, 'r');
  }

  /** The next record with its call's data in place, or null at the end. */
  next(): RawRecord | null {
    let newline = this.#buffer.indexOf(NEWLINE);
    while (newline < 0) {
      const searched = this.#buffer.byteLength;
      if (!this.#fill(CHUNK_BYTES)) return null;
      newline = this.#buffer.indexOf(NEWLINE, searched);
    }
    const record = JSON.parse(this.#buffer.toString('utf8', 0, newline)) as RawRecord;
    let used = newline + 1;
    if (record.kind !== 'start' && record.kind !== 'run') {
      this.#buffer = this.#buffer.subarray(used);
      return record;
    }
    const length = record.bytes ?? 0;
    while (this.#buffer.byteLength < used + length) {
      if (!this.#fill(used + length - this.#buffer.byteLength)) return null;
    }
    const data = Uint8Array.from(this.#buffer.subarray(used, used + length));
    used += length;
    this.#buffer = this.#buffer.subarray(used);
    if (record.call.call !== 'write') return record;
    return { ...record, call: { ...record.call, data } };
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  /** Reads at least one byte more; false at the end of the file. */
  #fill(wanted: number): boolean {
    if (this.#ended) return false;
    const chunk = Buffer.allocUnsafe(Math.max(wanted, CHUNK_BYTES));
    const count = fs.readSync(this.#fd, chunk, 0, chunk.byteLength, null);
    assert(count >= 0, 'a read gives a count');
    this.#ended = count === 0;
    this.#buffer = Buffer.concat([this.#buffer, chunk.subarray(0, count)]);
    return count > 0;
  }
}
