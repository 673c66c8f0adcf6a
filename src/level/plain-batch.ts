/**
 * Batches that ask for nothing of the base class's (hooks, events, sublevels): straight into the
 * engine's form. The base class copies every operation first, which took most of the time of
 * loading. Not here: the checks, which the base class makes of all that is not plain.
 */

import { WriteBatch } from '../engine/write-batch.ts';
import type { LevelBase } from './level-base.ts';
import { putStored } from './level-batch.ts';
import { toBytes } from './level-bytes.ts';

/** An operation as its caller gave it: nothing of it has been checked. */
interface GivenOperation {
  readonly type?: unknown;
  readonly key?: unknown;
  readonly value?: unknown;
  readonly keyEncoding?: unknown;
  readonly valueEncoding?: unknown;
  readonly sublevel?: unknown;
  readonly ttl?: unknown;
}

/**
 * The batch, or null for the base class to make it, or to say what is wrong. REQUIRES: the store is
 * open.
 */
export function plainBatch<K, V>(
  db: LevelBase<K, V>,
  operations: unknown,
  options: unknown,
): WriteBatch | null {
  if (!Array.isArray(operations) || operations.length === 0 || !isPlain(options)) return null;
  if (isWatched(db)) return null;
  const keys = db.keyEncoding();
  const values = db.valueEncoding();
  const batch = new WriteBatch();
  try {
    for (const operation of operations as readonly (GivenOperation | null | undefined)[]) {
      if (operation == null || operation.key == null || operation.sublevel != null) return null;
      if (operation.keyEncoding !== undefined) return null;
      const { type, value, ttl } = operation;
      const key = keys.encode(operation.key as K);
      if (type === 'del') {
        batch.delete(toBytes(key));
        continue;
      }
      if (type !== 'put' || value == null || operation.valueEncoding !== undefined) return null;
      putStored(batch, key, values.encode(value as V), ttl as number | undefined);
    }
  } catch {
    // The base class meets it again and tells it in its own words.
    return null;
  }
  return batch;
}

/** Whether a hook runs before a write, or somebody hears of it. */
export function isWatched<K, V>(db: LevelBase<K, V>): boolean {
  const { noop } = db.hooks.prewrite as { readonly noop?: boolean };
  return noop !== true || db.listenerCount('write') > 0;
}

/** Whether the options of the call have nothing but a policy. */
export function isPlain(options: unknown): boolean {
  if (options == null) return true;
  if (typeof options !== 'object') return false;
  for (const name in options) if (name !== 'sync') return false;
  return true;
}
