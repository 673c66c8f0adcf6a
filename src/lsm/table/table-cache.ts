/**
 * Open tables, bounded in number and in bytes of indexes and filters. A table that is in use stays
 * open however many there are. Not here: which tables count (`version`).
 */

import { join } from 'node:path';

import { assert } from '../../base/assert.ts';
import { ReadSpeed } from '../../base/read-speed.ts';
import { runLater, runNow } from '../../durable/two-forms.ts';
import { errorCode } from '../../vfs/errno.ts';
import type { Vfs } from '../../vfs/vfs.ts';
import { oldTableName, tableName } from '../lsm-files.ts';
import { BlockCache } from './block-cache.ts';
import type { Block } from './block.ts';
import { openTable } from './table.ts';
import type { Table } from './table.ts';

/** Bounds of the cache. */
export interface TableCacheBounds {
  readonly tablesMax: number;
  /** Bytes of indexes and filters. */
  readonly indexBytesMax: number;
  /** Bytes of data blocks. */
  readonly blockBytesMax: number;
}

/** What identifies a table: its number in the directory and the length it must have. */
export interface TableRef {
  readonly number: number;
  readonly length: number;
}

/** The cache of one directory. */
export class TableCache {
  readonly #vfs: Vfs;
  readonly #directory: string;
  readonly #bounds: TableCacheBounds;
  /** Least recently opened first. */
  readonly #tables = new Map<number, Table>();
  readonly #opening = new Map<number, Promise<Table>>();
  readonly #blocks: BlockCache;
  /** Calls that must not lose their table: nothing is closed while there are any. */
  #users = 0;
  #indexBytes = 0;

  readonly #speed: ReadSpeed;

  /** `speed` says when blocks may be read on the calling thread by calls that answer later. */
  constructor(
    vfs: Vfs,
    directory: string,
    bounds: TableCacheBounds,
    speed: ReadSpeed = new ReadSpeed(null),
  ) {
    this.#speed = speed;
    this.#vfs = vfs;
    this.#directory = directory;
    this.#bounds = bounds;
    this.#blocks = new BlockCache(bounds.blockBytesMax);
  }

  /** Bytes of memory, about. */
  get memoryBytes(): number {
    return this.#indexBytes + this.#blocks.bytes;
  }

  /** Whether reads on the calling thread can be expected not to wait for a device. */
  get isReadyForCalling(): boolean {
    return this.#speed.isFast;
  }

  /** The open table; null when it must be opened first. */
  peek(ref: TableRef): Table | null {
    return this.#tables.get(ref.number) ?? null;
  }

  /** Opens a table where it is not open. */
  async open(ref: TableRef): Promise<Table> {
    const known = this.#tables.get(ref.number) ?? this.#opening.get(ref.number);
    if (known !== undefined) return known;
    const opening = this.#openNew(ref).finally(() => this.#opening.delete(ref.number));
    this.#opening.set(ref.number, opening);
    return opening;
  }

  /** As `open`, on the calling thread. */
  openSync(ref: TableRef): Table {
    const known = this.#tables.get(ref.number);
    if (known !== undefined) return known;
    try {
      return this.#keep(ref, runNow(openTable(this.#vfs, this.#path(ref, false), ref.length)));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      return this.#keep(ref, runNow(openTable(this.#vfs, this.#path(ref, true), ref.length)));
    }
  }

  /** A block of a table, by its number, that is in memory. */
  peekBlock(table: Table, place: number): Block | null {
    return this.#blocks.get(table.layout.blocks, place);
  }

  /** Reads a block. It is kept; with `makeRoom` even where others must go for it. */
  async readBlock(table: Table, place: number, makeRoom: boolean): Promise<Block> {
    this.#speed.noteLater();
    const block = await table.readBlock(table.layout.handle(place));
    // A table that was closed meanwhile has nothing in memory any more.
    if (!table.isClosed) this.#blocks.put(table.layout.blocks, place, block, makeRoom);
    return block;
  }

  /** As `readBlock`, on the calling thread. */
  readBlockSync(table: Table, place: number, makeRoom: boolean): Block {
    const startMs = this.#speed.begin();
    const block = table.readBlockSync(table.layout.handle(place));
    this.#speed.end(startMs);
    this.#blocks.put(table.layout.blocks, place, block, makeRoom);
    return block;
  }

  /** Between this and `leave`, no table is closed. */
  enter(): void {
    this.#users++;
  }

  leave(): void {
    assert(this.#users > 0, 'who leaves has entered');
    this.#users--;
    this.#trim();
  }

  /** Forgets a table that is to be removed. REQUIRES: nobody reads it. */
  async forget(number: number): Promise<void> {
    await this.#take(number)?.close();
  }

  /** As `forget`, on the calling thread. */
  forgetSync(number: number): void {
    this.#take(number)?.closeSync();
  }

  #take(number: number): Table | undefined {
    const table = this.#tables.get(number);
    if (table === undefined) return undefined;
    this.#tables.delete(number);
    this.#indexBytes -= table.memoryBytes;
    this.#dropBlocks(table);
    return table;
  }

  /** Closes all. REQUIRES: nobody reads any more. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#opening.values());
    const tables = [...this.#tables.values()];
    this.#tables.clear();
    this.#blocks.clear();
    this.#indexBytes = 0;
    // What a close of a file that was only read could say is nobody's loss.
    await Promise.allSettled(tables.map((table) => table.close()));
  }

  /** As `close`, on the calling thread. REQUIRES: no table is being opened. */
  closeSync(): void {
    for (const table of this.#tables.values()) table.closeSync();
    this.#tables.clear();
    this.#blocks.clear();
    this.#indexBytes = 0;
  }

  async #openNew(ref: TableRef): Promise<Table> {
    try {
      const steps = openTable(this.#vfs, this.#path(ref, false), ref.length);
      return this.#keep(ref, await runLater(steps));
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error;
      const steps = openTable(this.#vfs, this.#path(ref, true), ref.length);
      return this.#keep(ref, await runLater(steps));
    }
  }

  #keep(ref: TableRef, table: Table): Table {
    const other = this.#tables.get(ref.number);
    if (other !== undefined) {
      // A synchronous call opened it meanwhile.
      table.closeSync();
      return other;
    }
    this.#tables.set(ref.number, table);
    this.#indexBytes += table.memoryBytes;
    return table;
  }

  /** Closes what is over the bounds, the oldest first. */
  #trim(): void {
    const { tablesMax, indexBytesMax } = this.#bounds;
    if (this.#users > 0) return;
    for (const [number, table] of this.#tables) {
      if (this.#tables.size <= tablesMax && this.#indexBytes <= indexBytesMax) return;
      this.#tables.delete(number);
      this.#indexBytes -= table.memoryBytes;
      this.#dropBlocks(table);
      table.closeSync();
    }
  }

  #dropBlocks({ knownLayout }: Table): void {
    if (knownLayout !== null) this.#blocks.drop(knownLayout.blocks);
  }

  #path(ref: TableRef, old: boolean): string {
    return join(this.#directory, old ? oldTableName(ref.number) : tableName(ref.number));
  }
}
