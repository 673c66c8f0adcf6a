/**
 * All writing of entries: gives them their places and sequence numbers in the order of the calls,
 * goes on to the next log when one is full, and shows to readers what is written, in order.
 *
 * Going on to the next log: 1. it is made ahead of need and named in the manifest; 2. everything in
 * the full one is synced; 3. only then does the next one take its first entry: whoever finds an
 * entry in a log knows that all logs before are whole; 4. the full one is finished in the
 * background (`log-file.ts`). A write that comes during step 2 waits, a synchronous one does not.
 */

import { HoldfastError } from '../base/errors.ts';
import type { Timer } from '../base/clock.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import type { WriteBatch } from '../engine/write-batch.ts';
import { BatchEncoder, encodeMark, entryBytesMax } from './batch-encoder.ts';
import type { EntryPlace } from './batch-encoder.ts';
import type { DataFile } from './data-file.ts';
import { FILE_HEADER_BYTES } from './entry-format.ts';
import type { ExpiryClock } from './expiry-clock.ts';
import type { KeyIndex } from './key-index.ts';
import type { LogFile, LogSurroundings } from './log-file.ts';
import { LogChain } from './log-chain.ts';
import type { ManifestKeeper } from './manifest-keeper.ts';

/** The keydir has four bytes for an offset. */
const OFFSET_MAX = 0xffff_ffff;
/** A log idle for so long gets a mark that says that all of it is durable. */
const IDLE_MS = 1000;
/** More than this is not left to be synced at once, also where nobody asks for syncs. */
const UNSYNCED_BYTES_MAX = 4 << 20;

/** Entries that are accepted and not yet shown to readers. */
interface Pending {
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** Sequence number before them. */
  readonly sequence: number;
  /** Of the append: shared by all that share a write. */
  readonly group: Promise<void>;
}

