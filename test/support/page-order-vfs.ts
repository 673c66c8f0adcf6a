/**
 * Watches what protects pages of a B+tree from being torn: compares every write of a page with what is durable of the
 * doublewrite files, and every write of these with what is durable of the pages. A crash shows a write that comes too
 * early only where it tears a page that the log cannot make.
 */

import { nextTurn } from '../../src/base/clock.ts';
import { DOUBLE_NAMES, pagesInDouble } from '../../src/btree/double-write.ts';
import { pageNumber } from '../../src/btree/page-format.ts';
import { ForwardingVfs } from '../../src/vfs/forwarding-vfs.ts';
import { readWholeFileSync } from '../../src/vfs/transfer.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';

export const PAGE_BYTES = 4096;
export const PAGES = '/store/tree.pages';
const DOUBLES = DOUBLE_NAMES.map((name) => `/store/${name}`);

/** Calls that fail must not reach it: to it they have done what they say. */
export class PageOrderVfs extends ForwardingVfs {
  /** Pages written to their places, and what came too early. */
  pages = 0;
  readonly early: string[] = [];
  /** Pages of each doublewrite file as of its last sync. */
  readonly #durable = new Map<string, ReadonlyMap<number, Buffer>>();
  /** Pages in their places that no sync of the file covers. */
  readonly #unsynced = new Set<number>();

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    // Every call takes its time, so that commits come between the steps of a checkpoint.
    await nextTurn();
    return this.interceptSync(call, run);
  }

  override interceptSync<T>(call: VfsCall, run: (call: VfsCall) => T): T {
    const { name, path, transfer } = call;
    if (name === 'file.write' && path === PAGES && transfer !== undefined) {
      const { buffer, offset, length, position } = transfer;
      for (let at = 0; at < length; at += PAGE_BYTES) {
        const page = buffer.subarray(offset + at, offset + at + PAGE_BYTES);
        this.#toItsPlace((position + at) / PAGE_BYTES, page);
      }
    } else if (name === 'file.write' && DOUBLES.includes(path)) {
      for (const number of this.#durable.get(path)?.keys() ?? []) {
        if (this.#unsynced.has(number)) this.early.push(`a batch over that of page ${number}`);
      }
      this.#durable.delete(path);
    } else if (name === 'file.datasync' && path === PAGES) {
      this.#unsynced.clear();
    } else if (name === 'file.datasync' && DOUBLES.includes(path)) {
      this.#durable.set(path, doublePagesOf(this.inner, path));
    }
    return run(call);
  }

  #toItsPlace(number: number, page: Uint8Array): void {
    this.pages++;
    this.#unsynced.add(number);
    const doubles = [...this.#durable.values()].map((pages) => pages.get(number));
    if (!doubles.some((double) => double?.equals(page) === true)) this.early.push(`page ${number}`);
  }
}

/** The pages of a doublewrite file, whatever checkpoints there were. */
export function doublePagesOf(vfs: Vfs, path: string): ReadonlyMap<number, Buffer> {
  const bounds = { pageBytes: PAGE_BYTES, upTo: 0, lastSequence: Infinity };
  const pages = pagesInDouble(readWholeFileSync(vfs, path), path, bounds);
  return new Map(pages.map((page) => [pageNumber(page), Buffer.from(page)]));
}
