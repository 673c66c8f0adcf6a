/**
 * `HoldfastLevel`: an `abstract-level` store over any engine. The base class does encodings,
 * sublevels, hooks, events and deferred opening; the engine does the rest. Here is what lies between
 * them, and the methods of an open store that `abstract-level` does not have.
 */

import type { AbstractChainedBatch, AbstractSnapshot } from 'abstract-level';

import { assert } from '../base/assert.ts';
import { toSyncPolicy } from '../durable/sync-policy.ts';
import type { EngineKind } from '../engine/engine-kind.ts';
import type {
  BackupReport,
  EngineStats,
  ProgressOptions,
  RecoveryReport,
  VerifyReport,
} from '../engine/engine-reports.ts';
import type { Engine } from '../engine/engine.ts';
import type { Eventual } from '../engine/read-options.ts';
import { WriteBatch } from '../engine/write-batch.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { withAdvice } from './advice.ts';
import { backupStore } from './backup-store.ts';
import { checkLocation, checkOpenOptions, checkProgressOptions } from './check-options.ts';
import { ClosedStore } from './closed-store.ts';
import { DEFAULT_ENGINE, engineKind } from './engine-registry.ts';
import { FairTurns } from './fair-turns.ts';
import type { StoredIteratorOptions } from './iterator-source.ts';
import type { Parent } from './level-base.ts';
import { LevelChainedBatch, putBatch, toWriteBatch } from './level-batch.ts';
import type { StoredOperation } from './level-batch.ts';
import { fromBytes, toBytes, toPolicy, toRange, toReadOptions } from './level-bytes.ts';
import type { Stored, StoredRange, StoredReadOptions, StoredWriteOptions } from './level-bytes.ts';
import { notOpen } from './level-error.ts';
import { LevelIterator, LevelKeyIterator, LevelValueIterator } from './level-iterators.ts';
import type {
  BatchOperation,
  BatchOptions,
  ChainedBatch,
  DelOptions,
  GetOptions,
  LevelOptions,
  PutOptions,
  StartEndOptions,
  SyncOptions,
} from './level-options.ts';
import { engineSnapshotOf, LevelSnapshot } from './level-snapshot.ts';
import { plainBatch } from './plain-batch.ts';
import { PlainCalls, READ_COST } from './plain-calls.ts';
import { refuseForeign } from './store-places.ts';
import { checkTransaction, transactionKind, withoutTransactions } from './level-transaction.ts';
import { writeNow } from './write-now.ts';

/** What `supports` says, apart from what the base class adds. */
const MANIFEST = {
  encodings: { buffer: true, utf8: true, view: true },
  has: true,
  getSync: true,
  createIfMissing: true,
  errorIfExists: true,
  explicitSnapshots: true,
  signals: { iterators: true },
  additionalMethods: {
    approximateSize: true,
    compactRange: true,
    compact: true,
    verify: true,
    stats: true,
    backup: true,
    putSync: true,
    delSync: true,
    transaction: true,
  },
};

/** A store of keys and values in a directory. */
export class HoldfastLevel<KDefault = string, VDefault = string> extends ClosedStore<
  KDefault,
  VDefault
