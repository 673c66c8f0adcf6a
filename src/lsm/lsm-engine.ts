/**
 * An open LSM store: the engine contract over the write path, the versions and the maintenance. Not
 * here: how it is opened (`lsm-kind`).
 */

import { assert } from '../base/assert.ts';
import type { Poison } from '../durable/poison.ts';
import type { DirectoryLock } from '../durable/lock-file.ts';
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
import { withoutJob } from './background/job-failure.ts';
import type { Maintenance } from './background/maintenance.ts';
import { approximateSize } from './approximate-size.ts';
import { leveldbProperty } from './leveldb-properties.ts';
import { backupStore } from './lsm-backup.ts';
import { LsmIterator } from './lsm-iterator.ts';
import type { LsmSettings } from './lsm-options.ts';
import { LsmReader } from './lsm-reader.ts';
import { verifyState } from './lsm-verify.ts';
import type { VersionSet } from './manifest/version-set.ts';
import type { ObsoleteFiles } from './obsolete-files.ts';
import { ReadContext } from './read-context.ts';
import { holdState } from './read-state.ts';
import type { ReadState } from './read-state.ts';
import type { TableCache } from './table/table-cache.ts';
import type { WritePath } from './write-path.ts';

/** The parts of an open store. */
export interface LsmParts {
  readonly directory: string;
  readonly settings: LsmSettings;
  readonly poison: Poison;
  readonly lock: DirectoryLock;
  readonly versions: VersionSet;
  readonly tables: TableCache;
  readonly obsolete: ObsoleteFiles;
  readonly writes: WritePath;
  readonly maintenance: Maintenance;
  readonly snapshots: SnapshotList;
  readonly recovery: RecoveryReport;
}

/** A sequence number that somebody holds. */
class LsmSnapshot implements EngineSnapshot {
  readonly sequence: number;
  readonly #list: Set<LsmSnapshot>;

  constructor(sequence: number, list: Set<LsmSnapshot>) {
    this.sequence = sequence;
    this.#list = list;
    list.add(this);
  }

  release(): void {
    this.#list.delete(this);
  }
}

/** The snapshots of a store. */
export class SnapshotList {
  readonly #snapshots = new Set<LsmSnapshot>();

  get count(): number {
    return this.#snapshots.size;
  }

  take(sequence: number): EngineSnapshot {
    return new LsmSnapshot(sequence, this.#snapshots);
  }

  /** @throws AssertionError for one of another store, or a released one */
  sequenceOf(snapshot: EngineSnapshot): number {
    const isHeld = snapshot instanceof LsmSnapshot && this.#snapshots.has(snapshot);
    assert(isHeld, 'a snapshot is of this engine and not released');
    return snapshot.sequence;
  }

  /** The smallest sequence number that a reader may ask for, when `current` is that of now. */
  smallest(current: number): number {
    let smallest = current;
    for (const { sequence } of this.#snapshots) smallest = Math.min(smallest, sequence);
    return smallest;
  }

  clear(): void {
    this.#snapshots.clear();
  }
}

/** The engine `'lsm'`. */
export class LsmEngine implements Engine {
  readonly name: string = 'lsm';
  readonly directory: string;
  readonly recovery: RecoveryReport;
  readonly #parts: LsmParts;
  readonly #reader: LsmReader;
  readonly #iterators = new Set<LsmIterator>();
  #lastState: ReadState;
  #closing: Promise<void> | null = null;
  /** Calls that must end before the files are closed. */
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(parts: LsmParts) {
    this.#parts = parts;
    const { writes, versions } = parts;
    const { memtables, visibleSequence: sequence } = writes;
    this.#lastState = { memtables, version: versions.current, sequence };
    this.directory = parts.directory;
    this.recovery = parts.recovery;
    this.#reader = new LsmReader(parts.tables, {
      state: (options) => this.#state(options),
      hold: holdState,
      letGo: (state) => this.#letGo(state),
    });
  }

  get(key: Uint8Array, options?: ReadOptions): Eventual<Buffer | undefined> {
    this.#checkOpen();
    return this.#track(this.#reader.get(key, options));
  }

  getSync(key: Uint8Array, options?: ReadOptions): Buffer | undefined {
    this.#checkOpen();
    return this.#reader.getSync(key, options);
  }

  getMany(keys: readonly Uint8Array[], options?: ReadOptions): Eventual<(Buffer | undefined)[]> {
    this.#checkOpen();
    return this.#track(this.#reader.getMany(keys, options));
  }

  has(key: Uint8Array, options?: ReadOptions): Eventual<boolean> {
    this.#checkOpen();
    return this.#track(this.#reader.has(key, options));
  }

  hasSync(key: Uint8Array, options?: ReadOptions): boolean {
    this.#checkOpen();
    return this.#reader.hasSync(key, options);
  }

