/**
 * A put or delete that asks for nothing of the base class's (hooks, events, encodings of its own):
 * straight to the engine. The base class waits for each in a promise of its own, and looks its
 * options up. Not here: the checks, which the base class makes of all that is not plain.
 */

import type { Engine } from '../engine/engine.ts';
import { WriteBatch } from '../engine/write-batch.ts';
import type { LevelBase } from './level-base.ts';
import { toBytes, toPolicy } from './level-bytes.ts';
import type { Stored } from './level-bytes.ts';
import { isPlain, isWatched } from './plain-batch.ts';

/** The store's own encodings, which never change. */
export interface DefaultEncodings<K, V> {
  readonly keys: { encode(key: K): Stored };
  readonly values: { encode(value: V): Stored };
}

/** A put (with a value) or a delete, as the caller gave it: nothing of it has been checked. */
export interface PlainWrite {
  readonly type: 'put' | 'del';
  readonly key: unknown;
  readonly value?: unknown;
  readonly options: unknown;
}

/**
 * Settles as the write does; null for the base class to make it, or to say what is wrong. Writes
 * that share a group commit may get the same promise. REQUIRES: the store is open.
 */
export function writePlain<K, V>(
  db: LevelBase<K, V>,
  engine: Engine,
  encodings: DefaultEncodings<K, V>,
  write: PlainWrite,
): Promise<void> | null {
  const { options } = write;
  if (!isPlain(options) || isWatched(db)) return null;
  const batch = plainWriteBatch(encodings, write);
  if (batch === null) return null;
  try {
    const policy = options == null ? undefined : toPolicy(options);
    const done = engine.write(batch, policy);
    return done instanceof Promise ? done : Promise.resolve(done);
  } catch (error) {
    // One way to hear of failures: the promise.
    return Promise.reject(error);
  }
}

function plainWriteBatch<K, V>(
  { keys, values }: DefaultEncodings<K, V>,
  { type, key, value }: PlainWrite,
): WriteBatch | null {
  if (key == null || (type === 'put' && value == null)) return null;
  try {
    const bytes = toBytes(keys.encode(key as K));
    if (type === 'del') return WriteBatch.delete(bytes);
    return WriteBatch.put(bytes, toBytes(values.encode(value as V)));
  } catch {
    // The base class meets it again and tells it in its own words.
    return null;
  }
}
