/**
 * An open Bitcask store: reading through the index and the block cache, writing through the log
 * writer, merging in the background. How it is opened is `open-store.ts`.
 */

import { assert } from '../base/assert.ts';
import { SerialQueue } from '../base/serial-queue.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { clearRange } from '../engine/clear-range.ts';
import { closedError } from '../engine/engine-errors.ts';
import type {
  BackupReport,
  EngineStats,
  ProgressOptions,
  RecoveryReport,
  VerifyReport,
} from '../engine/engine-reports.ts';
import type { Engine } from '../engine/engine.ts';
import type { EntryIterator, IteratorOptions } from '../engine/entry-iterator.ts';
import type { ClearOptions, KeyRange } from '../engine/key-range.ts';
import type { EngineSnapshot, Eventual, ReadOptions } from '../engine/read-options.ts';
import type { WriteBatch } from '../engine/write-batch.ts';
import { backupStore } from './bitcask-backup.ts';
import { BitcaskIterator } from './bitcask-iterator.ts';
import type { IteratorSurroundings } from './bitcask-iterator.ts';
import type { DataFile } from './data-file.ts';
import { saveIndex } from './index-writing.ts';
import { KeyLocation } from './key-location.ts';
import { dueForMerge, worthMerging } from './merge-choice.ts';
import { Merger } from './merger.ts';
import type { MergeControl } from './merger.ts';
import type { StateHold, StateHolds } from './state-holds.ts';
import type { StoreParts } from './store-parts.ts';
import { ValueReader } from './value-reader.ts';
import { verifyStore } from './verify-store.ts';

/** A state that a user holds. */
class BitcaskSnapshot implements EngineSnapshot {
  /** Null when it is released. */
  hold: StateHold | null;
  readonly #holds: StateHolds;
  readonly #onRelease: (snapshot: BitcaskSnapshot) => void;

  constructor(holds: StateHolds, onRelease: (snapshot: BitcaskSnapshot) => void) {
    this.#holds = holds;
    this.#onRelease = onRelease;
    this.hold = holds.take();
  }

  release(): void {
    if (this.hold === null) return;
    this.#holds.drop(this.hold);
    this.hold = null;
    this.#onRelease(this);
  }
}

export class BitcaskEngine implements Engine {
  readonly name: string = 'bitcask';
  readonly directory: string;
  readonly recovery: RecoveryReport;
  readonly #parts: StoreParts;
  readonly #reader: ValueReader;
  readonly #location = new KeyLocation();
  readonly #snapshots = new Set<BitcaskSnapshot>();
  readonly #iterators = new Set<BitcaskIterator>();
  readonly #iteratorParts: IteratorSurroundings;
  readonly #merging = new SerialQueue();
  readonly #stopping = new AbortController();
  /** Work on files that `close` waits for before it closes them. */
  readonly #underWay = new Set<Promise<unknown>>();
  #merges = 0;
  #mergeFailure = '';
  #mergeWaits = false;
  #closing: Promise<void> | null = null;

