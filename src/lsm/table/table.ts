/**
 * A table file that is open for reading: its index and filter in memory, its data blocks read on
 * demand, each checked when it is read. Not here: which tables are kept open (`table-cache`) and
 * which blocks (`block-cache`).
 */

import { CorruptionError } from '../../base/errors.ts';
import { call } from '../../durable/two-forms.ts';
import type { TwoFormSteps } from '../../durable/two-forms.ts';
import { readFully, readFullySync } from '../../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../../vfs/vfs.ts';
import { BLOOM_FILTER_NAME } from './bloom-filter.ts';
import { BlockCursor } from './block-cursor.ts';
import { Block } from './block.ts';
import { FilterBlock } from './filter-block.ts';
import { readMetaIndex } from './meta-index.ts';
import {
  BLOCK_TRAILER_BYTES,
  checkHandle,
  damageOf,
  decodeFooter,
  decodeHandle,
  FOOTER_BYTES,
  openBlock,
} from './table-format.ts';
import type { BlockHandle } from './table-format.ts';
import { TableLayout } from './table-layout.ts';

/** An index takes about so many times its size: as it was read, and decoded. */
const LAYOUT_FACTOR = 4;

/** An open table. Whoever opened it closes it, when nobody reads any more. */
export class Table {
  readonly path: string;
  /** Bytes of the file. */
  readonly length: number;
  readonly index: Block;
  readonly filter: FilterBlock | null;
  readonly #file: VfsFile;
  #layout: TableLayout | null = null;
  #isClosed = false;

  constructor(file: VfsFile, length: number, index: Block, filter: FilterBlock | null) {
    this.#file = file;
    this.path = file.path;
    this.length = length;
    this.index = index;
    this.filter = filter;
  }

  /** Bytes of memory that the open table takes, its layout included. */
  get memoryBytes(): number {
    return LAYOUT_FACTOR * this.index.bytes.length + (this.filter?.length ?? 0);
  }

  /** The index, decoded. @throws HOLDFAST_CORRUPTION */
  get layout(): TableLayout {
    this.#layout ??= new TableLayout(this.index, this.filter, (cursor) => this.handleAt(cursor));
    return this.#layout;
  }

  /** The layout where somebody has asked for it. */
  get knownLayout(): TableLayout | null {
    return this.#layout;
  }

  /** The data block of the index entry under the cursor. @throws HOLDFAST_CORRUPTION */
  handleAt(cursor: BlockCursor): BlockHandle {
    const { block, valueStart, valueEnd } = cursor;
    try {
      const handle = decodeHandle(block.bytes, valueStart, valueEnd);
      checkHandle(handle, this.path, this.length);
      return handle;
    } catch (error) {
      throw damageOf(error, this.path, block.offset);
    }
  }

  /** Reads a block. @throws HOLDFAST_CORRUPTION; the operating system's error */
  async readBlock(handle: BlockHandle): Promise<Block> {
    const stored = newStored(handle);
    const count = await readFully(this.#file, stored, handle.offset);
    return toBlock(stored, count, handle, this.path);
  }

  /** As `readBlock`, on the calling thread. */
  readBlockSync(handle: BlockHandle): Block {
    const stored = newStored(handle);
    const count = readFullySync(this.#file, stored, handle.offset);
    return toBlock(stored, count, handle, this.path);
  }

  /** Whether nothing can be read any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    return this.#file.close();
  }

  closeSync(): void {
    this.#isClosed = true;
    this.#file.closeSync();
  }
}

/**
 * Opens a table of a known length: footer, index and filter are read and checked.
 * @throws HOLDFAST_CORRUPTION, also where the file has another length; the operating system's error
 */
export function* openTable(vfs: Vfs, path: string, length: number): TwoFormSteps<Table> {
  const options = { read: true };
  const file = yield* call(
    () => vfs.openSync(path, options),
    () => vfs.open(path, options),
  );
  try {
    const { size } = yield* call(
      () => file.statSync(),
      () => file.stat(),
    );
    if (size !== length || size < FOOTER_BYTES) throw wrongLength(path, length, size);
    return yield* readTable(file, length);
  } catch (error) {
    yield* call(
      () => file.closeSync(),
      () => file.close(),
    );
    throw error;
  }
}

function* readTable(file: VfsFile, length: number): TwoFormSteps<Table> {
  const { path } = file;
  const start = length - FOOTER_BYTES;
  const footer = new Uint8Array(FOOTER_BYTES);
  yield* readRange(file, footer, start);
  const { metaIndex, index } = decodeFooter(footer, path, length);
  const indexBlock = yield* readStored(file, index);
  const meta = readMetaIndex(yield* readStored(file, metaIndex));
  const filterHandle = meta.get(`filter.${BLOOM_FILTER_NAME}`);
  if (filterHandle === undefined) return new Table(file, length, indexBlock, null);
  checkHandle(filterHandle, path, length);
  const filter = yield* readStored(file, filterHandle, false);
  return new Table(file, length, indexBlock, new FilterBlock(filter.bytes));
}

function readStored(file: VfsFile, handle: BlockHandle): TwoFormSteps<Block>;
function readStored(
  file: VfsFile,
  handle: BlockHandle,
  hasEntries: false,
): TwoFormSteps<{ readonly bytes: Uint8Array }>;
function* readStored(
  file: VfsFile,
  handle: BlockHandle,
  hasEntries: boolean = true,
): TwoFormSteps<Block | { readonly bytes: Uint8Array }> {
  const stored = newStored(handle);
  yield* readRange(file, stored, handle.offset);
  const bytes = openBlock(stored, handle.length, file.path, handle.offset);
  return hasEntries ? new Block(bytes, file.path, handle.offset) : { bytes };
}

function* readRange(file: VfsFile, buffer: Uint8Array, offset: number): TwoFormSteps<void> {
  const count = yield* call(
    () => readFullySync(file, buffer, offset),
    () => readFully(file, buffer, offset),
  );
  if (count < buffer.length) throw cutShort(file.path, offset, buffer.length, count);
}

function newStored(handle: BlockHandle): Uint8Array {
  return new Uint8Array(handle.length + BLOCK_TRAILER_BYTES);
}

function toBlock(stored: Uint8Array, count: number, handle: BlockHandle, path: string): Block {
  const { offset, length } = handle;
  if (count < stored.length) throw cutShort(path, offset, stored.length, count);
  const bytes = openBlock(stored, length, path, offset);
  return new Block(bytes, path, offset);
}

function cutShort(path: string, offset: number, asked: number, count: number): CorruptionError {
  const found = `${count} to the end of the file`;
  return new CorruptionError({ path, offset, expected: `${asked} bytes`, found });
}

function wrongLength(path: string, length: number, size: number): CorruptionError {
  const expected = `a table of ${length} bytes`;
  return new CorruptionError({ path, offset: Math.min(size, length), expected, found: `${size}` });
}
