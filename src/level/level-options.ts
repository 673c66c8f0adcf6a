/** The options of `HoldfastLevel` and its methods: those of `abstract-level`, and more. */

import type {
  AbstractBatchOperation,
  AbstractBatchOptions,
  AbstractChainedBatch,
  AbstractChainedBatchPutOptions,
  AbstractChainedBatchWriteOptions,
  AbstractClearOptions,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractGetManyOptions,
  AbstractGetOptions,
  AbstractHasManyOptions,
  AbstractHasOptions,
  AbstractIteratorOptions,
  AbstractKeyIteratorOptions,
  AbstractOpenOptions,
  AbstractPutOptions,
  AbstractValueIteratorOptions,
  Transcoder,
} from 'abstract-level';

import type { MergeOptions } from '../bitcask/bitcask-options.ts';
import type { CheckpointBounds } from '../btree/checkpointer.ts';
import type { SyncOption } from '../durable/sync-policy.ts';
import type { EngineKind, EngineOptions } from '../engine/engine-kind.ts';
import type { EngineName } from './engine-registry.ts';

/**
 * What `open` takes. Every engine takes all of it, so that the engine can be changed by one word, and
 * leaves alone what is another's: whose it is stands behind each.
 */
export interface OpenOptions extends AbstractOpenOptions, EngineOptions {
  readonly createIfMissing?: boolean;
  readonly errorIfExists?: boolean;
  /** Compress blocks (LSM). Default true. */
  readonly compression?: boolean | undefined;
  /** Bytes of cache for what was read. */
  readonly cacheSize?: number | undefined;
  /** Bytes gathered in memory and log before they become a table (LSM). */
  readonly writeBufferSize?: number | undefined;
  /** About how many bytes a block of a table has (LSM). */
  readonly blockSize?: number | undefined;
  /** Keys of a block between two that are stored whole (LSM). */
  readonly blockRestartInterval?: number | undefined;
  /** Files open at one time (LSM). */
  readonly maxOpenFiles?: number | undefined;
  /** Bytes of one file, where the engine writes many (LSM, Bitcask). */
  readonly maxFileSize?: number | undefined;
  /** Bytes of log that are written ahead with zeros, where that makes syncs cheaper (LSM, Bitcask). */
  readonly preallocateBytes?: number | undefined;
  /** When files are merged in the background; `false`: only by `compact` (Bitcask). */
  readonly merge?: MergeOptions | false | undefined;
  /** Time of day for what expires, in milliseconds since the epoch (Bitcask). */
  readonly timeOfDay?: (() => number) | undefined;
  /** Bytes of a page of a store that is made: a power of two from 4,096 to 65,536 (B+tree). */
  readonly pageBytes?: number | undefined;
  /** When a checkpoint begins (B+tree). */
  readonly checkpoint?: Partial<CheckpointBounds> | undefined;
  /** Of `classic-level`; it does nothing here. */
  readonly multithreading?: boolean | undefined;
}

/** What the constructor takes. */
export interface LevelOptions<K, V>
  extends AbstractDatabaseOptions<K, V>, Omit<OpenOptions, 'passive'> {
  readonly createIfMissing?: boolean;
  readonly errorIfExists?: boolean;
  /** The engine that keeps the data: by name, or one of your own. Default `'lsm'`. */
  readonly engine?: EngineName | EngineKind | undefined;
}

/** For reading. */
export interface CacheOption {
  /** Keep what is read in the cache. Default true, for iterators false. */
  readonly fillCache?: boolean | undefined;
}

/** For writing. */
export interface SyncOptions {
  /** When this write resolves: see `SyncPolicy`. Default: the store's. */
  readonly sync?: SyncOption | undefined;
}

/** For puts, with engines that let entries expire (Bitcask). */
export interface ExpiryOption {
  /** Milliseconds from now after which the entry is gone for good. */
  readonly ttl?: number | undefined;
}

/** For `approximateSize` and `compactRange`. */
export interface StartEndOptions<K> {
  readonly keyEncoding?: string | Transcoder.PartialEncoder<K> | undefined;
}

/** What iterators take. */
export interface AheadOption extends CacheOption {
  /** Bytes that an iterator reads ahead, and that one `nextv` gives at most. */
  readonly highWaterMarkBytes?: number | undefined;
}

export type GetOptions<K, V> = AbstractGetOptions<K, V> & CacheOption;
export type GetManyOptions<K, V> = AbstractGetManyOptions<K, V> & CacheOption;
export type HasOptions<K> = AbstractHasOptions<K> & CacheOption;
export type HasManyOptions<K> = AbstractHasManyOptions<K> & CacheOption;
export type PutOptions<K, V> = AbstractPutOptions<K, V> & SyncOptions & ExpiryOption;
export type DelOptions<K> = AbstractDelOptions<K> & SyncOptions;
export type ClearOptions<K> = AbstractClearOptions<K> & SyncOptions;
export type BatchOptions<K, V> = AbstractBatchOptions<K, V> & SyncOptions & ExpiryOption;
/** A step of a batch. On a sublevel, whose types are its own, key and value are what it takes. */
export type BatchOperation<D, K, V> = (
  | AbstractBatchOperation<D, K, V>
  | (AbstractBatchOperation<D, unknown, unknown> & { readonly sublevel: object })
) &
  ExpiryOption;
export type IteratorOptions<K, V> = AbstractIteratorOptions<K, V> & AheadOption;
export type KeyIteratorOptions<K> = AbstractKeyIteratorOptions<K> & AheadOption;
export type ValueIteratorOptions<K, V> = AbstractValueIteratorOptions<K, V> & AheadOption;

/** A chained batch whose `write` takes a policy, and whose `put` a lifetime. */
export interface ChainedBatch<D, K, V> extends AbstractChainedBatch<D, K, V> {
  put(key: K, value: V): this;
  put<PutK = K, PutV = V>(
    key: PutK,
    value: PutV,
    options: AbstractChainedBatchPutOptions<D, PutK, PutV> & ExpiryOption,
  ): this;
  write(): Promise<void>;
  write(options: AbstractChainedBatchWriteOptions & SyncOptions): Promise<void>;
}
