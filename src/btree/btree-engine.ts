/**
 * The B+tree as an engine. Here is its face: answers at once or later, snapshots, closing. Pages
 * are `pager`'s, commits `commit-queue`'s, the way to the file `checkpointer`'s.
 */

import { assert } from '../base/assert.ts';
import { HoldfastError } from '../base/errors.ts';
import type { DirectoryLock } from '../durable/lock-file.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { clearRange } from '../engine/clear-range.ts';
import { closedError, expiryError } from '../engine/engine-errors.ts';
import type {
  BackupReport,
  EngineStats,
  ProgressOptions,
  RecoveryReport,
  VerifyReport,
} from '../engine/engine-reports.ts';
import type { Engine } from '../engine/engine.ts';
import type { EntryIterator, IteratorOptions } from '../engine/entry-iterator.ts';
import { boundsAreEmpty, keyBounds } from '../engine/key-range.ts';
import type { ClearOptions, KeyRange } from '../engine/key-range.ts';
import type { EngineSnapshot, Eventual, ReadOptions } from '../engine/read-options.ts';
import { TransactionEngine } from '../engine/transaction-engine.ts';
import { TransactionGate } from '../engine/transaction-gate.ts';
import { BATCH_BYTES_MAX } from '../engine/write-batch.ts';
import type { BatchVisitor, WriteBatch } from '../engine/write-batch.ts';
import { LOG_RECORD_BYTES_MAX } from '../wal/log-format.ts';
import { backUpBtree } from './btree-backup.ts';
import { BtreeIterator } from './btree-iterator.ts';
import type { BtreeSettings } from './btree-options.ts';
import { closeBtree } from './btree-parts.ts';
import type { BtreeParts } from './btree-parts.ts';
import { btreeStats } from './btree-stats.ts';
import { verifyBtree } from './btree-verify.ts';
import { compactBtree } from './btree-compact.ts';
import { OverflowReader } from './overflow.ts';
import { PAGES_AT_ONCE, PageMissing } from './pager.ts';
import { rangeShare } from './range-share.ts';
import { NOW, TreeReader, ValueReading, pageOf } from './tree-reader.ts';
import { checkKey } from './tree-writer.ts';

/** A state that somebody holds. */
class BtreeSnapshot implements EngineSnapshot {
  readonly sequence: number;
  /** When it was made, on the clock of the store. */
  readonly since: number;
  released = false;
  readonly #onRelease: (snapshot: BtreeSnapshot) => void;

  constructor(sequence: number, since: number, onRelease: (snapshot: BtreeSnapshot) => void) {
    this.sequence = sequence;
    this.since = since;
    this.#onRelease = onRelease;
  }

  release(): void {
    if (this.released) return;
    this.released = true;
    this.#onRelease(this);
  }
}

export class BtreeEngine implements Engine {
  readonly name: string = 'btree';
  readonly directory: string;
  readonly recovery: RecoveryReport;

  readonly #parts: BtreeParts;
  readonly #lock: DirectoryLock;
  readonly #settings: BtreeSettings;
  readonly #policy: SyncPolicy;
  readonly #reader: TreeReader;
  readonly #snapshots = new Set<BtreeSnapshot>();
  readonly #iterators = new Set<BtreeIterator>();
  /** Reads that wait for pages, which `close` waits for. */
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #gate = new TransactionGate();
  #commits = 0;
  /** The last compaction that has not ended. */
  #compacting: Promise<void> | null = null;
  #closing: Promise<void> | null = null;

  constructor(parts: BtreeParts, lock: DirectoryLock, settings: BtreeSettings) {
    this.directory = parts.directory;
    this.recovery = parts.recovery;
    this.#parts = parts;
    this.#lock = lock;
    this.#settings = settings;
    this.#policy = settings.policy;
    this.#reader = new TreeReader(parts.pager);
  }

