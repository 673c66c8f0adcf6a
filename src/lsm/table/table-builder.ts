/**
 * Makes the bytes of a table from entries in order. It hands out chunks to write and touches no
 * file: `table-writer` does, in either form.
 *
 * @see docs/formats/table.md
 */

import { assert } from '../../base/assert.ts';
import { compareInternal, separatorBetween, successorOf, TRAILER_BYTES } from '../internal-key.ts';
import { BLOOM_FILTER_NAME } from './bloom-filter.ts';
import { BlockBuilder, copyRange } from './block-builder.ts';
import { FilterBlockBuilder } from './filter-block.ts';
import { compressBlock } from './snappy-codec.ts';
import {
  BLOCK_TRAILER_BYTES,
  COMPRESSION_NONE,
  COMPRESSION_SNAPPY,
  encodeFooter,
  encodeHandle,
  putBlockTrailer,
} from './table-format.ts';
import type { BlockHandle } from './table-format.ts';

/** How a table is made. */
export interface TableFormatOptions {
  /** Bytes of entries at which a data block ends, before compression. */
  readonly blockBytes: number;
  /** Whether blocks are compressed where it saves an eighth. */
  readonly compression: boolean;
  /** Whether the table has a bloom filter. */
  readonly filter: boolean;
  /** Entries from one restart point of a data block to the next. */
  readonly restartInterval: number;
}

/** As LevelDB's defaults. */
export const DEFAULT_TABLE_FORMAT: TableFormatOptions = {
  blockBytes: 4096,
  compression: true,
  filter: true,
  restartInterval: 16,
};

/** Bytes that are kept to be written at once. */
const CHUNK_BYTES = 256 << 10;

/** Of blocks that are not worth compressing, every so many-th one is tried. */
const UNTRIED_MAX = 15;

/** One table. Take `chunk` whenever `isChunkReady`, and after `finish` until it is empty. */
export class TableBuilder {
  readonly #options: TableFormatOptions;
  readonly #data: BlockBuilder;
  readonly #index = new BlockBuilder(1);
  readonly #filter: FilterBlockBuilder | null;
  #chunk = new Uint8Array(CHUNK_BYTES + (64 << 10));
  #chunkLength = 0;
  /** Bytes of the file so far. */
  #length = 0;
  #entryCount = 0;
  #smallest: Uint8Array | null = null;
  #lastKey = new Uint8Array(256);
  #lastKeyLength = 0;
  /** Data blocks that are stored as they are, and how many after the next try in vain. */
  #untried = 0;
  #nextUntried = 1;
  /** A finished data block whose index entry waits for the next key. */
  #waiting: BlockHandle | null = null;

  constructor(options: TableFormatOptions = DEFAULT_TABLE_FORMAT) {
    this.#options = options;
    this.#data = new BlockBuilder(options.restartInterval, options.blockBytes + 4096);
    this.#filter = options.filter ? new FilterBlockBuilder() : null;
    this.#filter?.startBlock(0);
  }

  /** Bytes of the file so far, without the data block that is being filled. */
  get length(): number {
    return this.#length;
  }

  get entryCount(): number {
    return this.#entryCount;
  }

