/**
 * The segments of an open log: which one is written, how the next one takes over, how the oldest
 * ones go. Knows payloads, not records.
 *
 * Rotation never stops anybody who appends:
 *
 * 1. The next file is made, and its name synced, while appends still go to the old one.
 * 2. In one step the new one becomes the current one. What is appended is accepted into it, numbered
 *    behind the old one's last record, and held back.
 * 3. The old one is synced. Now the new one is let go: it gets its first byte.
 * 4. The old one is cut and closed; the pointer names the new one.
 *
 * Truncation: 1. everything is synced, so that what stays can be read without what goes; 2. the
 * pointer names the first segment that stays; 3. the others are removed, oldest first.
 */

import type { Timer } from '../base/clock.ts';
import { FileChangeError } from '../base/errors.ts';
import { SerialQueue } from '../base/serial-queue.ts';
import { wasRefused } from '../durable/change-outcome.ts';
import { meaningOf, Poison } from '../durable/poison.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { runLater, runNow } from '../durable/two-forms.ts';
import { createSegment, createSegmentSync, prepareChain, writerOptions } from './chain-files.ts';
import type { ChainGiven, ChainListener, ChainParts } from './chain-files.ts';
import { SegmentWriter } from './segment-writer.ts';
import type { SegmentWriterOptions, SequencedPayload } from './segment-writer.ts';
import { segmentPath, writeWalPointer } from './wal-directory.ts';
import type { WalPointer } from './wal-directory.ts';
import type { WalSettings } from './wal-options.ts';
import { removeFiles } from './wal-recovery.ts';
import type { SealedSegment } from './wal-recovery.ts';

/** A log in which nothing has moved for so long gets its watermark. */
const IDLE_MS = 250;

export class WalChain implements ChainListener {
  readonly poison: Poison;
  readonly #directory: string;
  readonly #settings: WalSettings;
  readonly #preallocateBytes: number;
  readonly #onProgress: () => void;
  readonly #sealed: SealedSegment[];
  /** Rotations and truncations, one at a time. */
  readonly #queue = new SerialQueue();
  #pointer: WalPointer;
  #number: number;
  #current: SegmentWriter;
  /** The segment before the current one, until it is synced; the current one is held so long. */
  #sealing: SegmentWriter | null = null;
  /** How many rotations are under way or wait: while any is, no other one makes a file. */
  #rotations = 0;
  #rotateAt: number;
  #closing = false;
  #idle: Timer | null = null;

  private constructor(parts: ChainParts, current: SegmentWriter) {
    const { directory, settings, preallocateBytes, recovered, poison, onProgress } = parts;
    this.#directory = directory;
    this.#settings = settings;
    this.#preallocateBytes = preallocateBytes;
    this.#onProgress = onProgress;
    this.#sealed = [...recovered.sealed];
    this.#pointer = recovered.pointer;
    this.#number = recovered.number;
    this.#rotateAt = settings.segmentBytes;
    this.#current = current;
    this.poison = poison;
  }

  static async open(given: ChainGiven): Promise<WalChain> {
    const { parts, options, join } = prepareChain<WalChain>(given);
    const path = segmentPath(parts.directory, parts.recovered.number);
    const current = await SegmentWriter.open(path, parts.recovered.place, options);
    return join(new WalChain(parts, current));
  }

  static openSync(given: ChainGiven): WalChain {
    const { parts, options, join } = prepareChain<WalChain>(given);
    const path = segmentPath(parts.directory, parts.recovered.number);
    const current = SegmentWriter.openSync(path, parts.recovered.place, options);
    return join(new WalChain(parts, current));
  }

  get firstSequence(): number {
    return this.#sealed[0]?.firstSequence ?? (this.#sealing ?? this.#current).firstSequence;
  }

  get lastSequence(): number {
    return this.#current.lastSequence;
  }