  write(batch: WriteBatch, policy: SyncPolicy = this.#parts.settings.policy): Eventual<void> {
    if (this.#closing !== null) return Promise.reject(closedError('store'));
    return this.#parts.writes.write(batch, policy);
  }

  writeSync(batch: WriteBatch, policy: SyncPolicy = this.#parts.settings.policy): void {
    this.#checkOpen();
    this.#parts.writes.writeSync(batch, policy);
  }

  iterator(options: IteratorOptions = {}): EntryIterator {
    this.#checkOpen();
    const { tables } = this.#parts;
    const state = this.#state(options);
    holdState(state);
    tables.enter();
    const context = new ReadContext(tables, options.fillCache ?? true, false);
    const iterator = new LsmIterator(state, context, options, (closed) => {
      this.#iterators.delete(closed);
      tables.leave();
      this.#letGo(state);
    });
    this.#iterators.add(iterator);
    return iterator;
  }

  snapshot(): EngineSnapshot {
    this.#checkOpen();
    return this.#parts.snapshots.take(this.#parts.writes.visibleSequence);
  }

  async clear(
    options: ClearOptions = {},
    policy: SyncPolicy = this.#parts.settings.policy,
  ): Promise<void> {
    this.#checkOpen();
    return this.#begin(clearRange(this, options, policy));
  }

  async approximateSize(range: KeyRange): Promise<number> {
    this.#checkOpen();
    const state = this.#state({});
    return this.#begin(
      this.#holding(state, () => approximateSize(state, range, this.#parts.tables)),
    );
  }

  async compact(range: KeyRange = {}, options: ProgressOptions = {}): Promise<void> {
    this.#checkOpen();
    return this.#begin(withoutJob(this.#compact(range, options)));
  }

  async verify(options: ProgressOptions = {}): Promise<VerifyReport> {
    this.#checkOpen();
    const state = this.#state({});
    const { dispatch } = this.#parts.settings;
    const { directory } = this;
    return this.#begin(
      this.#holding(state, () => verifyState(dispatch.vfs, directory, state, options)),
    );
  }

  stats(): EngineStats {
    this.#checkOpen();
    const { versions, tables, writes, maintenance, snapshots } = this.#parts;
    const { levels, tableCount } = versions.current;
    let diskBytes = writes.logBytes;
    const details: Record<string, number | string> = {};
    for (const [level, found] of levels.entries()) {
      const bytes = versions.current.levelBytes(level);
      diskBytes += bytes;
      if (found.length === 0) continue;
      details[`level${level}Tables`] = found.length;
      details[`level${level}Bytes`] = bytes;
    }
    return {
      engine: this.name,
      // Tables, the log, the manifest and CURRENT.
      files: tableCount + 3,
      diskBytes,
      memoryBytes: tables.memoryBytes + writes.memoryBytes,
      entries: undefined,
      snapshots: snapshots.count + this.#iterators.size,
      details: { ...details, ...maintenance.figures },
    };
  }

  property(name: string): string | undefined {
    this.#checkOpen();
    return leveldbProperty(this.#parts.versions.current, name);
  }

  async backup(directory: string, options: ProgressOptions = {}): Promise<BackupReport> {
    this.#checkOpen();
    const state = this.#state({});
    const { settings } = this.#parts;
    const copy = (): Promise<BackupReport> =>
      backupStore(this.directory, directory, state, settings, options);
    return this.#begin(withoutJob(this.#holding(state, copy)));
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { writes, maintenance, versions, tables, snapshots, lock } = this.#parts;
    for (const iterator of this.#iterators) iterator.close();
    snapshots.clear();
    maintenance.beginClosing();
    const results = await Promise.allSettled([writes.close()]);
    results.push(...(await Promise.allSettled([maintenance.close()])));
    await Promise.allSettled(this.#underWay);
    results.push(...(await Promise.allSettled([versions.close()])));
    await tables.close();
    await lock.release();
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async #compact(range: KeyRange, options: ProgressOptions): Promise<void> {
    const { writes, maintenance, versions } = this.#parts;
    const { onProgress, signal } = options;
    signal?.throwIfAborted();
    await writes.flush();
    let done = 0;
    const total = versions.current.levels.reduce(
      (sum, _tables, level) => sum + versions.current.levelBytes(level),
      0,
    );
    const onStep = (bytes: number): void => {
      done += bytes;
      onProgress?.({
        phase: 'compacting',
        done,
        total: Math.max(done, total),
        unit: 'bytes',
      });
      signal?.throwIfAborted();
    };
    // One key more at an open end changes nothing that can be read.
    const first = range.gte ?? range.gt;
    const last = range.lte ?? range.lt;
    await maintenance.compactRange({ first, last }, onStep);
    onProgress?.({ phase: 'compacted', done, total: done, unit: 'bytes' });
  }

  /** The same object as long as nothing changes: a read makes none. */
  #state(options: ReadOptions): ReadState {
    const { writes, versions, snapshots } = this.#parts;
    const { snapshot } = options;
    const sequence =
      snapshot === undefined ? writes.visibleSequence : snapshots.sequenceOf(snapshot);
    const { memtables } = writes;
    const version = versions.current;
    const last = this.#lastState;
    if (last.sequence === sequence && last.version === version && last.memtables === memtables) {
      return last;
    }
    this.#lastState = { memtables, version, sequence };
    return this.#lastState;
  }

  async #holding<T>(state: ReadState, run: () => Promise<T>): Promise<T> {
    holdState(state);
    try {
      return await run();
    } finally {
      this.#letGo(state);
    }
  }

  #letGo({ memtables, version }: ReadState): void {
    const { versions, obsolete } = this.#parts;
    for (const memtable of memtables) memtable.letGo();
    if (!versions.letGo(version) || !obsolete.hasCondemned || this.#closing !== null) return;
    void this.#begin(obsolete.removeTables());
  }

  #track<T>(answer: Eventual<T>): Eventual<T> {
    return answer instanceof Promise ? this.#begin(answer) : answer;
  }

  /** Keeps `close` waiting for a call. */
  #begin<T>(call: Promise<T>): Promise<T> {
    this.#underWay.add(call);
    const end = (): void => void this.#underWay.delete(call);
    call.then(end, end);
    return call;
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw closedError('store');
  }
}