  get(key: Uint8Array, options?: ReadOptions): Eventual<Buffer | undefined> {
    const state = this.#state(options);
    try {
      return this.#value(key, state);
    } catch (error) {
      if (!(error instanceof PageMissing)) throw error;
      const kept = new Uint8Array(key);
      const reading = new ValueReading(this.#reader);
      return this.#goOn(error, state, (held) => reading.read(kept, held));
    }
  }

  getSync(key: Uint8Array, options?: ReadOptions): Buffer | undefined {
    const state = this.#state(options);
    try {
      return this.#value(key, state);
    } catch (error) {
      if (!(error instanceof PageMissing)) throw error;
      const { pager } = this.#parts;
      pager.bringSync(error);
      const reading = new ValueReading(this.#reader);
      return pager.bringing(() => reading.read(key, state));
    }
  }

  getMany(keys: readonly Uint8Array[], options?: ReadOptions): Eventual<(Buffer | undefined)[]> {
    const state = this.#state(options);
    const values: (Buffer | undefined)[] = [];
    const reading = new ValueReading(this.#reader);
    const read = (held: number, from: readonly Uint8Array[]): (Buffer | undefined)[] => {
      while (values.length < from.length) values.push(reading.read(from[values.length]!, held));
      return values;
    };
    try {
      return read(state, keys);
    } catch (error) {
      if (!(error instanceof PageMissing)) throw error;
      const kept = keys.map((key) => new Uint8Array(key));
      return this.#goOn(error, state, (held) => read(held, kept));
    }
  }

  has(key: Uint8Array, options?: ReadOptions): Eventual<boolean> {
    const state = this.#state(options);
    try {
      return this.#reader.has(key, state);
    } catch (error) {
      if (!(error instanceof PageMissing)) throw error;
      const kept = new Uint8Array(key);
      return this.#goOn(error, state, (held) => this.#reader.has(kept, held));
    }
  }

  hasSync(key: Uint8Array, options?: ReadOptions): boolean {
    const state = this.#state(options);
    return this.#parts.pager.bringing(() => this.#reader.has(key, state));
  }

  write(batch: WriteBatch, policy: SyncPolicy = this.#policy): Promise<void> {
    try {
      this.#checkBatch(batch);
      const { commits } = this.#parts;
      this.#commits++;
      if (!this.#gate.busy) return commits.write(batch, policy);
      return this.#gate.pass(() => commits.write(batch, policy));
    } catch (error) {
      // One way to hear of failures: the promise.
      return Promise.reject(error);
    }
  }

  writeSync(batch: WriteBatch, policy: SyncPolicy = this.#policy): void {
    this.#checkBatch(batch);
    this.#gate.passSync();
    this.#commits++;
    this.#parts.commits.writeSync(batch, policy);
  }

  transaction<T>(
    work: (transaction: Engine) => T | Promise<T>,
    policy: SyncPolicy = this.#policy,
  ): Promise<T> {
    return this.#gate.run(async () => {
      // It sees all that is committed before it: nobody else writes from here on.
      await this.#parts.commits.settle();
      const snapshot = this.snapshot();
      const transaction = new TransactionEngine(this, snapshot, (batch) => this.#checkBatch(batch));
      try {
        const result = await work(transaction);
        await transaction.close();
        this.#checkOpen();
        this.#commits++;
        await this.#parts.commits.write(transaction.changes(), policy);
        return result;
      } finally {
        await transaction.close();
        snapshot.release();
      }
    });
  }

  iterator(options: IteratorOptions = {}): EntryIterator {
    const state = this.#hold(this.#state(options));
    const iterator = new BtreeIterator(this.#parts.pager, state, options, (gone) => {
      if (!this.#iterators.delete(gone)) return;
      this.#parts.pager.versions.release(state);
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  snapshot(): EngineSnapshot {
    this.#checkOpen();
    const state = this.#hold(NOW);
    const snapshot = new BtreeSnapshot(state, this.#settings.clock.monotonicMs(), (gone) => {
      if (this.#snapshots.delete(gone)) this.#parts.pager.versions.release(state);
    });
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  clear(options: ClearOptions = {}, policy?: SyncPolicy): Promise<void> {
    return clearRange(this, options, policy);
  }

  approximateSize(range: KeyRange): Eventual<number> {
    this.#checkOpen();
    const bounds = keyBounds(range);
    if (boundsAreEmpty(bounds)) return 0;
    const { pager } = this.#parts;
    const size = (state: number): number =>
      rangeShare((number) => pageOf(pager, number, state), bounds);
    try {
      return size(NOW);
    } catch (error) {
      if (!(error instanceof PageMissing)) throw error;
      return this.#later(error, NOW, size);
    }
  }

  async compact(range: KeyRange = {}, options: ProgressOptions = {}): Promise<void> {
    this.#checkOpen();
    const bounds = keyBounds(range);
    if (boundsAreEmpty(bounds)) return;
    const compact = (): Promise<void> =>
      compactBtree(this.#parts, bounds, options, () => this.#checkOpen());
    // One at a time: each knows which pages of a long value it has been through.
    const running = this.#compacting === null ? compact() : this.#compacting.then(compact, compact);
    this.#compacting = running;
    this.#underWay.add(running);
    try {
      await running;
    } finally {
      this.#underWay.delete(running);
      if (this.#compacting === running) this.#compacting = null;
    }
  }

  verify(options: ProgressOptions = {}): Promise<VerifyReport> {
    return this.#whileHeld((state) => verifyBtree(this.#parts, state, options));
  }

  stats(): EngineStats {
    this.#checkOpen();
    const now = this.#settings.clock.monotonicMs();
    const [oldest] = this.#snapshots;
    return btreeStats(this.#parts, this.#settings.dispatch.vfs, {
      reads: this.#reader.reads,
      looks: this.#reader.looks,
      commits: this.#commits,
      oldestSnapshotMs: oldest === undefined ? 0 : Math.round(now - oldest.since),
    });
  }

  backup(directory: string, options: ProgressOptions = {}): Promise<BackupReport> {
    return this.#whileHeld((state) =>
      backUpBtree(this.#parts, this.#settings, state, directory, options),
    );
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { commits } = this.#parts;
    // A transaction that is open finds the store closed, and is rolled back.
    this.#gate.close();
    await commits.settle();
    await Promise.allSettled(this.#underWay);
    for (const iterator of this.#iterators) iterator.close();
    for (const snapshot of this.#snapshots) snapshot.release();
    try {
      await closeBtree(this.#parts);
    } finally {
      await this.#lock.release();
    }
  }

  #value(key: Uint8Array, state: number): Buffer | undefined {
    const found = this.#reader.get(key, state);
    if (!(found instanceof OverflowReader)) return found;
    return this.#reader.readLong(found, state);
  }

  /** Goes on with a read, in one state: at once as long as few pages are missing and come quickly. */
  #goOn<T>(first: PageMissing, state: number, read: (state: number) => T): Eventual<T> {
    let missing = first;
    for (let left = PAGES_AT_ONCE; left > 0 && this.#parts.pager.bringNow(missing); left--) {
      try {
        return read(state);
      } catch (error) {
        if (!(error instanceof PageMissing)) throw error;
        missing = error;
      }
    }
    return this.#later(missing, state, read);
  }

  /** Goes on with a read, in one state, until nothing is missing. */
  #later<T>(missing: PageMissing, state: number, read: (state: number) => T): Promise<T> {
    const held = this.#hold(state);
    const running = this.#read(missing, held, read).finally(() => {
      this.#parts.pager.versions.release(held);
      this.#underWay.delete(running);
    });
    this.#underWay.add(running);
    return running;
  }

  async #read<T>(first: PageMissing, state: number, read: (state: number) => T): Promise<T> {
    const { pager } = this.#parts;
    let missing = first;
    for (;;) {
      await pager.bringSoon(missing);
      try {
        return read(state);
      } catch (error) {
        if (!(error instanceof PageMissing)) throw error;
        missing = error;
      }
    }
  }

  async #whileHeld<T>(run: (state: number) => Promise<T>): Promise<T> {
    this.#checkOpen();
    const state = this.#hold(NOW);
    const running = run(state);
    this.#underWay.add(running);
    try {
      return await running;
    } finally {
      this.#underWay.delete(running);
      this.#parts.pager.versions.release(state);
    }
  }

  /** Keeps a state for its reader, who must release it. */
  #hold(state: number): number {
    const sequence = state === NOW ? this.#parts.commits.visible : state;
    this.#parts.pager.versions.snapshots.add(sequence);
    return sequence;
  }

  #state(options: ReadOptions | undefined): number {
    this.#checkOpen();
    const snapshot = options?.snapshot;
    if (snapshot === undefined) return NOW;
    assert(
      snapshot instanceof BtreeSnapshot && this.#snapshots.has(snapshot),
      'a snapshot is read while it is held, in the store that it is of',
    );
    return snapshot.sequence;
  }

  #checkBatch(batch: WriteBatch): void {
    this.#checkOpen();
    if (batch.expires) throw expiryError('btree');
    if (batch.byteLength > BATCH_BYTES_MAX) throw tooLarge(batch.byteLength, BATCH_BYTES_MAX);
    const { pageBytes } = this.#parts.pager;
    const { aheadBytes } = this.#settings;
    let logged = batch.byteLength;
    const visitor: BatchVisitor = {
      put: (_bytes, keyStart, keyEnd, valueStart, valueEnd) => {
        checkKey(keyEnd - keyStart, pageBytes);
        if (valueEnd - valueStart >= aheadBytes) logged -= valueEnd - valueStart;
      },
      delete: () => {},
    };
    batch.visit(visitor);
    if (logged > LOG_RECORD_BYTES_MAX) throw tooLarge(logged, LOG_RECORD_BYTES_MAX);
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw closedError('store');
  }
}

function tooLarge(bytes: number, most: number): HoldfastError {
  const which = most === BATCH_BYTES_MAX ? '' : ', not counting long values,';
  const what = `a batch of ${bytes} bytes${which} is over the limit of ${most}`;
  return new HoldfastError('HOLDFAST_TOO_LARGE', what);
}
