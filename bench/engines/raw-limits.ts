/** The bare system calls that bound any store on the same disk, in the same rounds. */

import * as fs from 'node:fs';
import { join } from 'node:path';

import { Prng } from '../../src/base/prng.ts';
import type { RawCall } from './tasks.ts';

/** One put of a 16-byte key and a 100-byte value, framed. */
const RECORD = Buffer.alloc(128, 7);
const GROUP = Buffer.alloc(64 * RECORD.length, 7);
const ZERO_FILLED_BYTES = 16 << 20;
const SEQUENTIAL = Buffer.alloc(1 << 20, 7);

/** The files of the bare loops, in one directory. */
export class RawLimits {
  readonly #appended: number;
  readonly #grouped: number;
  readonly #overwritten: number;
  readonly #directory: string;
  #appendedBytes = 0;
  #groupedBytes = 0;
  #place = 0;

  constructor(directory: string) {
    this.#directory = directory;
    this.#appended = fs.openSync(join(directory, 'raw-append'), 'w');
    this.#grouped = fs.openSync(join(directory, 'raw-group'), 'w');
    this.#overwritten = fs.openSync(join(directory, 'raw-overwrite'), 'w+');
    fs.writeSync(this.#overwritten, new Uint8Array(ZERO_FILLED_BYTES));
    fs.fsyncSync(this.#overwritten);
  }

  /** Makes a call `count` times; gives the operations done: entries, or bytes of bandwidth. */
  run(call: RawCall, count: number): number {
    if (call === 'bandwidth') return this.#bandwidth(count);
    const random = new Prng(count);
    for (let index = 0; index < count; index++) {
      if (call === 'append') this.#append();
      else if (call === 'overwrite') this.#overwrite();
      else if (call === 'group') this.#group();
      else this.#pread(random.below(ZERO_FILLED_BYTES / RECORD.length));
    }
    return call === 'group' ? count * 64 : count;
  }

  #append(): void {
    this.#appendedBytes += fs.writeSync(
      this.#appended,
      RECORD,
      0,
      RECORD.length,
      this.#appendedBytes,
    );
    fs.fdatasyncSync(this.#appended);
  }

  #group(): void {
    this.#groupedBytes += fs.writeSync(this.#grouped, GROUP, 0, GROUP.length, this.#groupedBytes);
    fs.fdatasyncSync(this.#grouped);
  }

  #overwrite(): void {
    if (this.#place + RECORD.length > ZERO_FILLED_BYTES) this.#place = 0;
    this.#place += fs.writeSync(this.#overwritten, RECORD, 0, RECORD.length, this.#place);
    fs.fdatasyncSync(this.#overwritten);
  }

  #pread(place: number): void {
    fs.readSync(this.#overwritten, RECORD, 0, RECORD.length, place * RECORD.length);
  }

  #bandwidth(count: number): number {
    const path = join(this.#directory, 'raw-bandwidth');
    const file = fs.openSync(path, 'w');
    for (let index = 0; index < count; index++) fs.writeSync(file, SEQUENTIAL);
    fs.fsyncSync(file);
    fs.closeSync(file);
    fs.unlinkSync(path);
    return count * SEQUENTIAL.length;
  }

  close(): void {
    for (const file of [this.#appended, this.#grouped, this.#overwritten]) fs.closeSync(file);
  }
}
