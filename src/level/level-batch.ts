/** Batches: what `abstract-level` gives, in the engine's form; and its chained batch. */

import { inspect } from 'node:util';

import { AbstractChainedBatch } from 'abstract-level';

import type { Engine } from '../engine/engine.ts';
import type { Eventual } from '../engine/read-options.ts';
import { WriteBatch } from '../engine/write-batch.ts';
import { toBytes, toPolicy } from './level-bytes.ts';
import type { Format, Stored, StoredWriteOptions } from './level-bytes.ts';
import type { LevelBase } from './level-base.ts';

/** An operation of a batch as the base class hands it down: key and value are encoded. */
export interface StoredOperation {
  readonly type: 'put' | 'del';
  readonly key: Stored;
  readonly value?: Stored;
  readonly ttl?: number;
  readonly keyEncoding?: Format;
  readonly sublevel?: StoredSublevel | null;
}

/** A sublevel that the base class did not find below the store, so that the key has no prefix. */
export interface StoredSublevel {
  /** The store that it is a part of. */
  readonly db?: unknown;
  prefixKey(key: Stored, format: Format | undefined, local: boolean): Stored;
}

/**
 * The batch that operations are. `home` is the store whose sublevels they may name: for a
 * transaction the one that it is of.
 * @throws TypeError for a sublevel of another store
 */
export function toWriteBatch(operations: readonly StoredOperation[], home: unknown): WriteBatch {
  const batch = new WriteBatch();
  for (const operation of operations) {
    const { type, value, ttl } = operation;
    const key = placedKey(operation.key, operation, home);
    if (type === 'del') batch.delete(toBytes(key));
    else putStored(batch, key, value ?? '', ttl);
  }
  return batch;
}

/** The key with the prefix of the sublevel that its operation names. */
function placedKey(
  key: Stored,
  { sublevel, keyEncoding }: Pick<StoredOperation, 'sublevel' | 'keyEncoding'>,
  home: unknown,
): Stored {
  if (sublevel == null) return key;
  if (sublevel !== home && sublevel.db !== home) {
    throw new TypeError('a sublevel that an operation names must be of the store it is written to');
  }
  return sublevel.prefixKey(key, keyEncoding, false);
}

/** A batch of one put. */
export function putBatch(key: Stored, value: Stored, ttl: number | undefined): WriteBatch {
  if (ttl === undefined) return WriteBatch.put(toBytes(key), toBytes(value));
  const batch = new WriteBatch();
  putStored(batch, key, value, ttl);
  return batch;
}

/** Adds a put with what its caller gave as its lifetime. */
export function putStored(
  batch: WriteBatch,
  key: Stored,
  value: Stored,
  ttl: number | undefined,
): void {
  if (ttl !== undefined && !(Number.isSafeInteger(ttl) && ttl > 0)) {
    throw new TypeError(`ttl must be a whole number of milliseconds above 0, not ${inspect(ttl)}`);
  }
  batch.put(toBytes(key), toBytes(value), ttl);
}

/** A batch that is put together call by call. */
export class LevelChainedBatch<K, V> extends AbstractChainedBatch<LevelBase<K, V>, K, V> {
  readonly #engine: Engine;
  readonly #home: unknown;
  readonly #batch = new WriteBatch();

  /** `home` as for `toWriteBatch`. */
  constructor(db: LevelBase<K, V>, engine: Engine, home: unknown) {
    super(db);
    this.#engine = engine;
    this.#home = home;
  }

  protected _put(key: Stored, value: Stored, options: StoredOperation): void {
    putStored(this.#batch, placedKey(key, options, this.#home), value, options.ttl);
  }

  protected _del(key: Stored): void {
    // Here the base class has given the key its prefix, whatever store the sublevel is of.
    this.#batch.delete(toBytes(key));
  }

  protected _clear(): void {
    this.#batch.clear();
  }

  protected _write(options: StoredWriteOptions): Eventual<void> {
    return this.#engine.write(this.#batch, toPolicy(options));
  }
}
