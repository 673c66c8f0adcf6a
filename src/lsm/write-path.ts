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
 * under way itself, so that the order of calls is the order of commits.
 */

import type { Clock } from '../base/clock.ts';
import { putFixed64 } from '../base/coding.ts';
import { HoldfastError } from '../base/errors.ts';
import type { Poison } from '../durable/poison.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { closedError } from '../engine/engine-errors.ts';
import type { WriteBatch } from '../engine/write-batch.ts';
import { LOG_RECORD_BYTES_MAX } from '../wal/log-format.ts';
import { BatchInserter } from './batch-inserter.ts';
import { SEQUENCE_MAX } from './internal-key.ts';
import { LsmLog } from './lsm-log.ts';
import type { LsmLogSettings } from './lsm-log.ts';
import { Memtable } from './memtable.ts';
import { WriteThrottle } from './write-throttle.ts';

/** What the write path needs of the store around it. */
export interface WriteSurroundings {
  readonly poison: Poison;
  readonly clock: Clock;
  readonly log: Omit<LsmLogSettings, 'onRefused'>;
  /** Bytes of a memtable at which it is full. */
  readonly bufferBytes: number;
  takeFileNumber(): number;
  /**
   * Makes a table of a memtable and lets the logs before `logNumber` go. Settles when that is
   * durable, or given up for now.
   */
  flush(order: FlushOrder): Promise<void>;
  /** How far the background is behind, from 0 to 1. */
  pressure(): number;
}

/** What `WriteSurroundings.flush` is asked for. */
export interface FlushOrder {
  readonly memtable: Memtable;
  readonly logNumber: number;
  readonly lastSequence: number;
  /** Called when an attempt was refused (a full disk); another follows. */
  readonly onRefused: (error: Error) => void;
}

/** Where a new store goes on. */
export interface WriteStart {
  readonly log: LsmLog;
  /** The number of the first operation to come. */
  readonly nextSequence: number;
}

/** A memtable this many times over its size makes asynchronous writers wait. */
const OVERFULL_FACTOR = 2;
/** A new log is made when the memtable is so full. */
const NEXT_LOG_AT = 0.5;
/** More than this in memory becomes a table at close, so that the next open need not read a log. */
const CLOSE_FLUSH_BYTES = 256 << 10;
/** After a log could not be made, the next attempt. */
const RETRY_MS = 200;

