/** Batches: what `abstract-level` gives, in the engine's form; and its chained batch. */

import { AbstractChainedBatch } from 'abstract-level';

import type { Engine } from '../engine/engine.ts';
import type { Eventual } from '../engine/read-options.ts';
import { WriteBatch } from '../engine/write-batch.ts';
import { toBytes, toPolicy } from './level-bytes.ts';
import type { Stored, StoredWriteOptions } from './level-bytes.ts';
import type { LevelBase } from './level-base.ts';

/** An operation of a batch as the base class hands it down: key and value are encoded. */
export interface StoredOperation {
  readonly type: 'put' | 'del';
  readonly key: Stored;
  readonly value?: Stored;
  readonly ttl?: number;
}

/** The batch that operations are. */
export function toWriteBatch(operations: readonly StoredOperation[]): WriteBatch {
  const batch = new WriteBatch();
  for (const { type, key, value, ttl } of operations) {
    if (type === 'del') batch.delete(toBytes(key));
    else putStored(batch, key, value ?? '', ttl);
  }
  return batch;
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
    throw new TypeError(`ttl must be a number of milliseconds above 0, not ${ttl}`);
  }
  batch.put(toBytes(key), toBytes(value), ttl);
}

/** A batch that is put together call by call. */
export class LevelChainedBatch<K, V> extends AbstractChainedBatch<LevelBase<K, V>, K, V> {
  readonly #engine: Engine;
  readonly #batch = new WriteBatch();

  constructor(db: LevelBase<K, V>, engine: Engine) {
    super(db);
    this.#engine = engine;
  }

  protected _put(key: Stored, value: Stored, options: StoredWriteOptions): void {
    putStored(this.#batch, key, value, options.ttl);
  }

  protected _del(key: Stored): void {
    this.#batch.delete(toBytes(key));
  }

  protected _clear(): void {
    this.#batch.clear();
  }

  protected _write(options: StoredWriteOptions): Eventual<void> {
    return this.#engine.write(this.#batch, toPolicy(options));
  }
}
