/**
 * What is on a disk, held in memory as the blocks that are not all zeros. Block contents are shared between
 * images and never modified in place, so that a crash state is a few blocks over a base and nothing is copied.
 */

import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { assert } from '../../base/assert.ts';
import type { FileExtent } from './keeper.ts';

/** Unit of comparison and restoring, in bytes. */
export const BLOCK_SIZE = 4096;

const ZEROS: Buffer = Buffer.alloc(BLOCK_SIZE);

/** Blocks by index; what is absent is zeros. */
export class DiskImage {
  readonly #blocks: Map<number, Buffer>;

  constructor(blocks: Map<number, Buffer> = new Map()) {
    this.#blocks = blocks;
  }

  /** Reads the image in `path`, of which only `extents` hold data. */
  static read(path: string, extents: readonly FileExtent[]): DiskImage {
    const image = new DiskImage();
    const fd = openSync(path, 'r');
    try {
      for (const { offset, end } of extents) {
        const bytes = Buffer.alloc(end - offset);
        for (let done = 0; done < bytes.length;) {
          const got = readSync(fd, bytes, done, bytes.length - done, offset + done);
          assert(got > 0, 'an image is as long as its extents say');
          done += got;
        }
        image.write(offset, bytes);
      }
    } finally {
      closeSync(fd);
    }
    return image;
  }

  /** Writes what is not zeros into `path`, a file of zeros that is long enough. */
  writeTo(path: string): void {
    const fd = openSync(path, 'r+');
    try {
      for (const [index, block] of this.#blocks) {
        for (let done = 0; done < BLOCK_SIZE;) {
          done += writeSync(fd, block, done, BLOCK_SIZE - done, index * BLOCK_SIZE + done);
        }
      }
    } finally {
      closeSync(fd);
    }
  }

  /** Content of a block; not to be modified. */
  block(index: number): Buffer {
    return this.#blocks.get(index) ?? ZEROS;
  }

  /** Indexes of the blocks that are not all zeros. */
  indexes(): IterableIterator<number> {
    return this.#blocks.keys();
  }

  /** Bytes from `offset`; a copy. */
  slice(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    forEachBlock(offset, length, (index, within, from, count) => {
      this.block(index).copy(bytes, from, within, within + count);
    });
    return bytes;
  }

  /** Puts bytes at `offset`. Other images that share blocks with this one keep what they had. */
  write(offset: number, bytes: Uint8Array): void {
    forEachBlock(offset, bytes.length, (index, within, from, count) => {
      const block = Buffer.from(this.block(index));
      block.set(bytes.subarray(from, from + count), within);
      this.set(index, block);
    });
  }

  /** Replaces one block. The image keeps `content`. */
  set(index: number, content: Buffer): void {
    if (content.equals(ZEROS)) this.#blocks.delete(index);
    else this.#blocks.set(index, content);
  }

  /** Another image with the same blocks; changing either leaves the other as it is. */
  fork(): DiskImage {
    return new DiskImage(new Map(this.#blocks));
  }
}

/** Calls `visit` for the part of each block that the range covers. */
export function forEachBlock(
  offset: number,
  length: number,
  visit: (index: number, within: number, from: number, count: number) => void,
): void {
  for (let from = 0; from < length;) {
    const index = Math.floor((offset + from) / BLOCK_SIZE);
    const within = offset + from - index * BLOCK_SIZE;
    const count = Math.min(BLOCK_SIZE - within, length - from);
    visit(index, within, from, count);
    from += count;
  }
}
