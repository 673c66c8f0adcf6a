/** Blocking writes of one key, which `abstract-level` does not have: encodings, checks and the event. */

import type { Engine } from '../engine/engine.ts';
import { WriteBatch } from '../engine/write-batch.ts';
import { knownOptions } from './check-options.ts';
import type { LevelBase } from './level-base.ts';
import { putBatch } from './level-batch.ts';
import { toBytes, toPolicy } from './level-bytes.ts';
import type { StoredWriteOptions } from './level-bytes.ts';
import { LevelError } from './level-error.ts';

/** A put (with a value) or a delete, as the caller gave it. */
export interface WriteNow {
  readonly type: 'put' | 'del';
  readonly key: unknown;
  readonly value?: unknown;
}

/** Encodings as a caller names them; the base class checks them. */
interface NamedEncodings extends StoredWriteOptions {
  readonly keyEncoding?: string;
  readonly valueEncoding?: string;
}

/**
 * Writes one key and returns when what the policy promises holds, after which the event is emitted.
 */
export function writeNow<K, V>(
  db: LevelBase<K, V>,
  engine: Engine,
  write: WriteNow,
  options: NamedEncodings = {},
): void {
  const { type, key, value } = write;
  knownOptions(options, ['sync', 'ttl', 'keyEncoding', 'valueEncoding']);
  const { noop } = db.hooks.prewrite as { readonly noop?: boolean };
  if (noop !== true) {
    throw new LevelError('LEVEL_NOT_SUPPORTED', `${type}Sync() does not run prewrite hooks`);
  }
  /* oxlint-disable no-underscore-dangle -- the base class calls its checks so */
  db._assertValidKey(key);
  if (type === 'put') db._assertValidValue(value);
  /* oxlint-enable no-underscore-dangle */
  const keyEncoding = db.keyEncoding(options.keyEncoding as 'utf8');
  const valueEncoding = db.valueEncoding(options.valueEncoding as 'utf8');
  const encodedKey = keyEncoding.encode(key as string);
  const encodedValue = type === 'put' ? valueEncoding.encode(value as string) : undefined;
  const batch =
    encodedValue === undefined
      ? WriteBatch.delete(toBytes(encodedKey))
      : putBatch(encodedKey, encodedValue, options.ttl);
  engine.writeSync(batch, toPolicy(options));
  if (db.listenerCount('write') === 0) return;
  const operation = { ...options, type, key, keyEncoding, encodedKey };
  db.emit('write', [
    type === 'put' ? { ...operation, value, valueEncoding, encodedValue } : operation,
  ]);
}
