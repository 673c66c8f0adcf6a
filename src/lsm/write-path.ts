/**
 * The way of a batch: a place in line, a sequence number, the log, the memtable. And the change to
 * a new log and memtable when the old one is full, in this order, each step load-bearing:
 *
 * 1. the new log is created, and its name durable, ahead of need;
 * 2. batches accepted from now on wait at the gate;
 * 3. everything in the old log becomes durable;
 * 4. its memtable is complete and becomes immutable; the gate opens, and the batches at it go to
 *    the new log.
 *
 * The flush of the immutable memtable is `maintenance`. A synchronous write does the steps that are
 * under way itself, so that the order of calls is the order of commits; and the flush too, once the
 * second memtable is overfull: the background cannot answer a thread that never lets go.
 */

import { HoldfastError } from '../base/errors.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { closedError, expiryError } from '../engine/engine-errors.ts';
import type { WriteBatch } from '../engine/write-batch.ts';
import { LOG_RECORD_BYTES_MAX } from '../wal/log-format.ts';
import { BatchInserter } from './batch-inserter.ts';
import { FlushTask } from './flush-task.ts';
import { SEQUENCE_MAX, putSequence } from './internal-key.ts';
import type { LsmLog, LsmLogSettings } from './lsm-log.ts';
import { Memtable, memtableFilterBytes } from './memtable.ts';
import { NextLog } from './next-log.ts';
import { queued, WriteLine } from './write-line.ts';
import type { Queued } from './write-line.ts';
import type { WriteStart, WriteSurroundings } from './write-surroundings.ts';
import { WriteThrottle } from './write-throttle.ts';

/** A memtable this many times over its size makes asynchronous writers wait. */
const OVERFULL_FACTOR = 2;
/** A new log is made when the memtable is so full. */
const NEXT_LOG_AT = 0.5;
/** More than this in memory becomes a table at close, so that the next open need not read a log. */
const CLOSE_FLUSH_BYTES = 256 << 10;
/** Writers that wait until everything in a log is durable. */
interface Gate {
  readonly old: LsmLog;
  readonly queue: Queued[];
}

/** A batch that is in the log and not in the memtable. */
interface Logged {
  readonly batch: WriteBatch;
  readonly first: number;
  /** Where it ends in the log. */
  readonly end: number;
}

export class WritePath {
  readonly #around: WriteSurroundings;
  readonly #throttle = new WriteThrottle();
  readonly #nextLog: NextLog;
  readonly #line: WriteLine;
  #log: LsmLog;
  #memtable: Memtable;
  #memtables: readonly Memtable[] = [];
  /** One that was flushed and that nobody reads any more: its memory is the next one's. */
  #spare: Memtable | null = null;
  /** The flush of the immutable memtable. */
  #task: FlushTask | null = null;
  #nextSequence: number;
  #visibleSequence: number;
  /** Step 2: the log that must become durable, and who waits for it. */
  #gate: Gate | null = null;
  #gatePassed: Promise<void> = Promise.resolve();
  #logged: Logged[] = [];
  #flushing: Promise<void> = Promise.resolve();
  #retired: Promise<unknown> = Promise.resolve();
  /** Callers that share a group share what follows it. */
  #lastPromise: Promise<void> | null = null;
  #lastDone: Promise<void> = Promise.resolve();

