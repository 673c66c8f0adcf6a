/**
 * Reads index files: at opening into a keydir, for `verify` beside one. Whatever is wrong with one
 * means that it does not count: then the hints and data files are read.
 *
 * What an index says depends on the files that it describes, and on nothing else: it counts only
 * where the sealed files of the manifest begin with just these, in this order, each with its number,
 * length and fingerprint. A number is never given twice, and a file that is sealed never changes, so
 * that an index of an older state of the store is right for the files that are still there, and an
 * index of another state, or of another store, does not count. Files that came later are read
 * through their hints, behind it.
 */

import { join } from 'node:path';

import { readFully } from '../vfs/transfer.ts';
import type { Vfs, VfsFile } from '../vfs/vfs.ts';
import { indexFileName } from './entry-format.ts';
import type { StoreFileName } from './entry-format.ts';
import {
  INDEX_BLOCK_BYTES,
  INDEX_START_BYTES,
  IndexReader,
  decodeIndexHeader,
  indexHeaderBytes,
} from './index-file.ts';
import type { IndexHeader, IndexedFile } from './index-file.ts';
import { LiveCounts, fillFromBlock } from './index-filling.ts';
import type { Keydir } from './keydir.ts';
import { KeydirFiller } from './keydir-filler.ts';
import type { OpenedFile } from './load-files.ts';
import type { ManifestFile } from './manifest.ts';

/** The blocks of an index file, one after the other; the next one is read ahead. */
export class IndexBlocks {
  readonly path: string;
  readonly header: IndexHeader;
  readonly reader: IndexReader;
  readonly #file: VfsFile;
  readonly #size: number;
  #offset: number;
  #buffer = new Uint8Array(INDEX_BLOCK_BYTES);
  #ahead = new Uint8Array(INDEX_BLOCK_BYTES);
  #reading: Promise<number>;

  private constructor(file: VfsFile, size: number, bytes: Uint8Array, header: IndexHeader) {
    this.path = file.path;
    this.header = header;
    this.reader = new IndexReader(bytes, header);
    this.#file = file;
    this.#size = size;
    this.#offset = bytes.length;
    this.#reading = this.#readAhead();
  }

  /**
   * The index in a file that is open, when it is one and describes the first of these files. Rejects
   * with the operating system's error.
   */
  static async open(
    file: VfsFile,
    number: number,
    sealed: readonly ManifestFile[],
  ): Promise<IndexBlocks | null> {
    const { size } = await file.stat();
    const start = new Uint8Array(INDEX_START_BYTES);
    const count = await readFully(file, start, 0);
    const length = indexHeaderBytes(start.subarray(0, count));
    if (length === 0 || length > size) return null;
    const bytes = new Uint8Array(length);
    if ((await readFully(file, bytes, 0)) < length) return null;
    const header = decodeIndexHeader(bytes);
    if (header === null || header.number !== number || !describes(header, sealed)) return null;
    return new IndexBlocks(file, size, bytes, header);
  }

  /** Gives the reader the next block; false at the end, and where there is none that is whole. */
  async next(): Promise<boolean> {
    const count = await this.#reading;
    if (count === 0) return false;
    const block = this.#ahead;
    this.#ahead = this.#buffer;
    this.#buffer = block;
    this.#offset += count;
    this.#reading = this.#readAhead();
    return this.reader.enter(block.subarray(0, count));
  }

  /** Resolves when nothing is read any more. */
  async settled(): Promise<void> {
    await this.#reading.catch(() => 'nobody needs it');
  }

  /** Whether all records were read, and were right. */
  get isWhole(): boolean {
    const { reader, header } = this;
    return !reader.isWrong && reader.count === header.count && this.#offset === this.#size;
  }

  #readAhead(): Promise<number> {
    const wanted = Math.min(INDEX_BLOCK_BYTES, this.#size - this.#offset);
    const reading = readFully(this.#file, this.#ahead, this.#offset, 0, wanted);
    // Told to whoever awaits it.
    reading.catch(() => 'the index does not count');
    return reading;
  }
}

function describes({ files }: IndexHeader, sealed: readonly ManifestFile[]): boolean {
  if (files.length === 0 || files.length > sealed.length) return false;
  return files.every((file, place) => {
    const { number, length, fingerprint, merged } = sealed[place]!;
    if (file.number !== number || file.length !== length) return false;
    return file.fingerprint === fingerprint && file.merged === merged;
  });
}

/** What an index file gave. */
export interface LoadedIndex {
  readonly number: number;
  readonly path: string;
  readonly keydir: Keydir;
  readonly clock: number;
  /** What it says of the files that it describes: the first ones of the store. */
  readonly files: readonly IndexedFile[];
  readonly live: LiveCounts;
}

/**
 * Reads the newest index file that counts of those among `names`, the names in the directory; then
 * the files that it describes have what it says of them. Null when none counts. Never rejects.
 */
export async function loadIndexFile(
  vfs: Vfs,
  directory: string,
  names: readonly StoreFileName[],
  sealed: readonly OpenedFile[],
): Promise<LoadedIndex | null> {
  const numbersOf = (wanted: StoreFileName['kind']): number[] =>
    names.filter(({ kind }) => kind === wanted).map(({ number }) => number);
  for (const number of numbersOf('index').toSorted((a, b) => b - a)) {
    const loaded = await loadOne(vfs, directory, number, sealed).catch(() => null);
    if (loaded === null) continue;
    note(loaded, sealed, new Set(numbersOf('hint')));
    return loaded;
  }
  return null;
}

async function loadOne(
  vfs: Vfs,
  directory: string,
  number: number,
  sealed: readonly OpenedFile[],
): Promise<LoadedIndex | null> {
  const file = await vfs.open(join(directory, indexFileName(number)), { read: true });
  let blocks: IndexBlocks | null = null;
  try {
    const entries = sealed.map(({ entry }) => entry);
    blocks = await IndexBlocks.open(file, number, entries);
    return blocks === null ? null : await fill(blocks, sealed);
  } finally {
    await blocks?.settled();
    await file.close().catch(() => 'it was only read');
  }
}

async function fill(
  blocks: IndexBlocks,
  sealed: readonly OpenedFile[],
): Promise<LoadedIndex | null> {
  const { header, reader } = blocks;
  const { files, number, clock } = header;
  const filler = new KeydirFiller();
  const live = new LiveCounts(files.length);
  const slots = Int32Array.from(sealed, ({ data }) => data.slot);
  while (await blocks.next()) fillFromBlock(reader, filler, slots, live);
  if (!blocks.isWhole) return null;
  if (files.some(({ entries, keptDeletes }, at) => live.entries[at]! + keptDeletes > entries)) {
    return null;
  }
  const path = blocks.path;
  return { number, path, keydir: filler.finish(), clock, files, live };
}

/** The files have what was told of them. Only now: nothing of an index that does not count may stay. */
function note(
  loaded: LoadedIndex,
  sealed: readonly OpenedFile[],
  hints: ReadonlySet<number>,
): void {
  for (const [place, told] of loaded.files.entries()) {
    const { data } = sealed[place]!;
    data.fingerprint = told.fingerprint;
    data.entries = told.entries;
    data.keptDeletes = told.keptDeletes;
    data.keptBytes = told.keptBytes;
    data.firstExpiry = told.firstExpiry;
    data.lastExpiry = told.lastExpiry;
    data.liveEntries = loaded.live.entries[place]!;
    data.liveBytes = loaded.live.bytes[place]!;
    data.hint = null;
    data.hasHint = hints.has(data.number);
    data.toldBy = loaded.path;
  }
}
