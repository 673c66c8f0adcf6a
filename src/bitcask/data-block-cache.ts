/**
 * Blocks of data files in memory, bounded in bytes, outside the JavaScript heap. What was used
 * lately stays (the clock algorithm). A block is what the file has there: entries in it are checked
 * when they are read, not when it comes in.
 */

export const BLOCK_BYTES_LOG2 = 14;
export const BLOCK_BYTES: number = 1 << BLOCK_BYTES_LOG2;
const SLAB_BLOCKS_LOG2 = 3;
const SLAB_BLOCKS = 1 << SLAB_BLOCKS_LOG2;
/** Blocks in the largest file. */
const FILE_BLOCKS = 2 ** (32 - BLOCK_BYTES_LOG2);

export class BlockCache {
  readonly #slabs: Buffer[] = [];
  readonly #byKey = new Map<number, number>();
  /** By block: its key, how many bytes of it are valid, and whether it was used lately. */
  #keys = new Float64Array(SLAB_BLOCKS);
  #lengths = new Uint16Array(SLAB_BLOCKS);
  #used = new Uint8Array(SLAB_BLOCKS);
  readonly #blocksMax: number;
  #blocks = 0;
  #hand = 0;

  constructor(bytesMax: number) {
    this.#blocksMax = Math.max(SLAB_BLOCKS, Math.floor(bytesMax / BLOCK_BYTES));
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#slabs.length * SLAB_BLOCKS * BLOCK_BYTES;
  }

  /** The index of a file's block, or -1. */
  find(fileNumber: number, block: number): number {
    const index = this.#byKey.get(fileNumber * FILE_BLOCKS + block);
    if (index === undefined) return -1;
    this.#used[index] = 1;
    return index;
  }

  /** The array that holds the block. */
  array(index: number): Buffer {
    return this.#slabs[index >>> SLAB_BLOCKS_LOG2]!;
  }

  /** Where the block begins in its array. */
  base(index: number): number {
    return (index & (SLAB_BLOCKS - 1)) << BLOCK_BYTES_LOG2;
  }

  /** Bytes of the block that are the file's. */
  length(index: number): number {
    return this.#lengths[index]!;
  }

  /** Takes a block in: the bytes from `start`, `length` of them, are the file's first ones of it. */
  add(fileNumber: number, block: number, bytes: Uint8Array, start: number, length: number): number {
    const key = fileNumber * FILE_BLOCKS + block;
    const index = this.#byKey.get(key) ?? this.#take();
    this.#byKey.set(key, index);
    this.#keys[index] = key;
    this.#lengths[index] = length;
    this.#used[index] = 1;
    this.array(index).set(bytes.subarray(start, start + length), this.base(index));
    return index;
  }

  /** Forgets everything. */
  clear(): void {
    this.#byKey.clear();
    this.#slabs.length = 0;
    this.#blocks = 0;
    this.#hand = 0;
  }

  #take(): number {
    if (this.#blocks < this.#blocksMax) {
      const index = this.#blocks++;
      if (index >>> SLAB_BLOCKS_LOG2 === this.#slabs.length) {
        this.#slabs.push(Buffer.from(new ArrayBuffer(SLAB_BLOCKS * BLOCK_BYTES)));
      }
      if (index === this.#keys.length) this.#growTo(Math.min(this.#blocksMax, 2 * index));
      return index;
    }
    for (;;) {
      const index = this.#hand;
      this.#hand = index + 1 === this.#blocksMax ? 0 : index + 1;
      if (this.#used[index] === 0) {
        this.#byKey.delete(this.#keys[index]!);
        return index;
      }
      this.#used[index] = 0;
    }
  }

  #growTo(blocks: number): void {
    const [keys, lengths, used] = [this.#keys, this.#lengths, this.#used];
    this.#keys = new Float64Array(blocks);
    this.#lengths = new Uint16Array(blocks);
    this.#used = new Uint8Array(blocks);
    this.#keys.set(keys);
    this.#lengths.set(lengths);
    this.#used.set(used);
  }
}