/** A batch that is not in a log yet. */
interface Queued {
  readonly batch: WriteBatch;
  readonly policy: SyncPolicy;
  readonly resolve: (done: Promise<void> | undefined) => void;
  readonly reject: (error: unknown) => void;
}

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
  readonly #logSettings: LsmLogSettings;
  readonly #throttle = new WriteThrottle();
  #log: LsmLog;
  #nextLog: LsmLog | null = null;
  #makingLog: Promise<void> | null = null;
  /** Why no log could be made, and when to try again. */
  #logFailure: unknown = null;
  #retryAtMs = 0;
  #memtable: Memtable;
  #immutable: Memtable | null = null;
  #nextSequence: number;
  #visibleSequence: number;
  /** Writers that wait for the background, in the order of their calls. */
  #line: Queued[] = [];
  #isPumping = false;
  /** Step 2: the log that must become durable, and who waits for it. */
  #gate: Gate | null = null;
  #gatePassed: Promise<void> = Promise.resolve();
  #logged: Logged[] = [];
  #flushing: Promise<void> = Promise.resolve();
  /** Why the flush under way could not be done so far, and who wants to know. */
  #flushRefusal: Error | null = null;
  #tellRefusal: () => void = () => {};
  #retired: Promise<unknown> = Promise.resolve();
  /** Callers that share a group share what follows it. */
  #lastPromise: Promise<void> | null = null;
  #lastDone: Promise<void> = Promise.resolve();

  constructor(around: WriteSurroundings, start: WriteStart) {
    this.#around = around;
    this.#logSettings = { ...around.log, onRefused: (log, first) => this.#refused(log, first) };
    this.#log = start.log;
    this.#nextSequence = start.nextSequence;
    this.#visibleSequence = start.nextSequence - 1;
    this.#memtable = new Memtable();
    this.#log.start(this.#visibleSequence);
  }

  /** Newest first. */
  get memtables(): readonly Memtable[] {
    return this.#immutable === null ? [this.#memtable] : [this.#memtable, this.#immutable];
  }

  /** What readers of now see. */
  get visibleSequence(): number {
    return this.#visibleSequence;
  }

  get memoryBytes(): number {
    return this.#memtable.memoryBytes + (this.#immutable?.memoryBytes ?? 0);
  }

  get logBytes(): number {
    return this.#log.length;
  }

  /** See `Engine.write`. */
  write(batch: WriteBatch, policy: SyncPolicy): Promise<void> {
    try {
      this.#check(batch);
    } catch (error) {
      // One way to hear of failures.
      return Promise.reject(error);
    }
    if (this.#line.length > 0 || this.#mustWait()) {
      return this.#queued(this.#line, batch, policy, () => this.#pump());
    }
    return this.#accept(batch, policy);
  }

  /** See `Engine.writeSync`. */
  writeSync(batch: WriteBatch, policy: SyncPolicy): void {
    this.#check(batch);
    // Who came before goes before, whatever it waits for.
    for (const one of this.#line.splice(0)) one.resolve(this.#accept(one.batch, one.policy));
    this.#changeLogIfFull(true);
    if (this.#gate !== null) {
      this.#gate.old.finishSync();
      this.#passGate();
    }
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

  /** Makes a table of what is in memory. Resolves when that is durable, or given up. */
  async flush(): Promise<void> {
    for (;;) {
      await this.#gatePassed;
      const flushing = this.#flushing;
      await flushing;
      this.#around.poison.check();
      if (this.#immutable !== null && this.#flushing === flushing) {
        throw closedError('store');
      }
      if (this.#memtable.count === 0 && this.#logged.length === 0) return;
      await this.#makeNextLog();
      if (this.#nextLog === null) throw this.#logFailure;
      if (this.#gate !== null || this.#immutable !== null) continue;
      this.#changeLog();
      await this.#gatePassed;
      await this.#flushing;
      return;
    }
  }

  /** Everything accepted is in the log when it resolves, and durable. Takes nothing any more. */
  async close(): Promise<void> {
    for (const one of this.#line.splice(0)) one.resolve(this.#accept(one.batch, one.policy));
    await this.#makingLog;
    try {
      if (this.#memtable.bytes > CLOSE_FLUSH_BYTES) await this.#flushForNextOpen();
      await this.#gatePassed;
      await this.#log.finish();
    } finally {
      await Promise.allSettled([this.#flushing, this.#retired]);
      await this.#nextLog?.close().catch(() => 'nothing is in it');
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
    this.#around.poison.check();
    if (batch.expires) throw new TypeError('the LSM engine has no entries that expire');
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
    this.#changeLogIfFull(false);
    this.#throttle.debit(batch.byteLength, this.#pressure(), this.#around.clock.monotonicMs());
    if (this.#gate !== null) return this.#queued(this.#gate.queue, batch, policy);
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

  #queued(line: Queued[], batch: WriteBatch, policy: SyncPolicy, then?: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      line.push({ batch, policy, resolve, reject });
      then?.();
    });
  }

  #numbered(batch: WriteBatch, first: number): Uint8Array {
    const bytes = batch.encoded();
    putFixed64(bytes, 0, BigInt(first));
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
    this.#prepareNextLog();
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

  #mustWait(): boolean {
    const { clock, bufferBytes } = this.#around;
    if (this.#memtable.bytes >= OVERFULL_FACTOR * bufferBytes) return true;
    return this.#throttle.waitMs(clock.monotonicMs()) > 0;
  }

  /** Tables that wait for a compaction, and a memtable that fills before the other is flushed. */
  #pressure(): number {
    const fill = this.#memtable.bytes / (OVERFULL_FACTOR * this.#around.bufferBytes);
    const behind = this.#immutable === null ? 0 : 2 * fill - 1;
    return Math.max(behind, this.#around.pressure());
  }

  /** Lets the writers in line go on, one after the other, as fast as the background allows. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    void this.#pumpLine().finally(() => {
      this.#isPumping = false;
      if (this.#line.length > 0) this.#pump();
    });
  }

  async #pumpLine(): Promise<void> {
    const { clock, poison, bufferBytes } = this.#around;
    while (this.#line.length > 0) {
      const next = this.#line[0]!;
      if (poison.poisoned) {
        for (const one of this.#line.splice(0)) one.reject(poison.error('old'));
        return;
      }
      if (this.#memtable.bytes >= OVERFULL_FACTOR * bufferBytes) {
        this.#changeLogIfFull(false);
        if (this.#gate === null) {
          await this.#makeNextLog();
          if (this.#nextLog === null) {
            this.#line.shift()?.reject(this.#logFailure);
            continue;
          }
          if (this.#immutable !== null) await this.#flushedOrRefused();
          continue;
        }
        await this.#gatePassed.catch(() => 'its writers hear of it');
        continue;
      }
      const waitMs = this.#throttle.waitMs(clock.monotonicMs());
      if (waitMs > 0) await clock.sleep(waitMs);
      // A synchronous write may have emptied the line meanwhile.
      if (this.#line[0] !== next) continue;
      this.#line.shift();
      next.resolve(this.#accept(next.batch, next.policy));
    }
  }

  /** Waits for the flush; when it cannot be done for now, the next in line is refused. */
  async #flushedOrRefused(): Promise<void> {
    if (this.#flushRefusal === null) {
      await Promise.race([
        this.#flushing,
        new Promise<void>((resolve) => {
          this.#tellRefusal = resolve;
        }),
      ]);
    }
    if (this.#flushRefusal !== null) this.#line.shift()?.reject(this.#flushRefusal);
  }

  #prepareNextLog(): void {
    if (this.#nextLog !== null || this.#makingLog !== null) return;
    if (this.#memtable.bytes < NEXT_LOG_AT * this.#around.bufferBytes) return;
    if (this.#around.clock.monotonicMs() < this.#retryAtMs) return;
    void this.#makeNextLog();
  }

  /** Step 1. Never rejects: why there is none is in `#logFailure`. */
  #makeNextLog(): Promise<void> {
    if (this.#nextLog !== null) return Promise.resolve();
    this.#makingLog ??= this.#makeLog();
    return this.#makingLog;
  }

  async #makeLog(): Promise<void> {
    try {
      this.#nextLog = await LsmLog.create(this.#around.takeFileNumber(), this.#logSettings);
    } catch (error) {
      // Writing goes on in the log there is; the attempt is repeated.
      this.#logFailure = error;
      this.#retryAtMs = this.#around.clock.monotonicMs() + RETRY_MS;
    } finally {
      this.#makingLog = null;
    }
  }

  #changeLogIfFull(isSync: boolean): void {
    if (!this.#isFull || this.#immutable !== null || this.#gate !== null) return;
    if (this.#nextLog === null && isSync && this.#makingLog === null) {
      this.#nextLog = LsmLog.createSync(this.#around.takeFileNumber(), this.#logSettings);
    }
    if (this.#nextLog !== null) this.#changeLog();
    else this.#prepareNextLog();
  }

  /** Steps 2 and 3. REQUIRES: a next log, no gate, no immutable memtable. */
  #changeLog(): void {
    const old = this.#log;
    const gate: Gate = { old, queue: [] };
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
    this.#apply(Infinity);
    this.#retired = Promise.allSettled([this.#retired, old.close()]);
    const full = this.#memtable;
    const lastSequence = this.#visibleSequence;
    this.#immutable = full;
    this.#memtable = new Memtable(this.#around.bufferBytes);
    this.#log = this.#nextLog!;
    this.#nextLog = null;
    this.#log.start(lastSequence);
    this.#lastPromise = null;
    for (const one of queue) one.resolve(this.#append(one.batch, one.policy));
    this.#flushing = this.#flush(full, lastSequence);
  }

  async #flush(full: Memtable, lastSequence: number): Promise<void> {
    try {
      await this.#around.flush({
        memtable: full,
        logNumber: this.#log.number,
        lastSequence,
        onRefused: (error) => {
          this.#flushRefusal = error;
          this.#tellRefusal();
        },
      });
      this.#immutable = null;
      this.#flushRefusal = null;
    } catch {
      // The memtable stays readable, and its log stays; the poison tells writers why.
    }
  }
}