interface Held {
  readonly run: () => Promise<void>;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class LogWriter {
  readonly #around: LogSurroundings;
  readonly #index: KeyIndex;
  readonly #clock: ExpiryClock;
  readonly #chain: LogChain;
  readonly #fileBytes: number;
  readonly #encoder = new BatchEncoder();
  #log: LogFile;
  #sequence: number;
  #pending: Pending[] = [];
  #held: Held[] = [];
  #rotating: Promise<void> | null = null;
  #group: Promise<void> | null = null;
  #groupShown: Promise<void> = Promise.resolve();
  #flushing = false;
  #idle: Timer | null = null;
  #idleLength = 0;
  #markedLength = 0;

  /** `log` is the one to write to; the manifest names it, and the sequence number is its last. */
  constructor(
    around: LogSurroundings,
    keeper: ManifestKeeper,
    index: KeyIndex,
    clock: ExpiryClock,
    fileBytes: number,
    log: LogFile,
    sequence: number,
  ) {
    this.#around = around;
    this.#index = index;
    this.#clock = clock;
    this.#fileBytes = fileBytes;
    this.#log = log;
    this.#sequence = sequence;
    this.#chain = new LogChain(around, keeper, (number, length) => this.refused(number, length));
  }

  /** Called when a new log has taken the place of a full one. Must not throw. */
  onNextLog: () => void = () => {};

  /** Resolves when full logs are finished, as far as that succeeds. */
  settled(): Promise<void> {
    return this.#chain.settled();
  }

  /** The log that takes entries now. */
  get current(): DataFile {
    return this.#log.data;
  }

  /** Sequence number of the last entry accepted. */
  get sequence(): number {
    return this.#sequence;
  }

  /** See `Engine.write`. */
  write(batch: WriteBatch, policy: SyncPolicy): Promise<void> {
    if (batch.count === 0) return this.#nothing(policy);
    return this.#submit(entryBytesMax(batch), () => this.#appendBatch(batch, policy));
  }

  /** See `Engine.writeSync`. */
  writeSync(batch: WriteBatch, policy: SyncPolicy): void {
    this.#release();
    if (batch.count === 0) {
      if (policy === 'sync') this.#log.append.syncSync();
      return;
    }
    this.#makeRoomSync(entryBytesMax(batch));
    const place = this.#place();
    this.#appendSync(this.#encoder.encode(batch, place), place, batch.count, policy);
  }

  /** Stores the time of now durably. */
  async storeClock(): Promise<void> {
    const now = this.#clock.now();
    await this.#submit(0, () => {
      const place = this.#place();
      return this.#append(encodeMark(place, now), place, 0, 'sync');
    });
    this.#clock.noteStored(now);
  }

  /** As `storeClock`, on the calling thread. */
  storeClockSync(): void {
    this.#release();
    const now = this.#clock.now();
    const place = this.#place();
    this.#appendSync(encodeMark(place, now), place, 0, 'sync');
    this.#clock.noteStored(now);
  }

  /** Goes on to a new log, if the present one has entries. */
  async rotate(): Promise<void> {
    if (this.#log.append.length === FILE_HEADER_BYTES) return;
    const before = this.#log;
    while (this.#log === before) {
      this.#rotating ??= this.#startRotation();
      await this.#rotating;
      this.#around.poison.check();
      if (this.#log === before && this.#chain.lastFailure !== null) throw this.#chain.lastFailure;
    }
    await this.#chain.settled();
  }

  /** Everything accepted before the call is durable when it resolves. */
  async sync(): Promise<void> {
    while (this.#rotating !== null) await this.#rotating;
    await this.#log.append.sync();
    this.#showWritten();
  }

  /** Gives the log's files back behind an opening that fails: nothing was written, and the manifest names it. */
  async abandon(): Promise<void> {
    await this.#log.append.close().catch(() => 'the first error is told');
  }

  /** Makes everything durable and says so in the manifest. Rejects when that cannot be done. */
  async close(): Promise<void> {
    while (this.#rotating !== null) await this.#rotating;
    this.#idle?.cancel();
    this.#idle = null;
    try {
      await this.#log.append.close();
      this.#showWritten();
    } catch (error) {
      await this.#chain.abandon();
      throw error;
    }
    await this.#chain.close(this.#log, this.#sequence, this.#clock.now());
  }

  #nothing(policy: SyncPolicy): Promise<void> {
    if (policy === 'sync') return this.sync();
    return this.#pending.length === 0 && this.#held.length === 0
      ? Promise.resolve()
      : this.#submit(0, () => this.#groupShown);
  }

  /** Runs `append` now or, while logs are being changed, in its turn after that. */
  #submit(bytes: number, append: () => Promise<void>): Promise<void> {
    if (this.#rotating === null && this.#isFull(bytes)) this.#rotating = this.#startRotation();
    if (this.#rotating === null) return this.#caught(append);
    return new Promise((resolve, reject) => {
      this.#held.push({ run: append, resolve, reject });
    });
  }

  #caught(append: () => Promise<void>): Promise<void> {
    try {
      return append();
    } catch (error) {
      // One way to hear of failures: the promise.
      return Promise.reject(error);
    }
  }

  /** Appends what was held, in order, to whichever log it is now. */
  #release(): void {
    const held = this.#held;
    if (held.length === 0) return;
    this.#held = [];
    for (const { run, resolve, reject } of held) this.#caught(run).then(resolve, reject);
  }

  #place(): EntryPlace {
    const { append, data } = this.#log;
    if (append.length > OFFSET_MAX) {
      const message = `${data.path} has no room for more, and there is no new log yet`;
      throw new HoldfastError('HOLDFAST_TOO_LARGE', message);
    }
    return {
      fileNumber: data.number,
      offset: append.length,
      durable: append.durableLength,
      sequence: this.#sequence,
      now: this.#clock.now(),
    };
  }

  #appendBatch(batch: WriteBatch, policy: SyncPolicy): Promise<void> {
    const place = this.#place();
    return this.#append(this.#encoder.encode(batch, place), place, batch.count, policy);
  }

  #append(bytes: Uint8Array, place: EntryPlace, count: number, policy: SyncPolicy): Promise<void> {
    const { append } = this.#log;
    const { offset, sequence } = place;
    const group = append.append(bytes, policy);
    // Not accepted: nobody else hears of it.
    if (append.length === offset) return group;
    this.#sequence = sequence + count;
    this.#pending.push({ bytes, offset, sequence, group });
    if (group !== this.#group) {
      this.#group = group;
      this.#groupShown = group.then(
        () => this.#showGroup(group),
        (error: unknown) => {
          this.#pending = this.#pending.filter((pending) => pending.group !== group);
          throw error;
        },
      );
    }
    this.#afterAppend();
    return this.#groupShown;
  }

  #appendSync(bytes: Uint8Array, place: EntryPlace, count: number, policy: SyncPolicy): void {
    const { append, data } = this.#log;
    append.appendSync(bytes, policy);
    this.#sequence = place.sequence + count;
    // Everything accepted before has been written before.
    this.#showWritten();
    this.#index.applyEntries(data, bytes, place.offset, bytes.length);
    this.#afterAppend();
  }

  #afterAppend(): void {
    const { append } = this.#log;
    this.#idle ??= this.#around.clock.after(IDLE_MS, () => this.#onIdle());
    if (append.length > this.#fileBytes / 2) this.#chain.prepare(append.length);
    if (this.#flushing || append.writtenLength - append.durableLength < UNSYNCED_BYTES_MAX) return;
    this.#flushing = true;
    void append
      .sync()
      .catch(() => 'the next write hears of it')
      .finally(() => {
        this.#flushing = false;
      });
  }

  /** Shows a group and all before it: what is shown is a prefix of the order of calls. */
  #showGroup(group: Promise<void>): void {
    const last = this.#pending.findLastIndex((pending) => pending.group === group);
    this.#show(last + 1);
  }

  /** Shows what the operating system has. */
  #showWritten(): void {
    const { writtenLength } = this.#log.append;
    const last = this.#pending.findLastIndex(
      ({ offset, bytes }) => offset + bytes.length <= writtenLength,
    );
    this.#show(last + 1);
  }

  #show(count: number): void {
    if (count === 0) return;
    const shown = this.#pending.splice(0, count);
    const { data } = this.#log;
    for (const { bytes, offset } of shown) {
      this.#index.applyEntries(data, bytes, offset, bytes.length);
    }
  }

  /** A full disk: the log has gone back to `length`, what was to come after it will be rejected. */
  refused(number: number, length: number): void {
    // A log that is being made was refused its header: nobody waits for that here.
    if (number !== this.#log.data.number) return;
    const first = this.#pending.findIndex(({ offset }) => offset >= length);
    if (first === -1) return;
    this.#sequence = this.#pending[first]!.sequence;
    this.#pending.length = first;
  }

  #isFull(bytes: number): boolean {
    const { length } = this.#log.append;
    if (length === FILE_HEADER_BYTES || length + bytes <= this.#fileBytes) return false;
    if (this.#chain.next !== null || length + bytes > OFFSET_MAX) return true;
    // Rather a longer log than a wait, within limits.
    this.#chain.prepare(length);
    return length > 2 * this.#fileBytes && this.#chain.lastFailure === null;
  }

  #startRotation(): Promise<void> {
    return this.#rotate().finally(() => {
      this.#rotating = null;
      this.#release();
    });
  }

  async #rotate(): Promise<void> {
    const log = this.#log;
    try {
      await this.#chain.ready();
      do await log.append.sync();
      while (log.append.durableLength < log.append.length);
      if (this.#log === log) this.#goOn();
    } catch {
      // Whoever waits is told by what it meets in the old log: nothing, when only the new one failed.
    }
  }

  /** REQUIRES: all of the log is durable, and the next one is ready. */
  #goOn(): void {
    this.#showWritten();
    this.#index.endNotes();
    this.#log = this.#chain.goOn(this.#log, this.#sequence, this.#clock.now());
    this.#group = null;
    this.onNextLog();
  }

  #makeRoomSync(bytes: number): void {
    const { append } = this.#log;
    if (append.length === FILE_HEADER_BYTES || append.length + bytes <= this.#fileBytes) return;
    if (this.#rotating !== null || !this.#chain.readySync()) return;
    append.syncSync();
    this.#goOn();
    this.#chain.finishSync();
  }

  #onIdle(): void {
    this.#idle = null;
    const { length } = this.#log.append;
    if (this.#around.poison.poisoned || length === this.#markedLength) return;
    if (length !== this.#idleLength) {
      this.#idleLength = length;
      this.#idle = this.#around.clock.after(IDLE_MS, () => this.#onIdle());
      return;
    }
    this.#markedLength = 0;
    void this.#markDurable();
  }

  async #markDurable(): Promise<void> {
    try {
      await this.sync();
      await this.storeClock();
      this.#markedLength = this.#log.append.length;
    } catch {
      // A mark is a convenience; a disk that fails is told to the next write.
    }
  }
}
