/**
 * Looks for whole entries at every byte position of a range of a data file, a piece at a time: for
 * what lies behind damage, and for repair. Not here: files that are whole (`entry-scanner.ts`).
 */

import { readFully } from '../vfs/transfer.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import { ENTRY_HEADER_BYTES, EntryChecksum, EntryView, HEAD_BYTES_MAX } from './entry-format.ts';

const PIECE_BYTES = 1 << 20;
const ZEROS = Buffer.alloc(PIECE_BYTES);

export class EntrySearch {
  /** Of the entry found last. Its header and key are in `bytes`, of its value perhaps nothing. */
  readonly entry: EntryView = new EntryView();
  readonly #file: VfsFile;
  readonly #number: number;
  readonly #to: number;
  #buffer: Buffer;
  /** The buffer holds the file from here on, `#filled` bytes. */
  #bufferOffset: number;
  #filled = 0;
  #offset: number;
  #entryOffset = 0;
  #usedTo: number;
  #passedFrom: number;
  #passedTo: number;
  #passedUsed = false;

  /** Searches file `fileNumber` from byte position `from` to before `to`. */
  constructor(file: VfsFile, fileNumber: number, from: number, to: number) {
    this.#file = file;
    this.#number = fileNumber;
    this.#to = to;
    this.#offset = from;
    this.#bufferOffset = from;
    this.#usedTo = from;
    this.#passedFrom = from;
    this.#passedTo = from;
    this.#buffer = Buffer.alloc(Math.min(Math.max(to - from, 0), PIECE_BYTES + HEAD_BYTES_MAX));
  }

  get bytes(): Uint8Array {
    return this.#buffer;
  }

  /** Where the entry is in the file. */
  get entryOffset(): number {
    return this.#entryOffset;
  }

  /** Behind the last byte that is not zero, of those that have been read. */
  get usedTo(): number {
    return this.#usedTo;
  }

  /** Where the bytes begin that were passed over before the entry, or before the end. */
  get passedFrom(): number {
    return this.#passedFrom;
  }

  /** Where they end. */
  get passedTo(): number {
    return this.#passedTo;
  }

  /** Whether there were any but zeros. */
  get passedUsed(): boolean {
    return this.#passedUsed;
  }

  /** Goes to the next whole entry; false at the end. */
  async next(): Promise<boolean> {
    this.#passedFrom = this.#offset;
    this.#passedUsed = false;
    while (this.#offset < this.#to) {
      if (this.#needsMore()) await this.#refill();
      if (!this.#findHead()) continue;
      if (await this.#isWhole()) {
        this.#entryOffset = this.#offset;
        this.#passedTo = this.#offset;
        this.#offset += this.entry.length;
        const buffered = this.#bufferOffset + this.#filled;
        if (this.#offset > buffered) this.#usedTo = this.#offset;
        return true;
      }
      this.#passOne();
    }
    this.#passedTo = this.#to;
    return false;
  }

  /** The whole entry found last, in bytes of its own; its places are those of `entry` from then on. */
  async whole(): Promise<Uint8Array> {
    const { entry } = this;
    const at = this.#entryOffset - this.#bufferOffset;
    const bytes = Buffer.allocUnsafe(entry.length);
    const count = await readFully(this.#file, bytes, this.#entryOffset);
    bytes.fill(0, count);
    entry.keyStart -= at;
    entry.keyEnd -= at;
    entry.valueEnd -= at;
    return bytes;
  }

  /** Whether header and key of what begins here may not be in the buffer. */
  #needsMore(): boolean {
    const buffered = this.#bufferOffset + this.#filled;
    return buffered < this.#to && buffered - this.#offset < HEAD_BYTES_MAX;
  }

  /** Goes on to where an entry may begin, as far as the buffer reaches; false when it reaches none. */
  #findHead(): boolean {
    const bytes = this.#buffer;
    const bufferEnd = this.#bufferOffset + this.#filled;
    const atEnd = bufferEnd === this.#to;
    // The head of whatever begins here is in the buffer.
    const limit = atEnd ? this.#to : bufferEnd - HEAD_BYTES_MAX + 1;
    const used = Math.min(limit, this.#usedTo);
    for (; this.#offset < used; this.#passOne()) {
      const at = this.#offset - this.#bufferOffset;
      const left = this.#to - this.#offset;
      if (!this.entry.peek(bytes, at, this.#filled - at) || this.entry.length > left) continue;
      this.entry.loadFields(bytes, at);
      // What no entry says needs no checksum, which may be over gigabytes.
      if (this.entry.isSound(this.#offset)) return true;
    }
    // Only zeros follow in the buffer: an entry may begin with the last of them.
    const zerosTo = atEnd ? this.#to : bufferEnd - ENTRY_HEADER_BYTES;
    if (this.#offset >= this.#usedTo) this.#offset = Math.max(this.#offset, zerosTo);
    return false;
  }

  #passOne(): void {
    if (this.#buffer[this.#offset - this.#bufferOffset] !== 0) this.#passedUsed = true;
    this.#offset++;
  }

  /** Whether the entry that may begin here has its checksum. */
  async #isWhole(): Promise<boolean> {
    const { entry } = this;
    const at = this.#offset - this.#bufferOffset;
    const end = Math.min(at + entry.length, this.#filled);
    const checksum = new EntryChecksum(this.#number, this.#offset);
    checksum.add(this.#buffer, at + 4, end);
    let offset = this.#bufferOffset + end;
    const piece = offset < this.#offset + entry.length ? Buffer.allocUnsafe(PIECE_BYTES) : ZEROS;
    for (const to = this.#offset + entry.length; offset < to;) {
      const wanted = Math.min(piece.length, to - offset);
      const count = await readFully(this.#file, piece, offset, 0, wanted);
      if (count < wanted) return false;
      checksum.add(piece, 0, count);
      offset += count;
    }
    return checksum.value === entry.checksum;
  }

  async #refill(): Promise<void> {
    const buffer = this.#buffer;
    const at = Math.min(this.#offset - this.#bufferOffset, this.#filled);
    const kept = this.#filled - at;
    buffer.copyWithin(0, at, this.#filled);
    const from = this.#bufferOffset + at + kept;
    this.#bufferOffset += at;
    // A long entry may have ended behind what was in the buffer.
    if (kept === 0) this.#bufferOffset = this.#offset;
    const start = kept === 0 ? this.#offset : from;
    const wanted = Math.min(this.#to - start, buffer.length - kept);
    const count = await readFully(this.#file, buffer, start, kept, wanted);
    // A file that is shorter than was said reads as zeros.
    buffer.fill(0, kept + count, kept + wanted);
    this.#filled = kept + wanted;
    this.#noteUsed(kept);
  }

  /** Notes what is not zero in the buffer from `from` on. */
  #noteUsed(from: number): void {
    const buffer = this.#buffer;
    let end = this.#filled;
    for (let start = from; start < this.#filled; start += ZEROS.length) {
      const length = Math.min(ZEROS.length, this.#filled - start);
      const piece = buffer.subarray(start, start + length);
      if (Buffer.compare(piece, ZEROS.subarray(0, length)) !== 0) break;
      if (start + length === this.#filled) return;
    }
    while (end > from && buffer[end - 1] === 0) end--;
    if (end > from) this.#usedTo = this.#bufferOffset + end;
  }
}
