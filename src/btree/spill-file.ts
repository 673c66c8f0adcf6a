/**
 * Old page versions that do not fit in memory. The file is a scratch place of one open store: it is
 * removed when the store is opened and closed, and nothing in it has to last, so that nothing here
 * is ever synced.
 */

import { assert } from '../base/assert.ts';
import { errorCode } from '../vfs/errno.ts';
import { readFully, readFullySync, writeFully, writeFullySync } from '../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';

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

  /** Puts a page somewhere. Resolves to the place. */
  async write(page: Uint8Array): Promise<number> {
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

  async read(slot: number, page: Uint8Array): Promise<void> {
    assert(this.#file !== null, 'what is read was written');
    const count = await readFully(this.#file, page, slot * this.#pageBytes);
    assert(count === page.length, 'a page that was written can be read');
  }

  readSync(slot: number, page: Uint8Array): void {
    assert(this.#file !== null, 'what is read was written');
    const count = readFullySync(this.#file, page, slot * this.#pageBytes);
    assert(count === page.length, 'a page that was written can be read');
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

  #takeSlot(): number {
    return this.#free.pop() ?? this.#slots++;
  }
}

/** Not cut at opening: two may open it at the same moment. `remove` has come before. */
const OPTIONS = { read: true, write: true, create: true, noFollow: true };
