/**
 * Gets entries from the data files, through the block cache, and checks each: the right checksum at
 * the right place, and the key that was asked for. What it gives is right or a `CorruptionError`.
 */

import { compareRanges } from '../base/bytes.ts';
import { CorruptionError } from '../base/errors.ts';
import type { ReadSpeed } from '../base/read-speed.ts';
import { readFully, readFullySync } from '../vfs/transfer.ts';
import { BLOCK_BYTES, BLOCK_BYTES_LOG2 } from './data-block-cache.ts';
import type { BlockCache } from './data-block-cache.ts';
import type { DataFile, FileTable } from './data-file.ts';
import { EntryView, PUT } from './entry-format.ts';
import { lengthOfCode } from './key-location.ts';
import type { KeyLocation } from './key-location.ts';

/** Bytes of a file in memory: those of an entry, and perhaps more, from `at` on. */
export interface FetchedBytes {
  readonly bytes: Buffer;
  readonly at: number;
  readonly available: number;
}

/** What to read: bytes of a file, in which the entry begins after `skip`. */
interface Plan {
  readonly file: DataFile;
  readonly from: number;
  readonly length: number;
  readonly skip: number;
  /** Whether they are a block for the cache. */
  readonly fill: boolean;
}

/** Longer reads go to the thread pool, also where they would not wait for a device. */
const NOW_BYTES_MAX = 64 << 10;

