/**
 * Reads a data file from front to back, entry by entry, many of them a read. Says where the bytes
 * are no entry; what that means is for its user to say.
 */

import { readFully, readFullySync } from '../vfs/transfer.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import { ENTRY_HEADER_BYTES, EntryView } from './entry-format.ts';

const BUFFER_BYTES = 1 << 20;

/**
 * - `'entry'`: `entry` has been read, `bytes` holds it.
 * - `'refill'`: call `refill` and step again.
 * - `'end'`: nothing is left before the end given.
 * - `'damaged'`: what is at `offset` is no entry.
 */
export type ScanStep = 'entry' | 'refill' | 'end' | 'damaged';

export class EntryScanner {
  readonly entry: EntryView = new EntryView();
  readonly #file: VfsFile;
  readonly #number: number;
  readonly #to: number;
  readonly #bufferBytes: number;
  #buffer: Uint8Array;
  /** The buffer holds the file from here on, `#filled` bytes. */
  #bufferOffset: number;
  #filled = 0;
  #offset: number;
  #entryOffset = 0;

  /** Reads the entries of file `fileNumber` from byte position `from` to before `to`. */
  constructor(
    file: VfsFile,
    fileNumber: number,
    from: number,
    to: number,
    bufferBytes: number = BUFFER_BYTES,
  ) {
    this.#bufferBytes = bufferBytes;
    this.#file = file;
    this.#number = fileNumber;
    this.#to = to;
    this.#offset = from;
    this.#bufferOffset = from;
    this.#buffer = new Uint8Array(Math.min(bufferBytes, Math.max(to - from, ENTRY_HEADER_BYTES)));
  }

  /** Where the next step begins. */
  get offset(): number {
    return this.#offset;
  }

  /** Where the entry of the last step is in the file. */
  get entryOffset(): number {
    return this.#entryOffset;
  }

  /** Holds the entry, at the places that it names. Changes with `refill`. */
  get bytes(): Uint8Array {
    return this.#buffer;
  }

  /** Where the entry of the last step begins in `bytes`. */
  get entryStart(): number {
    return this.#entryOffset - this.#bufferOffset;
  }

  step(): ScanStep {
    const left = this.#to - this.#offset;
    if (left === 0) return 'end';
    const at = this.#offset - this.#bufferOffset;
    const available = this.#filled - at;
    const needed = Math.min(left, ENTRY_HEADER_BYTES);
    if (available < needed) return 'refill';
    if (!this.entry.peek(this.#buffer, at, available)) return 'damaged';
    if (this.entry.length > left) return 'damaged';
    if (this.entry.length > available) {
      this.entry.loadFields(this.#buffer, at);
      // What no entry says must not make the buffer as large as it says.
      return this.entry.isSound(this.#offset) ? 'refill' : 'damaged';
    }
    if (!this.entry.load(this.#buffer, at, available, this.#number, this.#offset)) return 'damaged';
    this.#entryOffset = this.#offset;
    this.#offset += this.entry.length;
    return 'entry';
  }

  /** Reads on. Entries of earlier steps are gone. */
  async refill(): Promise<void> {
    const { kept, wanted } = this.#makeRoom();
    const from = this.#offset + kept;
    this.#take(kept, wanted, await readFully(this.#file, this.#buffer, from, kept, wanted - kept));
  }

  /** As `refill`, on the calling thread. */
  refillSync(): void {
    const { kept, wanted } = this.#makeRoom();
    const from = this.#offset + kept;
    this.#take(kept, wanted, readFullySync(this.#file, this.#buffer, from, kept, wanted - kept));
  }

  /** Moves what is left to the front; `wanted` bytes are to be there, `kept` of them are. */
  #makeRoom(): { kept: number; wanted: number } {
    const at = this.#offset - this.#bufferOffset;
    const kept = this.#filled - at;
    const left = this.#to - this.#offset;
    let wanted = Math.min(left, this.#bufferBytes);
    if (kept >= ENTRY_HEADER_BYTES && this.entry.peek(this.#buffer, at, kept)) {
      wanted = Math.max(wanted, Math.min(left, this.entry.length));
    }
    const buffer = wanted > this.#buffer.length ? new Uint8Array(wanted) : this.#buffer;
    buffer.set(this.#buffer.subarray(at, this.#filled));
    this.#buffer = buffer;
    this.#bufferOffset = this.#offset;
    return { kept, wanted };
  }

  #take(kept: number, wanted: number, count: number): void {
    // A file that is shorter than was said reads as zeros, which are no entry.
    this.#buffer.fill(0, kept + count, wanted);
    this.#filled = wanted;
  }
}