  constructor(parts: StoreParts) {
    this.#parts = parts;
    this.directory = parts.directory;
    this.recovery = parts.recovery;
    const { index, files, cache, expiry } = parts;
    this.#reader = new ValueReader(files, cache, parts.speed);
    this.#iteratorParts = {
      pages: index.keydir.pages,
      files,
      reader: this.#reader,
      isOver: (time) => expiry.isOver(time),
      mustStore: (time) => expiry.mustStore(time),
      storeClock: () => this.#storeClock(),
      storeClockSync: () => this.#storeClockSync(),
      onClose: (iterator) => {
        parts.holds.drop(iterator.hold);
        this.#iterators.delete(iterator);
      },
    };
    parts.writer.onNextLog = () => this.#considerMerge();
    this.#considerMerge();
  }

  get(key: Uint8Array, options?: ReadOptions): Eventual<Buffer | undefined> {
    const location = this.#location;
    if (!this.#find(key, options)) return undefined;
    if (this.#isOver(location)) return this.#absentLater(location.expiry, undefined);
    const reader = this.#reader;
    const fetched =
      reader.cached(location) ?? reader.fetchNow(location, options?.fillCache ?? true);
    if (fetched === null) return this.#getLater(key, options);
    reader.check(this.#file, location.offset, fetched, key, 0, key.length);
    return copyOf(fetched.bytes, reader.entry.keyEnd, reader.entry.valueEnd);
  }

  getSync(key: Uint8Array, options?: ReadOptions): Buffer | undefined {
    const location = this.#location;
    if (!this.#find(key, options)) return undefined;
    if (location.expiry !== 0 && this.#isOverSync(location.expiry)) return undefined;
    const reader = this.#reader;
    const fetched =
      reader.cached(location) ?? reader.fetchSync(location, options?.fillCache ?? true);
    reader.check(this.#file, location.offset, fetched, key, 0, key.length);
    return copyOf(fetched.bytes, reader.entry.keyEnd, reader.entry.valueEnd);
  }

  async getMany(
    keys: readonly Uint8Array[],
    options?: ReadOptions,
  ): Promise<(Buffer | undefined)[]> {
    this.#assertOpen();
    const given = this.#stateOf(options);
    const { holds } = this.#parts;
    const hold = given === undefined ? holds.take() : holds.share(given);
    const own = new HeldState(hold);
    try {
      return await Promise.all(
        keys.map(async (key) => this.get(key, { ...options, snapshot: own })),
      );
    } finally {
      holds.drop(hold);
    }
  }

  has(key: Uint8Array, options?: ReadOptions): Eventual<boolean> {
    if (!this.#find(key, options)) return false;
    if (this.#isOver(this.#location)) return this.#absentLater(this.#location.expiry, false);
    return true;
  }

  hasSync(key: Uint8Array, options?: ReadOptions): boolean {
    if (!this.#find(key, options)) return false;
    const { expiry } = this.#location;
    return expiry === 0 || !this.#isOverSync(expiry);
  }

  write(batch: WriteBatch, policy?: SyncPolicy): Promise<void> {
    try {
      this.#assertOpen();
      return this.#parts.writer.write(batch, this.#policy(policy));
    } catch (error) {
      // One way to hear of failures: the promise.
      return Promise.reject(error);
    }
  }

  writeSync(batch: WriteBatch, policy?: SyncPolicy): void {
    this.#assertOpen();
    this.#parts.writer.writeSync(batch, this.#policy(policy));
  }

  iterator(options: IteratorOptions = {}): EntryIterator {
    this.#assertOpen();
    const given = this.#stateOf(options);
    const { holds } = this.#parts;
    const hold = given === undefined ? holds.take() : holds.share(given);
    const iterator = new BitcaskIterator(this.#iteratorParts, hold, options);
    this.#iterators.add(iterator);
    return iterator;
  }

  snapshot(): EngineSnapshot {
    this.#assertOpen();
    const snapshot = new BitcaskSnapshot(this.#parts.holds, (gone) => {
      this.#snapshots.delete(gone);
    });
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  async clear(options: ClearOptions = {}, policy?: SyncPolicy): Promise<void> {
    await clearRange(this, options, policy);
  }

  approximateSize(range: KeyRange): number {
    const iterator = this.iterator({ ...range, values: false }) as BitcaskIterator;
    try {
      return iterator.entryBytes();
    } finally {
      iterator.close();
    }
  }

  async compact(_range?: KeyRange, options: ProgressOptions = {}): Promise<void> {
    this.#assertOpen();
    await this.#parts.writer.rotate();
    const control = this.#untilClosed(options);
    await this.#merging.run(async () => {
      this.#assertOpen();
      const { fileBytes } = this.#parts.settings;
      const { isOver } = this.#iteratorParts;
      await this.#merge(worthMerging(this.#sealed(), fileBytes, isOver), control);
    });
  }

  async verify(options: ProgressOptions = {}): Promise<VerifyReport> {
    this.#assertOpen();
    // A disk that has no room for a new log does not keep the others from being read.
    await this.#parts.writer
      .rotate()
      .catch(() => 'then the log in use is read as far as it is known');
    // What is verified must stay: a hold keeps files that a merge replaces meanwhile.
    const control = this.#untilClosed(options);
    return this.#held(() => verifyStore(this.#parts, this.#parts.keeper.current, control));
  }

  stats(): EngineStats {
    this.#assertOpen();
    const { files, index, cache, holds, expiry } = this.#parts;
    // The counts of the files are of now.
    index.catchUp();
    let count = 0;
    let diskBytes = 0;
    let deadBytes = 0;
    for (const file of files) {
      count++;
      diskBytes += file.length;
      deadBytes += file.deadBytes;
    }
    return {
      engine: this.name,
      files: count,
      diskBytes,
      memoryBytes: index.keydir.bytes + cache.bytes,
      entries: index.keydir.count,
      snapshots: this.#snapshots.size + this.#iterators.size,
      details: {
        keydirBytes: index.keydir.bytes,
        cacheBytes: cache.bytes,
        liveBytes: index.liveBytes,
        deadBytes,
        mergeCount: this.#merges,
        mergeFailure: this.#mergeFailure,
        retiredFileCount: holds.retiredCount,
        sequenceCount: this.#parts.writer.sequence,
        clockMs: expiry.stored,
      },
    };
  }

  async backup(directory: string, options: ProgressOptions = {}): Promise<BackupReport> {
    return this.#held(() => backupStore(this.#parts, directory, this.#untilClosed(options)));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { writer, files, holds, lock } = this.#parts;
    for (const iterator of this.#iterators) iterator.close();
    for (const snapshot of this.#snapshots) snapshot.release();
    this.#stopping.abort(closedError('store'));
    try {
      await this.#merging.idle();
      await writer.close();
      await saveIndex(this.#parts);
    } finally {
      await Promise.allSettled(this.#underWay);
      await holds.settled();
      for (const { file } of files) await file.close().catch(() => 'it was only read');
      await lock.release();
    }
  }

  /** Fills `#location`. */
  #find(key: Uint8Array, options: ReadOptions | undefined): boolean {
    this.#assertOpen();
    const state = options?.snapshot === undefined ? undefined : this.#stateOf(options)?.state;
    return this.#parts.index.keydir.find(key, 0, key.length, this.#location, state);
  }

  get #file(): DataFile {
    return this.#parts.files.at(this.#location.file);
  }

  async #getLater(key: Uint8Array, options?: ReadOptions): Promise<Buffer | undefined> {
    const { offset } = this.#location;
    const file = this.#file;
    const own = Buffer.from(key);
    const fetched = await this.#reader.fetch(this.#location, options?.fillCache ?? true);
    this.#reader.check(file, offset, fetched, own, 0, own.length);
    return copyOf(fetched.bytes, this.#reader.entry.keyEnd, this.#reader.entry.valueEnd);
  }

  #isOver(location: KeyLocation): boolean {
    return location.expiry !== 0 && this.#parts.expiry.isOver(location.expiry);
  }

  /** The answer for an entry that has expired, when it may be given. */
  #absentLater<T>(expiry: number, answer: T): Eventual<T> {
    if (!this.#parts.expiry.mustStore(expiry)) return answer;
    return this.#storeClock().then(() => answer);
  }

  #isOverSync(expiry: number): boolean {
    if (!this.#parts.expiry.isOver(expiry)) return false;
    if (this.#parts.expiry.mustStore(expiry)) this.#storeClockSync();
    return true;
  }

  /** A disk that does not take the time must not keep anybody from reading. */
  async #storeClock(): Promise<void> {
    try {
      await this.#parts.writer.storeClock();
    } catch {
      this.#parts.expiry.noteUnstored();
    }
  }

  #storeClockSync(): void {
    try {
      this.#parts.writer.storeClockSync();
    } catch {
      this.#parts.expiry.noteUnstored();
    }
  }

  #sealed(): DataFile[] {
    const { files, keeper, index } = this.#parts;
    index.catchUp();
    const named = new Set(keeper.current.files.filter(({ open }) => !open).map((f) => f.number));
    return [...files].filter((file) => named.has(file.number));
  }

  /** Begins a merge in the background, when one is due and none waits. */
  #considerMerge(): void {
    const { settings, poison } = this.#parts;
    const { merge } = settings;
    if (merge === null || this.#mergeWaits || this.#closing !== null || poison.poisoned) return;
    this.#mergeWaits = true;
    const control = { signal: this.#stopping.signal, onProgress: undefined };
    void this.#merging
      .run(async () => {
        await this.#parts.writer.settled();
        await this.#parts.index.catchUpInTurns(settings.clock);
        this.#mergeWaits = false;
        const { isOver } = this.#iteratorParts;
        await this.#merge(dueForMerge(this.#sealed(), merge, isOver), control);
      })
      .catch((error: unknown) => {
        // Nothing is lost by a merge that fails; `compact` tells, and `stats` shows it.
        this.#mergeFailure = error instanceof Error ? error.message : String(error);
      });
  }

  async #merge(inputs: readonly DataFile[], control: MergeControl): Promise<void> {
    if (control.signal.aborted) return;
    if (inputs.length === 0) {
      control.onProgress?.({ phase: 'nothing to merge', done: 0, total: 0, unit: 'bytes' });
      return;
    }
    const { settings, writer } = this.#parts;
    const { dispatch, clock, fileBytes } = settings;
    const around = { ...this.#parts, dispatch, clock, fileBytes, syncLogs: () => writer.sync() };
    await new Merger(around, inputs, control).run();
    this.#merges++;
  }

  async #held<T>(work: () => Promise<T>): Promise<T> {
    this.#assertOpen();
    const hold = this.#parts.holds.take();
    const running = work();
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
      this.#parts.holds.drop(hold);
    }
  }

  /** Long work ends when its caller says so, or when the store is closed. */
  #untilClosed({ signal, onProgress }: ProgressOptions): MergeControl {
    const signals = [this.#stopping.signal];
    if (signal !== undefined) signals.push(signal);
    return { signal: AbortSignal.any(signals), onProgress };
  }

  #policy(policy: SyncPolicy | undefined): SyncPolicy {
    return policy === undefined ? this.#parts.settings.policy : toSyncPolicy(policy);
  }

  #stateOf(options: ReadOptions | undefined): StateHold | undefined {
    const snapshot = options?.snapshot;
    if (snapshot === undefined) return undefined;
    if (snapshot instanceof HeldState) return snapshot.hold;
    const ours = snapshot instanceof BitcaskSnapshot && this.#snapshots.has(snapshot);
    assert(ours && snapshot.hold !== null, 'a snapshot is of this engine and not released');
    return snapshot.hold;
  }

  #assertOpen(): void {
    if (this.#closing !== null) throw closedError('store');
  }
}

/** A state that the engine itself holds while it reads. */
class HeldState implements EngineSnapshot {
  readonly hold: StateHold;

  constructor(hold: StateHold) {
    this.hold = hold;
  }

  release(): void {}
}

/** Up to this length a loop is faster than a call out of JavaScript with a view made for it. */
const LOOP_BYTES_MAX = 48;

function copyOf(bytes: Uint8Array, start: number, end: number): Buffer {
  const length = end - start;
  const copy = Buffer.allocUnsafe(length);
  if (length <= LOOP_BYTES_MAX) {
    for (let index = 0; index < length; index++) copy[index] = bytes[start + index]!;
  } else {
    // A plain view: one of a buffer's own kind takes twice as long to make.
    copy.set(new Uint8Array(bytes.buffer, bytes.byteOffset + start, length));
  }
  return copy;
}
