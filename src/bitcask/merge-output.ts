/**
 * Writes one merged file: entries one after the other through a buffer, then a sync. Until the
 * manifest names it, it is no part of the store.
 */

import { join } from 'node:path';

import { extendCrc32c } from '../base/crc32c.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { writeFully } from '../vfs/transfer.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import type { DataFile, FileTable } from './data-file.ts';
import {
  DELETE,
  MERGED_FILE,
  dataFileName,
  encodeFileHeader,
  entryLength,
  putEntry,
  sealEntry,
} from './entry-format.ts';
import type { EntryFields } from './entry-format.ts';
import { lengthCodeOf } from './key-location.ts';

const BUFFER_BYTES = 256 << 10;

export class MergeOutput {
  readonly data: DataFile;
  readonly #writing: VfsFile;
  readonly #number: number;
  #buffer: Uint8Array = new Uint8Array(BUFFER_BYTES);
  #filled = 0;
  #written = 0;

  private constructor(data: DataFile, writing: VfsFile) {
    this.data = data;
    this.#writing = writing;
    this.#number = data.number;
  }

  /** Makes the file. Its name is not durable yet. */
  static async create(
    dispatch: SyncDispatch,
    directory: string,
    files: FileTable,
    number: number,
  ): Promise<MergeOutput> {
    const path = join(directory, dataFileName(number));
    const options = { read: true, write: true, create: true, exclusive: true, noFollow: true };
    const file = await dispatch.vfs.open(path, options);
    const output = new MergeOutput(files.add(number, path, file, true, 0, false), file);
    const header = encodeFileHeader(MERGED_FILE, number);
    output.#buffer.set(header);
    output.#filled = header.length;
    return output;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#written + this.#filled;
  }

  /** Whether `flush` should be called before the next entry. */
  get isFull(): boolean {
    return this.#filled >= BUFFER_BYTES / 2;
  }

  /** Adds an entry; `undurable` is filled in here: everything is durable before it counts. */
  add(
    fields: Omit<EntryFields, 'undurable'>,
    bytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueEnd: number,
  ): void {
    const length = entryLength(keyEnd - keyStart, valueEnd - keyEnd, fields.expiry !== 0);
    const offset = this.length;
    const at = this.#filled;
    this.#makeRoom(length);
    const buffer = this.#buffer;
    const all = { ...fields, undurable: 0 };
    const end = putEntry(buffer, at, all, bytes, keyStart, keyEnd, bytes, keyEnd, valueEnd);
    sealEntry(buffer, at, end, this.#number, offset);
    this.#filled = end;
    const { data } = this;
    data.fingerprint = extendCrc32c(data.fingerprint, buffer, at, at + 4);
    data.entries++;
    const code = fields.kind === DELETE ? 0 : lengthCodeOf(length);
    if (fields.kind === DELETE) {
      data.keptDeletes++;
      data.keptBytes += length;
    }
    data.hint?.add(bytes, keyStart, keyEnd, offset, code, fields.expiry);
  }

  /** Hands what is buffered to the operating system. */
  async flush(): Promise<void> {
    const filled = this.#filled;
    await writeFully(this.#writing, this.#buffer, this.#written, 0, filled);
    this.#written += filled;
    this.#filled = 0;
  }

  /** On return all bytes are durable; the name is not. */
  async finish(dispatch: SyncDispatch): Promise<void> {
    await this.flush();
    await dispatch.bytes(this.#writing);
    this.data.length = this.#written;
    this.data.sealed = true;
    this.#buffer = new Uint8Array(0);
  }

  #makeRoom(length: number): void {
    if (this.#filled + length <= this.#buffer.length) return;
    const larger = new Uint8Array(Math.max(this.#filled + length, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#filled));
    this.#buffer = larger;
  }
}