  constructor(around: WriteSurroundings, start: WriteStart) {
    this.#around = around;
    const settings: LsmLogSettings = {
      ...around.log,
      onRefused: (log, first) => this.#refused(log, first),
    };
    this.#nextLog = new NextLog(settings, around.clock, () => around.takeFileNumber());
    this.#line = new WriteLine({
      obstacle: () => this.#obstacle(),
      accept: (batch, policy) => this.#accept(batch, policy),
    });
    this.#log = start.log;
    this.#nextSequence = start.nextSequence;
    this.#visibleSequence = start.nextSequence - 1;
    this.#memtable = new Memtable(undefined, memtableFilterBytes(around.bufferBytes));
    // It was made before there was anybody to tell.
    this.#log.start(this.#visibleSequence, settings.onRefused);
  }

  /** Newest first. The same array as long as they are the same. */
  get memtables(): readonly Memtable[] {
    const immutable = this.#task?.memtable ?? null;
    if (this.#memtables[0] !== this.#memtable || (this.#memtables[1] ?? null) !== immutable) {
      this.#memtables = immutable === null ? [this.#memtable] : [this.#memtable, immutable];
    }
    return this.#memtables;
  }

  /** What readers of now see. */
  get visibleSequence(): number {
    return this.#visibleSequence;
  }

  get memoryBytes(): number {
    const others = [this.#task?.memtable, this.#spare];
    return others.reduce((sum, one) => sum + (one?.memoryBytes ?? 0), this.#memtable.memoryBytes);
  }

  get logBytes(): number {
    return this.#log.length;
  }

  /** See `Engine.write`. */
  write(batch: WriteBatch, policy: SyncPolicy): Promise<void> {
    try {
      this.#check(batch);
    } catch (error) {
      return Promise.reject(error);
    }
    if (!this.#line.isEmpty || this.#mustWait()) return this.#line.join(batch, policy);
    return this.#accept(batch, policy);
  }

  /** See `Engine.writeSync`. */
  writeSync(batch: WriteBatch, policy: SyncPolicy): void {
    this.#check(batch);
    // Who came before goes before, whatever it waits for.
    this.#line.empty();
    if (this.#gate !== null) {
      this.#gate.old.finishSync();
      this.#passGate();
    }
    if (this.#isFull) this.#makeRoomSync();
    if (batch.count === 0) {
      if (policy === 'sync') this.#log.syncSync();
      this.#apply(this.#log.writtenLength);
      return;
    }
    const first = this.#nextSequence;
    try {
      this.#log.appendSync(this.#numbered(batch, first), first, first + batch.count - 1, policy);
    } catch (error) {
      // It was refused, perhaps with others before it.
      this.#nextSequence = Math.min(this.#nextSequence, first);
      throw error;
    }
    this.#nextSequence = first + batch.count;
    this.#logged.push({ batch, first, end: this.#log.length });
    this.#apply(Infinity);
  }

  /**
   * Makes a table of what is in memory. Resolves when that is durable, or given up. Rejects when there is no room for
   * it for now: it is made later all the same.
   */
  async flush(): Promise<void> {
    for (;;) {
      await this.#gatePassed;
      const flushing = this.#flushing;
      await this.#attempted();
      this.#around.poison.check();
      if (this.#task !== null && this.#flushing === flushing) throw closedError('store');
      if (this.#memtable.count === 0 && this.#logged.length === 0) return;
      const isReady = await this.#makeNextLog();
      if (!isReady || this.#gate !== null || this.#task !== null) continue;
      this.#changeLog();
      await this.#gatePassed;
      await this.#attempted();
      return;
    }
  }

  /** Everything accepted is in the log when it resolves, and durable. Takes nothing any more. */
  async close(): Promise<void> {
    this.#line.empty();
    try {
      if (this.#memtable.bytes > CLOSE_FLUSH_BYTES) await this.#flushForNextOpen();
      await this.#gatePassed;
      await this.#log.finish();
    } finally {
      await Promise.allSettled([this.#flushing, this.#retired]);
      await this.#nextLog.close();
      await this.#log.close();
    }
  }

  /** A table is opened faster than a log is read. Without room for one the log does. */
  async #flushForNextOpen(): Promise<void> {
    try {
      await this.flush();
    } catch {
      // Everything is in the log, which is closed next; that fails if writing has ended.
    }
  }

  #check(batch: WriteBatch): void {
    this.#around.check();
    if (batch.expires) throw expiryError('lsm');
    if (batch.byteLength > LOG_RECORD_BYTES_MAX) {
      throw new HoldfastError(
        'HOLDFAST_TOO_LARGE',
        `a batch of ${batch.byteLength} bytes is over the limit of ${LOG_RECORD_BYTES_MAX}`,
      );
    }
    if (this.#nextSequence + batch.count > SEQUENCE_MAX) {
      throw new HoldfastError('HOLDFAST_TOO_LARGE', 'the store has no sequence numbers left');
    }
  }

  /** Numbers a batch and sends it on its way. */
  #accept(batch: WriteBatch, policy: SyncPolicy): Promise<void> {
    this.#changeLogIfFull();
    const pressure = this.#pressure();
    if (pressure <= 0) this.#throttle.forgive();
    else this.#throttle.debit(batch.byteLength, pressure, this.#around.clock.monotonicMs());
    if (this.#gate !== null) return queued(this.#gate.queue, batch, policy);
    return this.#append(batch, policy);
  }

  #append(batch: WriteBatch, policy: SyncPolicy): Promise<void> {
    const log = this.#log;
    if (batch.count === 0) {
      return policy === 'sync' ? log.sync() : this.#lastDone.catch(() => undefined);
    }
    const first = this.#nextSequence;
    this.#nextSequence = first + batch.count;
    const bytes = this.#numbered(batch, first);
    const promise = log.append(bytes, first, first + batch.count - 1, policy);
    this.#logged.push({ batch, first, end: log.length });
    if (promise === this.#lastPromise) return this.#lastDone;
    const done = this.#applyAfter(promise, log);
    this.#lastPromise = promise;
    this.#lastDone = done;
    return done;
  }

  async #applyAfter(logged: Promise<void>, log: LsmLog): Promise<void> {
    await logged;
    // Those of an older log were applied when the gate opened.
    if (log === this.#log) this.#apply(log.writtenLength);
  }

  #numbered(batch: WriteBatch, first: number): Uint8Array {
    const bytes = batch.encoded();
    putSequence(bytes, 0, first);
    return bytes;
  }

  /** Puts batches that end up to `writtenLength` of the log into the memtable. */
  #apply(writtenLength: number): void {
    const logged = this.#logged;
    let count = 0;
    while (count < logged.length && logged[count]!.end <= writtenLength) {
      const { batch, first } = logged[count]!;
      this.#inserter.begin(this.#memtable, first);
      batch.visit(this.#inserter);
      this.#visibleSequence = first + batch.count - 1;
      count++;
    }
    if (count === logged.length) logged.length = 0;
    else logged.splice(0, count);
    if (this.#memtable.bytes >= NEXT_LOG_AT * this.#around.bufferBytes) this.#nextLog.prepare();
  }

  readonly #inserter = new BatchInserter();

  /** Records from `first` on are not in the log, and never were. */
  #refused(log: LsmLog, first: number): void {
    if (log !== this.#log) return;
    this.#nextSequence = first;
    this.#logged = this.#logged.filter((logged) => logged.first < first);
    this.#lastPromise = null;
  }

  get #isFull(): boolean {
    return this.#memtable.bytes >= this.#around.bufferBytes;
  }

  get #isOverfull(): boolean {
    return this.#memtable.bytes >= OVERFULL_FACTOR * this.#around.bufferBytes;
  }

  #mustWait(): boolean {
    if (this.#isOverfull) return true;
    const throttle = this.#throttle;
    return throttle.hasDebt && throttle.waitMs(this.#around.clock.monotonicMs()) > 0;
  }

  /** Tables that wait for a compaction, and a memtable that fills before the other is flushed. */
  #pressure(): number {
    const fill = this.#memtable.bytes / (OVERFULL_FACTOR * this.#around.bufferBytes);
    const behind = this.#task === null ? 0 : 2 * fill - 1;
    return Math.max(behind, this.#around.pressure());
  }

  /** See `LineEnd.obstacle`. */
  #obstacle(): Promise<void> | null {
    const { clock } = this.#around;
    this.#around.check();
    if (this.#isOverfull) {
      this.#changeLogIfFull();
      if (this.#gate === null) return this.#makeRoom();
      return this.#gatePassed.catch(() => 'its writers hear of it').then(() => undefined);
    }
    const waitMs = this.#throttle.waitMs(clock.monotonicMs());
    return waitMs > 0 ? clock.sleep(waitMs) : null;
  }

  /** Rejects when there is no room for now. */
  async #makeRoom(): Promise<void> {
    const isReady = await this.#makeNextLog();
    if (!isReady || this.#task === null) return;
    const refusal = await Promise.race([this.#flushing, this.#task.refusal()]);
    if (refusal !== undefined) throw refusal;
  }

  /** False when a synchronous writer has taken it meanwhile. Rejects when there is no room for it. */
  async #makeNextLog(): Promise<boolean> {
    const nextLog = this.#nextLog;
    await nextLog.make();
    if (!nextLog.isReady && nextLog.failure !== null) throw nextLog.failure;
    return nextLog.isReady;
  }

  /** Resolves when the flush under way has ended; rejects when its next attempt is refused. */
  async #attempted(): Promise<void> {
    const refused = this.#task?.nextRefusal();
    const refusal = await (refused === undefined
      ? this.#flushing
      : Promise.race([this.#flushing, refused]));
    if (refusal !== undefined) throw refusal;
  }

  /** As `makeRoom`, on the calling thread, and the change of the log with it. */
  #makeRoomSync(): void {
    if (this.#task?.isDone === false) {
      // The background has the time in which the second memtable fills once more.
      if (!this.#isOverfull) return;
      this.#around.flushSync(this.#task);
    }
    this.#task = null;
    if (!this.#nextLog.isReady) {
      if (this.#nextLog.isBeingMade && !this.#isOverfull) return;
      this.#nextLog.makeSync();
    }
    const old = this.#log;
    old.finishSync();
    old.closeSync();
    this.#swap();
  }

  #changeLogIfFull(): void {
    if (!this.#isFull || this.#task !== null || this.#gate !== null) return;
    if (this.#nextLog.isReady) this.#changeLog();
    else this.#nextLog.prepare();
  }

  /** Steps 2 and 3. REQUIRES: a next log, no gate, no immutable memtable. */
  #changeLog(): void {
    const gate: Gate = { old: this.#log, queue: [] };
    this.#gate = gate;
    this.#gatePassed = this.#openGate(gate);
    this.#gatePassed.catch(() => 'whoever waits hears of it');
  }

  async #openGate(gate: Gate): Promise<void> {
    try {
      await gate.old.finish();
    } catch (error) {
      if (this.#gate !== gate) return;
      this.#gate = null;
      for (const one of gate.queue) one.reject(error);
      throw error;
    }
    if (this.#gate === gate) this.#passGate();
  }

  /** Step 4. REQUIRES: everything in the old log is durable. */
  #passGate(): void {
    const { old, queue } = this.#gate!;
    this.#gate = null;
    this.#retired = Promise.allSettled([this.#retired, old.close()]);
    this.#swap();
    for (const one of queue) one.resolve(this.#append(one.batch, one.policy));
  }

  /** The next log and a new memtable instead of the old ones. REQUIRES: as `passGate`. */
  #swap(): void {
    this.#apply(Infinity);
    this.#log = this.#nextLog.take();
    const task = new FlushTask(this.#memtable, this.#log.number, this.#visibleSequence);
    this.#task = task;
    this.#memtable = this.#emptyMemtable();
    this.#log.start(task.lastSequence);
    this.#lastPromise = null;
    this.#flushing = this.#flush(task, task.memtable!);
  }

  #emptyMemtable(): Memtable {
    const { bufferBytes } = this.#around;
    const spare = this.#spare;
    this.#spare = null;
    return spare ?? new Memtable(bufferBytes, memtableFilterBytes(bufferBytes));
  }

  async #flush(task: FlushTask, memtable: Memtable): Promise<void> {
    try {
      await this.#around.flush(task);
      if (this.#task !== task) return;
      this.#task = null;
      this.#keepSpare(memtable);
    } catch {
      // The memtable stays readable, and its log stays; the poison tells writers why.
    }
  }

  /** REQUIRES: it is flushed, no job reads it, and whoever asks for a state does not get it. */
  #keepSpare(memtable: Memtable): void {
    // What a large batch took should not be kept for ever.
    const bytesMax = 2 * OVERFULL_FACTOR * this.#around.bufferBytes;
    if (memtable.isHeld || memtable.memoryBytes > bytesMax) return;
    memtable.reset();
    this.#spare = memtable;
  }
}