  get writtenSequence(): number {
    return (this.#sealing ?? this.#current).writtenSequence;
  }

  get durableSequence(): number {
    return (this.#sealing ?? this.#current).durableSequence;
  }

  /** The segments and how far each can be read: up to `limit`, at most what is written. */
  segments(limit: number): SealedSegment[] {
    const list = [...this.#sealed];
    const open = this.#sealing === null ? [this.#current] : [this.#sealing, this.#current];
    for (const [index, { path, firstSequence, writtenSequence }] of open.entries()) {
      const number = this.#number - open.length + 1 + index;
      list.push({ number, path, firstSequence, lastSequence: Math.min(writtenSequence, limit) });
    }
    return list;
  }

  append(payload: SequencedPayload, policy: SyncPolicy): Promise<void> {
    if (this.#current.length >= this.#rotateAt && this.#rotations === 0) {
      // Whoever appends hears of what it means for them: from the poison, or not at all.
      this.rotate().catch(() => 'tried again later');
    }
    return this.#current.append(payload, policy);
  }

  appendSync(payload: SequencedPayload, policy: SyncPolicy): void {
    this.#settleSync();
    if (this.#current.length >= this.#rotateAt && this.#rotations === 0) this.#rotateSync();
    this.#current.appendSync(payload, policy);
  }

  sync(): Promise<void> {
    return this.#current.sync();
  }

  syncSync(): void {
    this.#settleSync();
    this.#current.syncSync();
  }

  /** Begins a new segment, unless the current one has no record. */
  rotate(): Promise<void> {
    this.#rotations++;
    return this.#queue.run(async () => {
      try {
        if (this.#closing || this.#isEmpty) await this.#syncAll();
        else await this.#rotateLater();
      } finally {
        this.#rotations--;
      }
    });
  }

  /** Removes the segments that hold nothing behind `upTo`. */
  truncate(upTo: number): Promise<void> {
    return this.#queue.run(() => this.#truncate(upTo));
  }

  /** Makes everything durable and says so in a watermark. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#stopIdle();
    await this.#queue.idle();
    try {
      if (!this.poison.poisoned) await this.#syncAll();
      if (!this.poison.poisoned && !this.#current.closed) await this.#current.appendWatermark();
    } catch (error) {
      // Without room for the watermark the records are as durable as with it.
      if (this.poison.poisoned || meaningOf('write', error) === 'poisoned') throw error;
    } finally {
      this.#stopIdle();
      // Still there only where its sync has failed, which is told by the current one too.
      await this.#sealing?.close().catch(() => 'its descriptors are given back');
      await this.#current.close();
    }
  }

  /** As `close`; resolves, or has resolved, when nothing runs in the background any more. */
  closeSync(): Promise<void> | null {
    this.#closing = true;
    const busy = this.#rotations > 0 || this.#queue.pending > 0;
    try {
      if (!this.poison.poisoned) this.syncSync();
      if (!this.poison.poisoned && !this.#current.closed) this.#current.appendWatermarkSync();
    } catch (error) {
      // As in `close`.
      if (this.poison.poisoned || meaningOf('write', error) === 'poisoned') throw error;
    } finally {
      this.#stopIdle();
      this.#current.closeSync();
    }
    return busy ? this.#queue.idle() : null;
  }

  get #isEmpty(): boolean {
    return this.#current.lastSequence < this.#current.firstSequence;
  }

  async #rotateLater(): Promise<void> {
    const path = segmentPath(this.#directory, this.#number + 1);
    let writer: SegmentWriter;
    try {
      writer = await createSegment(this.#settings.dispatch.vfs, path, this.#options(true));
    } catch (error) {
      throw this.#creationFailed(error);
    }
    if (this.#closing) {
      // A synchronous close has overtaken it: an empty file, which the next recovery takes.
      await writer.close();
      return;
    }
    const old = this.#current;
    this.#sealing = old;
    this.#takeOver(writer);
    await this.#syncSealing(old);
    await old.close();
    try {
      await this.#point({ ...this.#pointer, last: this.#number });
    } catch (error) {
      // Without room for the pointer, the old one is as true.
      if (this.poison.poisoned) throw error;
    }
  }

  /** Step 3. */
  async #syncSealing(old: SegmentWriter): Promise<void> {
    while (this.#sealing === old) {
      try {
        await old.sync();
        this.#letGo(old);
      } catch (error) {
        // Refused records are taken back, and what is left can be synced.
        if (!this.poison.poisoned && error instanceof FileChangeError) continue;
        if (this.#sealing === old) this.#current.discard(error as Error, old.lastSequence + 1);
        throw error;
      }
    }
  }

  /** Nothing of what was appended is left in memory behind a segment that is not synced. */
  #settleSync(): void {
    const old = this.#sealing;
    if (old === null) return;
    old.syncSync();
    this.#letGo(old);
  }

  #rotateSync(): void {
    const old = this.#current;
    const path = segmentPath(this.#directory, this.#number + 1);
    old.syncSync();
    let writer: SegmentWriter;
    try {
      writer = createSegmentSync(this.#settings.dispatch.vfs, path, this.#options(false));
    } catch (error) {
      // Without room for a new segment, the old one grows.
      const failure = this.#creationFailed(error);
      if (this.poison.poisoned) throw failure;
      return;
    }
    this.#takeOver(writer);
    this.#seal(old, this.#number - 1);
    old.closeSync();
    this.#pointSync({ ...this.#pointer, last: this.#number });
  }

  /** Step 2. */
  #takeOver(writer: SegmentWriter): void {
    const old = this.#current;
    this.#current = writer;
    this.#number++;
    this.#rotateAt = this.#settings.segmentBytes;
    writer.begin(old.lastSequence + 1);
  }

  #letGo(old: SegmentWriter): void {
    if (this.#sealing !== old) return;
    this.#sealing = null;
    this.#seal(old, this.#number - 1);
    this.#current.release();
  }

  #seal({ path, firstSequence, lastSequence }: SegmentWriter, number: number): void {
    this.#sealed.push({ number, path, firstSequence, lastSequence });
  }

  async #syncAll(): Promise<void> {
    for (;;) {
      try {
        await this.#current.sync();
        return;
      } catch (error) {
        // As in `#syncSealing`: those who were refused have been told.
        if (this.poison.poisoned || !(error instanceof FileChangeError)) throw error;
      }
    }
  }

  async #truncate(upTo: number): Promise<void> {
    const kept = this.#sealed.findIndex(({ lastSequence }) => lastSequence > upTo);
    const gone = this.#sealed.slice(0, kept === -1 ? this.#sealed.length : kept);
    if (gone.length === 0) return;
    await this.#syncAll();
    const first = this.#sealed[gone.length] ?? {
      number: this.#number,
      firstSequence: this.#current.firstSequence,
    };
    const before = this.#pointer;
    const { number, firstSequence } = first;
    const pointer = { first: number, last: this.#number, firstSequence };
    // At once, so that a rotation beside it does not bring the old first segment back.
    this.#pointer = pointer;
    try {
      await this.#point(pointer);
    } catch (error) {
      if (!this.poison.poisoned) this.#pointer = { ...before, last: this.#pointer.last };
      throw error;
    }
    this.#sealed.splice(0, gone.length);
    const paths = gone.map(({ path }) => path);
    try {
      await runLater(removeFiles(this.#settings.dispatch, paths));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  async #point(pointer: WalPointer): Promise<void> {
    this.#pointer = pointer;
    try {
      await runLater(writeWalPointer(this.#settings.dispatch.vfs, this.#directory, pointer));
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** As `#point`, after a rotation. */
  #pointSync(pointer: WalPointer): void {
    this.#pointer = pointer;
    try {
      runNow(writeWalPointer(this.#settings.dispatch.vfs, this.#directory, pointer));
    } catch (error) {
      // As in `#rotateLater`.
      const failure = this.#failed(error);
      if (this.poison.poisoned) throw failure;
    }
  }

  #creationFailed(error: unknown): unknown {
    this.#rotateAt = this.#current.length + (this.#settings.segmentBytes >> 2);
    return this.#failed(error);
  }

  /** What a failed change of the directory means (P7): refused with nothing done, or the end. */
  #failed(error: unknown): unknown {
    const nothingDone = !(error instanceof FileChangeError) || error.outcome === 'old';
    if (nothingDone && (meaningOf('write', error) === 'refused' || wasRefused(error))) return error;
    this.poison.poison(error);
    return this.poison.error('unknown');
  }

  #options(held: boolean): SegmentWriterOptions {
    return writerOptions(this.#settings, this.#preallocateBytes, this.poison, this, held);
  }

  /** Records of the segment that is being sealed were refused: those behind them cannot stay. */
  refused(refusal: FileChangeError): void {
    const old = this.#sealing;
    if (old !== null) this.#current.discard(refusal, old.lastSequence + 1);
  }

  /** Something was written or synced. */
  progressed(): void {
    this.#onProgress();
    if (this.#idle !== null || this.#closing) return;
    const { lastSequence } = this;
    this.#idle = this.#settings.clock.after(IDLE_MS, () => this.#afterIdle(lastSequence));
  }

  #afterIdle(lastSequence: number): void {
    this.#idle = null;
    if (this.#closing || this.poison.poisoned) return;
    if (lastSequence !== this.lastSequence) {
      this.progressed();
      return;
    }
    const settled = this.#sealing === null && this.durableSequence === lastSequence;
    if (!settled || this.#current.closed) return;
    this.#current.appendWatermark().catch(() => 'the next append hears of a failure that matters');
  }

  #stopIdle(): void {
    this.#idle?.cancel();
    this.#idle = null;
  }
}
