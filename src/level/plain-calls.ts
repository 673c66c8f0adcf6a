/**
 * Reads and writes of one key that ask for nothing of the base class's (hooks, events, encodings of
 * their own, snapshots): straight to the engine. The base class looks options up and has a promise
 * of its own for each. Not here: the checks, which the base class makes of all that is not plain.
 */

import type { Engine } from '../engine/engine.ts';
import type { Eventual } from '../engine/read-options.ts';
import { WriteBatch } from '../engine/write-batch.ts';
import type { FairTurns } from './fair-turns.ts';
import type { LevelBase } from './level-base.ts';
import { fromBytes, toBytes, toPolicy } from './level-bytes.ts';
import type { Format, Stored } from './level-bytes.ts';
import { isPlain, isWatched } from './plain-batch.ts';

/** The store's own encodings, which never change. */
interface DefaultEncodings<K, V> {
  readonly keys: { encode(key: K): Stored };
  readonly values: {
    readonly format: Format;
    encode(value: V): Stored;
    decode(stored: unknown): V;
  };
}

/** A put (with a value) or a delete, as the caller gave it: nothing of it has been checked. */
export interface PlainWrite {
  readonly type: 'put' | 'del';
  readonly key: unknown;
  readonly value?: unknown;
  readonly options: unknown;
}

/** About what one answer costs, in entries of a scan. */
export const READ_COST = 10;

/** Plain calls of one store. */
export class PlainCalls<K, V> {
  readonly #db: LevelBase<K, V>;
  readonly #turns: FairTurns;
  readonly #encodings: DefaultEncodings<K, V>;
  /** What the engine gave last, and what its callers got for it: one for all of a group commit. */
  #done: Promise<void> | null = null;
  #told: Promise<void> = Promise.resolve();

  constructor(db: LevelBase<K, V>, turns: FairTurns) {
    this.#db = db;
    this.#turns = turns;
    this.#encodings = { keys: db.keyEncoding(), values: db.valueEncoding() };
  }

  /**
   * The bytes of a key, for `get`; null for the base class to make the call, or to say what is
   * wrong.
   */
  keyOf(key: unknown, options: unknown): Uint8Array | null {
    if (key == null || options != null) return null;
    try {
      return toBytes(this.#encodings.keys.encode(key as K));
    } catch {
      // The base class meets it again and tells it in its own words.
      return null;
    }
  }

  /** The value of a key; `otherwise` where it cannot be decoded. */
  async get(
    engine: Engine,
    key: Uint8Array,
    otherwise: () => Promise<V | undefined>,
  ): Promise<V | undefined> {
    const found: Eventual<Buffer | undefined> = engine.get(key);
    const value = await (found instanceof Promise ? found : this.#turns.answer(found, READ_COST));
    if (value === undefined) return undefined;
    const { values } = this.#encodings;
    try {
      return values.decode(fromBytes(value, values.format));
    } catch {
      // As above.
      return otherwise();
    }
  }

  /**
   * Settles as the write does; null for the base class to make it, or to say what is wrong. Writes
   * that share a group commit may get the same promise. REQUIRES: the store is open.
   */
  write(engine: Engine, write: PlainWrite): Promise<void> | null {
    const { options } = write;
    if (!isPlain(options) || isWatched(this.#db)) return null;
    const batch = plainWriteBatch(this.#encodings, write);
    if (batch === null) return null;
    try {
      const done = engine.write(batch, toPolicy(options ?? {}));
      return done instanceof Promise ? this.#tellOnce(done) : Promise.resolve(done);
    } catch (error) {
      // One way to hear of failures: the promise.
      return Promise.reject(error);
    }
  }

  #tellOnce(done: Promise<void>): Promise<void> {
    if (done !== this.#done) {
      this.#done = done;
      this.#told = told(done);
    }
    return this.#told;
  }
}

/** A step later: callers go on when the engine has begun what follows the commit. */
async function told(done: Promise<void>): Promise<void> {
  await done;
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