> {
  readonly #location: string;
  readonly #kind: EngineKind;
  /** Whether the engine is the caller's own. */
  readonly #isOwnKind: boolean;
  readonly #vfs: Vfs | undefined;
  readonly #turns = new FairTurns();
  #engine: Engine | undefined;
  #plain: PlainCalls<KDefault, VDefault> | undefined;
  /** What the engine could not do when it was closed. */
  #closeFailure: { readonly error: unknown } | null = null;
  /** The store whose sublevels a batch may name: this one, or what this is a transaction of. */
  #home: unknown = this;

  /**
   * Begins to open the store in the directory `location`. Operations may be called at once; they
   * wait until it is open.
   * @throws TypeError for an empty location, an unknown engine, an option that is none or is wrong
   */
  constructor(location: string, options: LevelOptions<KDefault, VDefault> = {}) {
    checkLocation(location);
    const { engine: name } = options ?? {};
    const kind = typeof name === 'object' ? name : engineKind(name ?? DEFAULT_ENGINE);
    checkOpenOptions(options, typeof name === 'object');
    const { engine: _, ...others } = options ?? {};
    super({ ...MANIFEST, permanence: kind.name !== 'memory' }, others);
    this.#location = location;
    this.#kind = kind;
    this.#isOwnKind = typeof name === 'object';
    this.#vfs = others.dispatch?.vfs;
  }

  /** The directory, as it was given. */
  get location(): string {
    return this.#location;
  }

  /** The name of the engine. */
  get engine(): string {
    return this.#kind.name;
  }

  /**
   * What opening found, did and dropped.
   * @throws an error with code `LEVEL_DATABASE_NOT_OPEN`
   */
  get recovery(): RecoveryReport {
    return this.#opened('recovery').recovery;
  }

  /**
   * About how many bytes on the disk the entries from `start` to before `end` take. Recent writes
   * may not be counted.
   */
  approximateSize(start: KDefault, end: KDefault): Promise<number>;
  approximateSize<K = KDefault>(start: K, end: K, options: StartEndOptions<K>): Promise<number>;
  async approximateSize(start: unknown, end: unknown, options?: object): Promise<number> {
    const range = this.#startEnd(start, end, options);
    return this.#whenOpen('approximateSize', (engine) => engine.approximateSize(range));
  }

  /** Gives back the space of what was deleted or overwritten from `start` to before `end`. */
  compactRange(start: KDefault, end: KDefault): Promise<void>;
  compactRange<K = KDefault>(start: K, end: K, options: StartEndOptions<K>): Promise<void>;
  async compactRange(start: unknown, end: unknown, options?: object): Promise<void> {
    const range = this.#startEnd(start, end, options);
    return this.#whenOpen('compactRange', (engine) => engine.compact(range));
  }

  /** Gives back the space of all that was deleted or overwritten. Reading and writing go on. */
  async compact(options?: ProgressOptions): Promise<void> {
    checkProgressOptions(options);
    return this.#whenOpen('compact', (engine) => engine.compact(undefined, options));
  }

  /** Reads everything and reports what is damaged. Reading and writing go on. */
  async verify(options?: ProgressOptions): Promise<VerifyReport> {
    checkProgressOptions(options);
    return this.#whenOpen('verify', (engine) => engine.verify(options));
  }

  /**
   * Makes a durable copy of the store as it is now, in a directory that is missing or empty.
   * Reading and writing go on. When it rejects, what was copied is removed again.
   */
  async backup(directory: string, options?: ProgressOptions): Promise<BackupReport> {
    checkProgressOptions(options);
    const vfs = this.#vfs;
    return this.#whenOpen('backup', (engine) => backupStore(engine, directory, options, vfs));
  }

  /**
   * Runs `work` with a transaction, which reads and writes as a store does: what it reads is the
   * state of its beginning and its own writes. When `work` has resolved they are committed, all
   * together; when it throws, none of them is. One transaction is open at a time, and plain writes
   * wait for its end; one that is called inside it is refused (`HOLDFAST_IN_TRANSACTION`). Behind
   * its end the transaction is a closed store: its calls are refused (`LEVEL_DATABASE_NOT_OPEN`).
   * @throws (rejects) what `work` throws; `HOLDFAST_UNSUPPORTED` where the engine has none
   */
  async transaction<T>(
    work: (transaction: LevelTransaction<KDefault, VDefault>) => T | Promise<T>,
    options: SyncOptions = {},
  ): Promise<T> {
    checkTransaction(work, options, this.#home !== this);
    return this.#whenOpen('transaction', (engine) => {
      if (engine.transaction === undefined) throw withoutTransactions(engine.name);
      const begin = async (inner: Engine): Promise<T> => {
        const transaction = new HoldfastLevel<KDefault, VDefault>(this.#location, {
          engine: transactionKind(inner),
          keyEncoding: this.keyEncoding() as never,
          valueEncoding: this.valueEncoding() as never,
        });
        transaction.#home = this;
        await transaction.open();
        try {
          return await work(transaction);
        } finally {
          // Its iterators are closed by it; the engine commits behind it.
          await transaction.close();
        }
      };
      const policy = options.sync === undefined ? undefined : toSyncPolicy(options.sync);
      return engine.transaction(begin, policy);
    });
  }

  /**
   * Figures of now.
   * @throws an error with code `LEVEL_DATABASE_NOT_OPEN`
   */
  stats(): EngineStats {
    return this.#opened('stats').stats();
  }

  /**
   * A figure by LevelDB's name (`'leveldb.stats'`), as far as the engine has it; else an empty
   * string.
   * @throws an error with code `LEVEL_DATABASE_NOT_OPEN`
   */
  getProperty(property: string): string {
    if (typeof property !== 'string') {
      throw new TypeError("The first argument 'property' must be a string");
    }
    const engine = this.#opened('getProperty');
    const known = engine.property?.(property);
    if (known !== undefined) return known;
    const stats = engine.stats();
    if (property === 'leveldb.approximate-memory-usage') return String(stats.memoryBytes);
    return String(stats.details[property] ?? '');
  }

  /**
   * As `put`, and returns when what the policy promises holds: it waits for the device on the
   * calling thread.
   * @throws an error with code `LEVEL_DATABASE_NOT_OPEN`, `LEVEL_INVALID_KEY`,
   *   `LEVEL_INVALID_VALUE`; `LEVEL_NOT_SUPPORTED` where prewrite hooks would have to run
   */
  putSync(key: KDefault, value: VDefault): void;
  putSync<K = KDefault, V = VDefault>(key: K, value: V, options: PutOptions<K, V>): void;
  putSync(key: unknown, value: unknown, options?: object): void {
    writeNow(this, this.#opened('putSync'), { type: 'put', key, value }, options);
  }

  /** As the base class has it. */
  override batch(
    operations: BatchOperation<Parent<KDefault, VDefault>, KDefault, VDefault>[],
  ): Promise<void>;
  override batch<K = KDefault, V = VDefault>(
    operations: BatchOperation<Parent<KDefault, VDefault>, K, V>[],
    options: BatchOptions<K, V>,
  ): Promise<void>;
  override batch(): ChainedBatch<this, KDefault, VDefault>;
  override batch(...given: [operations?: unknown, options?: unknown]): unknown {
    const [operations, options] = given;
    const engine = this.status === 'open' ? this.#engine : undefined;
    const plain = engine === undefined ? null : plainBatch(this, operations, options);
    if (engine === undefined || plain === null) return super.batch(...(given as [never, never]));
    return this.#written(engine, plain, options ?? {});
  }

  /** As the base class has it; puts that share a group commit may get the same promise. */
  override put(key: KDefault, value: VDefault): Promise<void>;
  override put<K = KDefault, V = VDefault>(
    key: K,
    value: V,
    options: PutOptions<K, V>,
  ): Promise<void>;
  override put(...given: [key: unknown, value: unknown, options?: unknown]): Promise<void> {
    const engine = this.status === 'open' ? this.#engine : undefined;
    if (engine === undefined) return super.put(...(given as [never, never]));
    const [key, value, options] = given;
    const done = this.#plainly.write(engine, { type: 'put', key, value, options });
    return done ?? super.put(...(given as [never, never]));
  }

  /** As the base class has it. */
  override get(key: KDefault): Promise<VDefault | undefined>;
  override get<K = KDefault, V = VDefault>(
    key: K,
    options: GetOptions<K, V>,
  ): Promise<V | undefined>;
  override get(...given: [key: unknown, options?: unknown]): Promise<unknown> {
    const otherwise = async (): Promise<never> => super.get(...(given as [never])) as never;
    const engine = this.status === 'open' ? this.#engine : undefined;
    const key = engine === undefined ? null : this.#plainly.keyOf(given[0], given[1]);
    return key === null ? otherwise() : this.#plainly.get(engine!, key, otherwise);
  }

  get #plainly(): PlainCalls<KDefault, VDefault> {
    this.#plain ??= new PlainCalls(this, this.#turns);
    return this.#plain;
  }

  async #written(engine: Engine, batch: WriteBatch, options: StoredWriteOptions): Promise<void> {
    await engine.write(batch, toPolicy(options));
  }

  /** As `del`, in the way of `putSync`. */
  delSync(key: KDefault): void;
  delSync<K = KDefault>(key: K, options: DelOptions<K>): void;
  delSync(key: unknown, options?: object): void {
    writeNow(this, this.#opened('delSync'), { type: 'del', key }, options);
  }

  protected async _open(options: LevelOptions<KDefault, VDefault>): Promise<void> {
    checkOpenOptions(options, this.#isOwnKind);
    this.#closeFailure = null;
    await refuseForeign(this.#kind, this.#location, options);
    this.#engine = await withAdvice(this.#kind.open(this.#location, options));
  }

  /**
   * The files and the lock are given back and the status becomes `'closed'`, whatever happens; the
   * base class would take a store for open whose `_close` rejects. So `close` rejects behind it, when
   * something that was accepted could not be made durable.
   */
  protected async _close(): Promise<void> {
    const engine = this.#engine;
    this.#engine = undefined;
    try {
      await engine?.close();
    } catch (error) {
      this.#closeFailure = { error };
      // The last listener: what it throws is what the base class's `close` rejects with.
      this.once('closed', this.#tellCloseFailure);
    }
  }

  readonly #tellCloseFailure = (): void => {
    const failure = this.#closeFailure;
    this.#closeFailure = null;
    if (failure !== null) throw failure.error;
  };

  protected _get(key: Stored, options: StoredReadOptions): Eventual<unknown> {
    const format = options.valueEncoding;
    const value = this.#live.get(toBytes(key), toReadOptions(options, this.#live));
    if (value instanceof Promise) return value.then((found) => fromBytes(found, format));
    return this.#turns.answer(fromBytes(value, format), READ_COST);
  }

  protected _getSync(key: Stored, options: StoredReadOptions): unknown {
    const value = this.#live.getSync(toBytes(key), toReadOptions(options, this.#live));
    return fromBytes(value, options.valueEncoding);
  }

  protected async _getMany(keys: Stored[], options: StoredReadOptions): Promise<unknown[]> {
    const engine = this.#live;
    const values = await engine.getMany(keys.map(toBytes), toReadOptions(options, engine));
    if (options.valueEncoding !== 'utf8') return values;
    return values.map((value) => fromBytes(value, 'utf8'));
  }

  protected _has(key: Stored, options: StoredReadOptions): Eventual<boolean> {
    return this.#live.has(toBytes(key), toReadOptions(options, this.#live));
  }

  protected _hasMany(keys: Stored[], options: StoredReadOptions): Promise<boolean[]> {
    const engine = this.#live;
    const how = toReadOptions(options, engine);
    return Promise.all(keys.map(async (key) => engine.has(toBytes(key), how)));
  }

  protected _put(key: Stored, value: Stored, options: StoredWriteOptions): Eventual<void> {
    return this.#live.write(putBatch(key, value, options.ttl), toPolicy(options));
  }

  protected _del(key: Stored, options: StoredWriteOptions): Eventual<void> {
    return this.#live.write(WriteBatch.delete(toBytes(key)), toPolicy(options));
  }

  protected _batch(
    operations: readonly StoredOperation[],
    options: StoredWriteOptions,
  ): Eventual<void> {
    return this.#live.write(toWriteBatch(operations, this.#home), toPolicy(options));
  }

  protected _chainedBatch(): AbstractChainedBatch<this, KDefault, VDefault> {
    return new LevelChainedBatch<KDefault, VDefault>(this, this.#live, this.#home) as never;
  }

  protected _clear(options: StoredRange & StoredReadOptions & StoredWriteOptions): Eventual<void> {
    const snapshot = engineSnapshotOf(options.snapshot, this.#live);
    const { reverse, limit } = options;
    return this.#live.clear({ ...toRange(options), reverse, limit, snapshot }, toPolicy(options));
  }

  protected _iterator(options: StoredIteratorOptions): LevelIterator<KDefault, VDefault> {
    return new LevelIterator(this, this.#origin, options);
  }

  protected _keys(options: StoredIteratorOptions): LevelKeyIterator<KDefault, VDefault> {
    return new LevelKeyIterator(this, this.#origin, options);
  }

  protected _values(options: StoredIteratorOptions): LevelValueIterator<KDefault, VDefault> {
    return new LevelValueIterator(this, this.#origin, options);
  }

  protected _snapshot(options: object): AbstractSnapshot {
    return new LevelSnapshot(this.#live, options);
  }

  /** The engine, for the private methods: the base class calls them only while it is open. */
  get #live(): Engine {
    assert(this.#engine !== undefined, 'a private method is called while the store is open');
    return this.#engine;
  }

  get #origin(): { engine: Engine; turns: FairTurns } {
    return { engine: this.#live, turns: this.#turns };
  }

  #opened(method: string): Engine {
    if (this.status !== 'open') throw notOpen(method);
    return this.#live;
  }

  async #whenOpen<T>(method: string, run: (engine: Engine) => Eventual<T>): Promise<T> {
    if (this.status === 'opening') return this.deferAsync(() => this.#whenOpen(method, run));
    return run(this.#opened(method));
  }

  #startEnd(
    start: unknown,
    end: unknown,
    options: StartEndOptions<unknown> | undefined,
  ): { gte: Uint8Array; lt: Uint8Array } {
    if (start === undefined || end === undefined) {
      throw new TypeError("The arguments 'start' and 'end' are required");
    }
    const encoding = this.keyEncoding(options?.keyEncoding as 'utf8');
    const encode = (key: unknown): Uint8Array => toBytes(encoding.encode(key as string));
    return { gte: encode(start), lt: encode(end) };
  }
}

/** A store as the function of `transaction` gets it: without what concerns the whole of it. */
export type LevelTransaction<KDefault, VDefault> = Omit<
  HoldfastLevel<KDefault, VDefault>,
  'open' | 'close' | 'transaction' | 'backup' | 'compact' | 'compactRange' | 'verify' | 'recovery'
>;
