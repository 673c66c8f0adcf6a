/**
 * Zeros ahead of the records of an append file, so that a synced append overwrites blocks that the
 * file has already and a commit changes no metadata. The zeros are written in the background
 * through a descriptor of their own that appends (O_APPEND): wherever the file ends when such a
 * write begins, it only ever adds zeros after the last record, so that it needs no order with the
 * writes of records and can destroy none.
 *
 * Preallocation promises nothing and loses nothing: when there is no room for zeros, records go on
 * without.
 *
 * @see POSIX write(): "no intervening file modification operation shall occur between changing the
 *   file offset and the write operation" with O_APPEND
 */

import { assert } from '../base/assert.ts';
import { writeFullySync } from '../vfs/transfer.ts';
import type { VfsFile } from '../vfs/vfs.ts';
import { meaningOf } from './poison.ts';
import type { FailingCall } from './poison.ts';
import type { SyncDispatch } from './sync-dispatch.ts';

/**
 * Bytes of zeros written at once: about 10,000 records of 100 bytes for some 5 ms of a disk's time.
 */
const CHUNK_BYTES = 1 << 20;
/** Writes of this size gain nothing from zeros: what they would save, the zeros would cost. */
const LARGE_WRITE_BYTES = 64 << 10;

let zeros: Uint8Array | null = null;

export class Preallocation {
  readonly #dispatch: SyncDispatch;
  readonly #file: VfsFile;
  readonly #bytesMax: number;
  readonly #onPoison: (cause: unknown) => void;
  /**
   * Where the file ends, as far as is known. Only a hint: when it is wrong, an append extends the
   * file.
   */
  #allocatedLength: number;
  /**
   * No zeros are written before the records reach this place. Moved on when there was no room for
   * zeros.
   */
  #nextAttempt = 0;
  #running: Promise<void> | null = null;
  #used = false;
  #abandoned = false;

  /**
   * `file` was opened with `append` for nothing else and is closed here; records end at `length`.
   * `onPoison` hears of a write or sync of zeros that failed with more than a lack of room.
   */
  constructor(
    dispatch: SyncDispatch,
    file: VfsFile,
    length: number,
    bytesMax: number,
    onPoison: (cause: unknown) => void,
  ) {
    this.#dispatch = dispatch;
    this.#file = file;
    this.#allocatedLength = length;
    this.#bytesMax = bytesMax;
    this.#onPoison = onPoison;
  }

  /** Whether zeros may follow the last record. */
  get used(): boolean {
    return this.#used;
  }

  /** Whether a call is under way in the background. */
  get running(): boolean {
    return this.#running !== null;
  }

  /** A record of `written` bytes now ends at `length`: begins to write zeros when few are left. */
  keepAhead(length: number, written: number): void {
    if (this.#running !== null || !this.#wanted(length, written, CHUNK_BYTES / 2)) return;
    this.#running = this.#extend(length).finally(() => {
      this.#running = null;
    });
  }

  /**
   * As `keepAhead`, for callers that may not come back to the event loop: when no zeros are left,
   * writes and syncs them on the calling thread. An earlier call still under way does no harm, and
   * may never be heard of.
   */
  keepAheadSync(length: number, written: number): void {
    if (!this.#wanted(length, written, 0)) {
      this.keepAhead(length, written);
      return;
    }
    let call: FailingCall = 'write';
    try {
      const count = this.#nextLength(length);
      writeFullySync(this.#file, zeroBytes(), 0, 0, count);
      call = 'sync';
      this.#dispatch.bytesSync(this.#file);
      this.#allocatedLength += count;
    } catch (error) {
      // Without room records go on unaided; everything else is told to the owner.
      this.#failed(call, error, length);
    }
  }

  /** The file was cut to `length`, because there was no room: waits with more zeros. */
  cutTo(length: number): void {
    this.#allocatedLength = length;
    this.#nextAttempt = length + CHUNK_BYTES;
  }

  /** Resolves when nothing runs in the background. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Releases the descriptor; a call under way ends first. Makes nothing durable. */
  async close(): Promise<void> {
    await this.#running;
    await this.#file.close();
  }

  /**
   * The descriptor goes while a call may be under way, and no record needs the zeros any more: what
   * becomes of them is nobody's failure.
   */
  abandon(): void {
    this.#abandoned = true;
  }

  /** REQUIRES: not `running`. */
  closeSync(): void {
    assert(this.#running === null, 'a file is closed only when nothing uses it');
    this.#file.closeSync();
  }

  #wanted(length: number, written: number, reserve: number): boolean {
    return (
      length + reserve >= this.#allocatedLength &&
      length >= this.#nextAttempt &&
      length < this.#bytesMax &&
      this.#allocatedLength < this.#bytesMax &&
      written < LARGE_WRITE_BYTES
    );
  }

  /** How many zeros to add, now that the records end at `length`. */
  #nextLength(length: number): number {
    this.#used = true;
    this.#allocatedLength = Math.max(this.#allocatedLength, length);
    return Math.min(CHUNK_BYTES, this.#bytesMax - this.#allocatedLength);
  }

  /**
   * Never rejects. The sync keeps the zeros from being written together with a record that waits
   * for its own.
   */
  async #extend(length: number): Promise<void> {
    let call: FailingCall = 'write';
    try {
      let left = this.#nextLength(length);
      while (left > 0) {
        const count = await this.#file.write(zeroBytes(), 0, left, 0);
        assert(count > 0 && count <= left, 'a write moves at least one byte or fails');
        left -= count;
        this.#allocatedLength += count;
      }
      call = 'sync';
      await this.#dispatch.bytes(this.#file);
    } catch (error) {
      // As in `keepAheadSync`.
      this.#failed(call, error, length);
    }
  }

  #failed(call: FailingCall, error: unknown, length: number): void {
    if (this.#abandoned) return;
    if (meaningOf(call, error) === 'poisoned') this.#onPoison(error);
    this.#nextAttempt = length + CHUNK_BYTES;
  }
}

function zeroBytes(): Uint8Array {
  zeros ??= new Uint8Array(CHUNK_BYTES);
  return zeros;
}