  /** The first key. REQUIRES: there is one. */
  get smallest(): Uint8Array {
    assert(this.#smallest !== null, 'a table has a first key');
    return this.#smallest;
  }

  /** The last key, copied. */
  get largest(): Uint8Array {
    return this.#lastKey.slice(0, this.#lastKeyLength);
  }

  /** Adds an entry. REQUIRES: its internal key comes after all before. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const last = this.#lastKey;
    assert(
      this.#entryCount === 0 ||
        compareInternal(last, 0, this.#lastKeyLength, key, keyStart, keyEnd) < 0,
      'keys of a table are in order',
    );
    if (this.#waiting !== null) {
      const next = key.subarray(keyStart, keyEnd);
      this.#addIndexEntry(separatorBetween(last.slice(0, this.#lastKeyLength), next));
    }
    this.#smallest ??= key.slice(keyStart, keyEnd);
    this.#filter?.add(key, keyStart, keyEnd - TRAILER_BYTES);
    this.#data.add(key, keyStart, keyEnd, value, valueStart, valueEnd);
    this.#remember(key, keyStart, keyEnd);
    this.#entryCount++;
    if (this.#data.lengthNow >= this.#options.blockBytes) this.#closeDataBlock();
  }

  /** Ends the table; nothing can be added. */
  finish(): void {
    this.#closeDataBlock();
    const metaIndex = new BlockBuilder(1);
    if (this.#filter !== null) {
      const handle = encodeHandle(this.#putStored(this.#filter.finish(), COMPRESSION_NONE));
      const name = new TextEncoder().encode(`filter.${BLOOM_FILTER_NAME}`);
      metaIndex.add(name, 0, name.length, handle, 0, handle.length);
    }
    const metaHandle = this.#putBlock(metaIndex);
    if (this.#waiting !== null) {
      this.#addIndexEntry(successorOf(this.#lastKey.slice(0, this.#lastKeyLength)));
    }
    const indexHandle = this.#putBlock(this.#index);
    const footer = encodeFooter(metaHandle, indexHandle);
    this.#reserve(footer.length);
    this.#chunkLength = copyRange(this.#chunk, this.#chunkLength, footer, 0, footer.length);
    this.#length += footer.length;
  }

  /** Whether enough is there to be written. */
  get isChunkReady(): boolean {
    return this.#chunkLength >= CHUNK_BYTES;
  }

  /** The bytes to write next, behind all chunks before. Valid until the builder's next call. */
  takeChunk(): Uint8Array {
    const chunk = this.#chunk.subarray(0, this.#chunkLength);
    this.#chunkLength = 0;
    return chunk;
  }

  #closeDataBlock(): void {
    if (this.#data.isEmpty) return;
    this.#waiting = this.#putDataBlock(this.#data);
    this.#data.reset();
    this.#filter?.startBlock(this.#length);
  }

  #addIndexEntry(key: Uint8Array): void {
    assert(this.#waiting !== null, 'an index entry is for a block');
    const handle = encodeHandle(this.#waiting);
    this.#index.add(key, 0, key.length, handle, 0, handle.length);
    this.#waiting = null;
  }

  /**
   * After a block that is not worth compressing the next ones are not tried, the more the longer
   * that goes on: in vain it is the most of the work of a table.
   */
  #putDataBlock(builder: BlockBuilder): BlockHandle {
    if (this.#untried > 0) {
      this.#untried--;
      return this.#putStored(builder.finish(), COMPRESSION_NONE);
    }
    const content = builder.finish();
    const stream = this.#compressed(content);
    if (stream !== null) {
      this.#nextUntried = 1;
      return this.#putStored(stream, COMPRESSION_SNAPPY);
    }
    this.#untried = this.#nextUntried;
    this.#nextUntried = Math.min(UNTRIED_MAX, 2 * this.#nextUntried + 1);
    return this.#putStored(content, COMPRESSION_NONE);
  }

  #putBlock(builder: BlockBuilder): BlockHandle {
    const content = builder.finish();
    const stream = this.#compressed(content);
    return stream === null
      ? this.#putStored(content, COMPRESSION_NONE)
      : this.#putStored(stream, COMPRESSION_SNAPPY);
  }

  /** Null where it is not to be, or not worth it. */
  #compressed(content: Uint8Array): Uint8Array | null {
    if (!this.#options.compression) return null;
    const stream = compressBlock(content);
    return stream.length < content.length - (content.length >>> 3) ? stream : null;
  }

  #putStored(stored: Uint8Array, compression: number): BlockHandle {
    const handle = { offset: this.#length, length: stored.length };
    this.#reserve(stored.length + BLOCK_TRAILER_BYTES);
    const start = this.#chunkLength;
    const end = copyRange(this.#chunk, start, stored, 0, stored.length);
    this.#chunkLength = putBlockTrailer(this.#chunk, start, end, compression);
    this.#length += stored.length + BLOCK_TRAILER_BYTES;
    return handle;
  }

  #reserve(length: number): void {
    const wanted = this.#chunkLength + length;
    if (wanted <= this.#chunk.length) return;
    const larger = new Uint8Array(wanted + CHUNK_BYTES);
    larger.set(this.#chunk.subarray(0, this.#chunkLength));
    this.#chunk = larger;
  }

  #remember(key: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (length > this.#lastKey.length) this.#lastKey = new Uint8Array(2 * length);
    copyRange(this.#lastKey, 0, key, start, end);
    this.#lastKeyLength = length;
  }
}
