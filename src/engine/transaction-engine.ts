/**
 * What a transaction reads and writes: the entries of a snapshot, and over them its own changes,
 * which are in memory until they are committed as one batch. An engine itself, so that all that
 * works on a store works on a transaction. Not here: that there is one at a time
 * (`transaction-gate`), and the commit, which is the engine's.
 */

import { assert } from '../base/assert.ts';
import { HoldfastError } from '../base/errors.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { clearRange } from './clear-range.ts';
import { closedError } from './engine-errors.ts';
import type { EngineStats, RecoveryReport } from './engine-reports.ts';
import type { Engine } from './engine.ts';
import type { EntryIterator, IteratorOptions } from './entry-iterator.ts';
import type { ClearOptions, KeyRange } from './key-range.ts';
import { MergedIterator } from './merged-iterator.ts';
import type { EngineSnapshot, Eventual, ReadOptions } from './read-options.ts';
import { SortedEntries, valueIn } from './sorted-entries.ts';
import type { EntryLeaves } from './sorted-entries.ts';
import { WriteBatch } from './write-batch.ts';
import type { BatchVisitor } from './write-batch.ts';

/** Stands for a value that was deleted: this very buffer, and no other empty one. */
export const DELETED: Buffer = Buffer.alloc(0);

/** A state inside a transaction. */
class TransactionSnapshot implements EngineSnapshot {
  readonly leaves: EntryLeaves;

  constructor(leaves: EntryLeaves) {
    this.leaves = leaves;
  }

  release(): void {
    // It is the transaction's memory, which goes with it.
  }
}

export class TransactionEngine implements Engine {
  readonly name: string;
  readonly directory: string;
  readonly recovery: RecoveryReport;
  readonly #base: Engine;
  readonly #snapshot: EngineSnapshot;
  readonly #check: (batch: WriteBatch) => void;
  readonly #changed = new SortedEntries();
  readonly #iterators = new Set<EntryIterator>();
  #ended = false;

  readonly #apply: BatchVisitor = {
    put: (bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      this.#changed.set(copy(bytes, keyStart, keyEnd), copy(bytes, valueStart, valueEnd));
    },
    delete: (bytes, keyStart, keyEnd) => {
      this.#changed.set(copy(bytes, keyStart, keyEnd), DELETED);
    },
  };

  /** `snapshot` is of `base`, and the caller's. `check` throws for a batch that it would refuse. */
  constructor(base: Engine, snapshot: EngineSnapshot, check: (batch: WriteBatch) => void) {
    this.name = base.name;
    this.directory = base.directory;
    this.recovery = base.recovery;
    this.#base = base;
    this.#snapshot = snapshot;
    this.#check = check;
  }

  /** All changes as one batch, also when it is closed. */
  changes(): WriteBatch {
    const batch = new WriteBatch();
    for (const { keys, values } of this.#changed.keep()) {
      for (const [index, key] of keys.entries()) {
        const value = values[index];
        assert(value !== undefined, 'a key has its value');
        if (value === DELETED) batch.delete(key);
        else batch.put(key, value);
      }
    }
    return batch;
  }

  get(key: Uint8Array, options?: ReadOptions): Eventual<Buffer | undefined> {
    const own = this.#own(key, options);
    if (own === undefined) return this.#base.get(key, this.#fromBase(options));
    return own === DELETED ? undefined : copy(own, 0, own.length);
  }

  getSync(key: Uint8Array, options?: ReadOptions): Buffer | undefined {
    const own = this.#own(key, options);
    if (own === undefined) return this.#base.getSync(key, this.#fromBase(options));
    return own === DELETED ? undefined : copy(own, 0, own.length);
  }

  async getMany(
    keys: readonly Uint8Array[],
    options?: ReadOptions,
  ): Promise<(Buffer | undefined)[]> {
    this.#assertOpen();
    return Promise.all(keys.map(async (key) => this.get(key, options)));
  }

  has(key: Uint8Array, options?: ReadOptions): Eventual<boolean> {
    const own = this.#own(key, options);
    return own === undefined ? this.#base.has(key, this.#fromBase(options)) : own !== DELETED;
  }

  hasSync(key: Uint8Array, options?: ReadOptions): boolean {
    const own = this.#own(key, options);
    return own === undefined ? this.#base.hasSync(key, this.#fromBase(options)) : own !== DELETED;
  }

  async write(batch: WriteBatch): Promise<void> {
    this.writeSync(batch);
  }

  writeSync(batch: WriteBatch): void {
    this.#assertOpen();
    this.#check(batch);
    batch.visit(this.#apply);
  }

  iterator(options: IteratorOptions = {}): EntryIterator {
    this.#assertOpen();
    const changes = this.#leavesOf(options) ?? this.#changed.keep();
    const { limit: _limit, ...range } = options;
    const base = this.#base.iterator({ ...range, keys: true, snapshot: this.#snapshot });
    const iterator = new MergedIterator(base, changes, DELETED, options, (gone) => {
      this.#iterators.delete(gone);
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  snapshot(): EngineSnapshot {
    this.#assertOpen();
    return new TransactionSnapshot(this.#changed.keep());
  }

  clear(options: ClearOptions = {}, policy?: SyncPolicy): Promise<void> {
    return clearRange(this, options, policy);
  }

  approximateSize(range: KeyRange): Eventual<number> {
    this.#assertOpen();
    return this.#base.approximateSize(range);
  }

  stats(): EngineStats {
    this.#assertOpen();
    return this.#base.stats();
  }

  async compact(): Promise<never> {
    throw notInside('compact');
  }

  async verify(): Promise<never> {
    throw notInside('verify');
  }

  async backup(): Promise<never> {
    throw notInside('backup');
  }

  /** Nothing is read or written from now on. Whether it is committed is not said by it. */
  async close(): Promise<void> {
    this.#ended = true;
    for (const iterator of this.#iterators) iterator.close();
  }

  /** What the transaction itself did to a key; undefined: nothing. */
  #own(key: Uint8Array, options: ReadOptions | undefined): Buffer | undefined {
    this.#assertOpen();
    const leaves = options && this.#leavesOf(options);
    return leaves === undefined ? this.#changed.get(key) : valueIn(leaves, key);
  }

  #fromBase(options: ReadOptions | undefined): ReadOptions {
    return { ...options, snapshot: this.#snapshot };
  }

  #leavesOf({ snapshot }: ReadOptions): EntryLeaves | undefined {
    if (snapshot === undefined) return undefined;
    assert(
      snapshot instanceof TransactionSnapshot,
      'a snapshot is of the transaction it is read in',
    );
    return snapshot.leaves;
  }

  #assertOpen(): void {
    if (this.#ended) throw closedError('transaction');
  }
}

function notInside(method: string): HoldfastError {
  return new HoldfastError(
    'HOLDFAST_UNSUPPORTED',
    `a transaction has no ${method}(): call it on the store`,
  );
}

function copy(bytes: Uint8Array, start: number, end: number): Buffer {
  const own = Buffer.allocUnsafe(end - start);
  own.set(bytes.subarray(start, end));
  return own;
}
