/**
 * The engine without a disk. It defines the right answers: every other engine must give the same
 * (`test/contract/engine-contract.ts`). Nothing outlasts the process.
 */

import { assert } from '../base/assert.ts';
import { UsageError } from '../base/errors.ts';
import type { SyncPolicy } from '../durable/sync-policy.ts';
import { clearRange } from './clear-range.ts';
import { closedError, expiryError } from './engine-errors.ts';
import type { BackupReport, EngineStats, RecoveryReport, VerifyReport } from './engine-reports.ts';
import type { Engine } from './engine.ts';
import type { EntryIterator, EntrySink, IteratorOptions } from './entry-iterator.ts';
import type { ClearOptions, KeyRange } from './key-range.ts';
import { MemoryIterator } from './memory-iterator.ts';
import type { EngineSnapshot, ReadOptions } from './read-options.ts';
import { SortedEntries, valueIn } from './sorted-entries.ts';
import type { EntryLeaves } from './sorted-entries.ts';
import type { BatchVisitor, WriteBatch } from './write-batch.ts';

/** Entries that are measured in one go. */
const MEASURED_ENTRIES = 1000;

/** What surrounds a store in memory. */
export interface MemoryEngineSetting {
  readonly entries: SortedEntries;
  readonly created: boolean;
  readonly onClose: () => void;
}

/** A state that somebody holds. */
class MemorySnapshot implements EngineSnapshot {
  /** Undefined when released. */
  leaves: EntryLeaves | undefined;
  readonly #onRelease: (snapshot: MemorySnapshot) => void;

  constructor(leaves: EntryLeaves, onRelease: (snapshot: MemorySnapshot) => void) {
    this.leaves = leaves;
    this.#onRelease = onRelease;
  }

  release(): void {
    this.leaves = undefined;
    this.#onRelease(this);
  }
}

/** A store in memory. Every answer is at hand; the policies mean nothing. */
export class MemoryEngine implements Engine {
  readonly name: string = 'memory';
  readonly directory: string;
  readonly recovery: RecoveryReport;

  readonly #entries: SortedEntries;
  readonly #onClose: () => void;
  readonly #snapshots = new Set<MemorySnapshot>();
  readonly #iterators = new Set<MemoryIterator>();
  #closed: Promise<void> | undefined;

  readonly #apply: BatchVisitor = {
    put: (bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      this.#entries.set(copy(bytes, keyStart, keyEnd), copy(bytes, valueStart, valueEnd));
    },
    delete: (bytes, keyStart, keyEnd) => {
      this.#entries.delete(bytes.subarray(keyStart, keyEnd));
    },
  };

  constructor(directory: string, { entries, created, onClose }: MemoryEngineSetting) {
    this.directory = directory;
    this.recovery = { created, clean: true, replayedBatches: 0, replayedBytes: 0, dropped: [] };
    this.#entries = entries;
    this.#onClose = onClose;
  }

  get(key: Uint8Array, options?: ReadOptions): Buffer | undefined {
    return this.getSync(key, options);
  }

  getSync(key: Uint8Array, options?: ReadOptions): Buffer | undefined {
    const value = this.#value(key, options);
    return value && copy(value, 0, value.length);
  }

  getMany(keys: readonly Uint8Array[], options?: ReadOptions): (Buffer | undefined)[] {
    this.#assertOpen();
    return keys.map((key) => this.getSync(key, options));
  }

  has(key: Uint8Array, options?: ReadOptions): boolean {
    return this.hasSync(key, options);
  }

  hasSync(key: Uint8Array, options?: ReadOptions): boolean {
    return this.#value(key, options) !== undefined;
  }

  write(batch: WriteBatch, policy?: SyncPolicy): void {
    this.writeSync(batch, policy);
  }

  writeSync(batch: WriteBatch, _policy?: SyncPolicy): void {
    this.#assertOpen();
    if (batch.expires) throw expiryError('memory');
    batch.visit(this.#apply);
  }

  iterator(options: IteratorOptions = {}): EntryIterator {
    this.#assertOpen();
    const leaves = this.#leavesOf(options) ?? this.#entries.keep();
    const iterator = new MemoryIterator(leaves, options, (it) => void this.#iterators.delete(it));
    this.#iterators.add(iterator);
    return iterator;
  }

  snapshot(): EngineSnapshot {
    this.#assertOpen();
    const snapshot = new MemorySnapshot(this.#entries.keep(), (gone) => {
      this.#snapshots.delete(gone);
    });
    this.#snapshots.add(snapshot);
    return snapshot;
  }

  clear(options: ClearOptions = {}, policy?: SyncPolicy): Promise<void> {
    return clearRange(this, options, policy);
  }

  approximateSize(range: KeyRange): number {
    let size = 0;
    const iterator = this.iterator(range);
    const sink: EntrySink = {
      entry: (_keys, keyStart, keyEnd, _values, valueStart, valueEnd) => {
        size += keyEnd - keyStart + valueEnd - valueStart;
      },
    };
    while (iterator.readSync(sink, MEASURED_ENTRIES, Infinity) > 0);
    iterator.close();
    return size;
  }

  async compact(): Promise<void> {
    this.#assertOpen();
  }

  async verify(): Promise<VerifyReport> {
    this.#assertOpen();
    return { sound: true, files: 0, bytes: 0, entries: this.#entries.count, damage: [] };
  }

  stats(): EngineStats {
    this.#assertOpen();
    return {
      engine: this.name,
      files: 0,
      diskBytes: 0,
      memoryBytes: this.#entries.bytes,
      entries: this.#entries.count,
      snapshots: this.#snapshots.size + this.#iterators.size,
      details: {},
    };
  }

  async backup(_directory: string): Promise<BackupReport> {
    this.#assertOpen();
    throw new UsageError(
      'the memory engine keeps nothing on the disk: there is nothing to back up',
    );
  }

  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = Promise.resolve();
      for (const iterator of this.#iterators) iterator.close();
      this.#snapshots.clear();
      this.#onClose();
    }
    return this.#closed;
  }

  #value(key: Uint8Array, options: ReadOptions | undefined): Buffer | undefined {
    this.#assertOpen();
    const leaves = options && this.#leavesOf(options);
    return leaves === undefined ? this.#entries.get(key) : valueIn(leaves, key);
  }

  #leavesOf({ snapshot }: ReadOptions): EntryLeaves | undefined {
    if (snapshot === undefined) return undefined;
    assert(
      snapshot instanceof MemorySnapshot && this.#snapshots.has(snapshot),
      'a snapshot is of this engine and not released',
    );
    return snapshot.leaves;
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw closedError('store');
  }
}

function copy(bytes: Uint8Array, start: number, end: number): Buffer {
  const own = Buffer.allocUnsafe(end - start);
  own.set(bytes.subarray(start, end));
  return own;
}