export class ValueReader {
  /** Of the entry that `check` was given last; its places are in the bytes given. */
  readonly entry: EntryView = new EntryView();
  readonly #files: FileTable;
  readonly #cache: BlockCache;
  readonly #speed: ReadSpeed;
  readonly #found: { bytes: Buffer; at: number; available: number } = {
    bytes: Buffer.alloc(0),
    at: 0,
    available: 0,
  };

  /** `speed` says when calls that answer later may read on the calling thread. */
  constructor(files: FileTable, cache: BlockCache, speed: ReadSpeed) {
    this.#files = files;
    this.#cache = cache;
    this.#speed = speed;
  }

  /** The entry's bytes where they are in memory, else null. They hold until the next call. */
  cached(location: KeyLocation): FetchedBytes | null {
    const file = this.#files.at(location.file);
    const { offset } = location;
    const block = offset >>> BLOCK_BYTES_LOG2;
    const index = this.#cache.find(file.number, block);
    if (index < 0) return null;
    const inBlock = offset & (BLOCK_BYTES - 1);
    const available = this.#cache.length(index) - inBlock;
    const length = lengthOfCode(location.lengthCode);
    if (length > available && inBlock + length > BLOCK_BYTES) return null;
    const found = this.#found;
    found.bytes = this.#cache.array(index);
    found.at = this.#cache.base(index) + inBlock;
    found.available = available;
    return found;
  }

  /** Reads the entry's bytes on the calling thread. They hold until the next call. */
  fetchSync(location: KeyLocation, fill: boolean): FetchedBytes {
    const plan = this.#plan(location, fill);
    const bytes = this.#bytesFor(plan.length);
    return this.#fetched(
      plan,
      bytes,
      readFullySync(plan.file.file, bytes, plan.from, 0, plan.length),
    );
  }

  /** As `fetchSync` where that is not likely to wait for a device, else null. */
  fetchNow(location: KeyLocation, fill: boolean): FetchedBytes | null {
    if (!this.#speed.isFast) return null;
    const plan = this.#plan(location, fill);
    const bytes = this.#bytesFor(plan.length);
    const count = this.readNow(plan.file, bytes, plan.from, 0, plan.length);
    return count < 0 ? null : this.#fetched(plan, bytes, count);
  }

  /**
   * Reads from byte position `from` where that is not likely to wait for a device, and gives how
   * many bytes there are. Gives -1 where it is, and where the read failed: `readLater` tells then.
   */
  readNow(file: DataFile, bytes: Buffer, from: number, start: number, length: number): number {
    if (!this.#speed.isFast || length > NOW_BYTES_MAX) return -1;
    const startMs = this.#speed.begin();
    try {
      return readFullySync(file.file, bytes, from, start, length);
    } catch {
      return -1;
    } finally {
      this.#speed.end(startMs);
    }
  }

  /** Reads on the thread pool, and gives how many bytes there are. */
  readLater(
    file: DataFile,
    bytes: Buffer,
    from: number,
    start: number,
    length: number,
  ): Promise<number> {
    this.#speed.noteLater();
    return readFully(file.file, bytes, from, start, length);
  }

  #bytesFor(length: number): Buffer {
    return length <= BLOCK_BYTES ? this.#syncBuffer : Buffer.allocUnsafeSlow(length);
  }

  #fetched(plan: Plan, bytes: Buffer, count: number): FetchedBytes {
    const { file, from, skip } = plan;
    if (plan.fill) this.#keep(file, from, bytes, count);
    const found = this.#found;
    found.bytes = bytes;
    found.at = skip;
    found.available = count - skip;
    return found;
  }

  readonly #syncBuffer = Buffer.alloc(BLOCK_BYTES);

  /** Reads the entry's bytes on the thread pool. */
  async fetch(location: KeyLocation, fill: boolean): Promise<FetchedBytes> {
    const plan = this.#plan(location, fill);
    const { file, from, length, skip } = plan;
    const bytes = Buffer.allocUnsafeSlow(length);
    const count = await this.readLater(file, bytes, from, 0, length);
    if (plan.fill) this.#keep(file, from, bytes, count);
    return { bytes, at: skip, available: count - skip };
  }

  /**
   * Checks that the entry is a put of this key: then `entry` has its places.
   * @throws HOLDFAST_CORRUPTION
   */
  check(
    file: DataFile,
    offset: number,
    { bytes, at, available }: FetchedBytes,
    keys: Uint8Array,
    keyStart: number,
    keyEnd: number,
  ): void {
    const { entry } = this;
    if (!entry.load(bytes, at, available, file.number, offset) || entry.kind !== PUT) {
      throw new CorruptionError({
        path: file.path,
        offset,
        expected: 'an entry with its checksum',
        found: 'other bytes',
      });
    }
    if (compareRanges(bytes, entry.keyStart, entry.keyEnd, keys, keyStart, keyEnd) !== 0) {
      throw new CorruptionError({
        path: file.path,
        offset,
        expected: `an entry of the key ${shown(keys, keyStart, keyEnd)}`,
        found: `one of the key ${shown(bytes, entry.keyStart, entry.keyEnd)}`,
      });
    }
  }

  /** What to read: a whole block where that pays, else the entry alone. */
  #plan(location: KeyLocation, fill: boolean): Plan {
    const file = this.#files.at(location.file);
    const { offset } = location;
    const skip = offset & (BLOCK_BYTES - 1);
    const length = Math.min(lengthOfCode(location.lengthCode), file.length - offset);
    const blockEnd = offset - skip + BLOCK_BYTES;
    const whole = blockEnd <= file.length || file.sealed;
    if (!fill || !whole || skip + length > BLOCK_BYTES) {
      return { file, from: offset, length, skip: 0, fill: false };
    }
    const from = offset - skip;
    return { file, from, length: Math.min(BLOCK_BYTES, file.length - from), skip, fill: true };
  }

  #keep(file: DataFile, from: number, bytes: Uint8Array, length: number): void {
    this.#cache.add(file.number, from >>> BLOCK_BYTES_LOG2, bytes, 0, length);
  }
}

/** A key for a message. */
function shown(bytes: Uint8Array, start: number, end: number): string {
  const first = Buffer.from(bytes.subarray(start, Math.min(end, start + 32))).toString('hex');
  return end - start > 32 ? `${first}… of ${end - start} bytes` : first;
}
