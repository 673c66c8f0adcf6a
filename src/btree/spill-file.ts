/**
 * Old page versions that do not fit in memory. The file is a scratch place of one open store: it is
 * removed when the store is opened and closed, and nothing in it has to last, so that nothing here
 * is ever synced.
 */

import { assert } from '../base/assert.ts';
import { CorruptionError } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';
import { readFully, readFullySync, writeFully, writeFullySync } from '../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { pageFault, sealPage } from './page-format.ts';

export class SpillFile {
  readonly #vfs: Vfs;
  readonly #path: string;
  readonly #pageBytes: number;
  #file: VfsFile | null = null;
  #slots = 0;
  readonly #free: number[] = [];

  constructor(vfs: Vfs, path: string, pageBytes: number) {
    this.#vfs = vfs;
    this.#path = path;
    this.#pageBytes = pageBytes;
  }

  /** Bytes of the file. */
  get bytes(): number {
    return this.#slots * this.#pageBytes;
  }

  /** Puts a page somewhere, sealed. Resolves to the place. */
  async write(page: Uint8Array): Promise<number> {
    sealPage(page);
    const file = this.#file ?? (await this.#open());
    const slot = this.#takeSlot();
    try {
      await writeFully(file, page, slot * this.#pageBytes);
    } catch (error) {
      this.free(slot);
      throw error;
    }
    return slot;
  }

  writeSync(page: Uint8Array): number {
    sealPage(page);
    this.#file ??= this.#vfs.openSync(this.#path, OPTIONS);
    const slot = this.#takeSlot();
    try {
      writeFullySync(this.#file, page, slot * this.#pageBytes);
    } catch (error) {
      this.free(slot);
      throw error;
    }
    return slot;
  }

  /** Reads the page of a number from its place. @throws HOLDFAST_CORRUPTION */
  async read(slot: number, page: Uint8Array, number: number): Promise<void> {
    assert(this.#file !== null, 'what is read was written');
    const count = await readFully(this.#file, page, slot * this.#pageBytes);
    this.#check(slot, page, number, count);
  }

  /** As `read`, on the calling thread. */
  readSync(slot: number, page: Uint8Array, number: number): void {
    assert(this.#file !== null, 'what is read was written');
    const count = readFullySync(this.#file, page, slot * this.#pageBytes);
    this.#check(slot, page, number, count);
  }

  /** Lets the page at a place go. */
  free(slot: number): void {
    this.#free.push(slot);
  }

  /** Closes and removes the file. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
    await this.remove();
  }

  /** Removes what a store that was not closed has left. */
  async remove(): Promise<void> {
    try {
      await this.#vfs.unlink(this.#path);
    } catch (error) {
      // Most stores never spill.
      if (errorCode(error) !== 'ENOENT') throw error;
    }
  }

  async #open(): Promise<VfsFile> {
    const opened = await this.#vfs.open(this.#path, OPTIONS);
    if (this.#file === null) {
      this.#file = opened;
      return opened;
    }
    // A synchronous call has opened it meanwhile, and written to it.
    await opened.close();
    return this.#file;
  }

  #check(slot: number, page: Uint8Array, number: number, count: number): void {
    const fault =
      count < page.length
        ? { expected: `page ${number} as it was`, found: `${count} bytes to the end of the file` }
        : pageFault(page, number);
    if (fault === null) return;
    throw new CorruptionError({ path: this.#path, offset: slot * this.#pageBytes, ...fault });
  }

  #takeSlot(): number {
    return this.#free.pop() ?? this.#slots++;
  }
}

/** Not cut at opening: two may open it at the same moment. `remove` has come before. */
const OPTIONS = { read: true, write: true, create: true, noFollow: true };
