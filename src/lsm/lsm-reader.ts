/**
 * Point reads of the engine: at once when everything is in memory, else on the thread pool; or on
 * the calling thread. Not here: the search itself (`point-lookup`).
 */

import type { Eventual, ReadOptions } from '../engine/read-options.ts';
import { FOUND, PointLookup } from './point-lookup.ts';
import type { Found } from './point-lookup.ts';
import { ReadContext } from './read-context.ts';
import type { ReadState } from './read-state.ts';
import { copyRange } from './table/block-builder.ts';
import type { TableCache } from './table/table-cache.ts';

/** The state that is read, and keeping it. */
export interface ReadAccess {
  state(options: ReadOptions): ReadState;
  hold(state: ReadState): void;
  letGo(state: ReadState): void;
}

const DEFAULTS: ReadOptions = {};

/** A value of so many bytes is copied in a loop faster than through a view that is made for it. */
const LOOP_BYTES_MAX = 160;

export class LsmReader {
  readonly #tables: TableCache;
  readonly #access: ReadAccess;
  readonly #lookup = new PointLookup();
  /** For reads that go on at once; replaced when one of them has to wait. */
  #context: ReadContext;
  readonly #waitingContext: ReadContext;

  constructor(tables: TableCache, access: ReadAccess) {
    this.#tables = tables;
    this.#access = access;
    this.#context = new ReadContext(tables, true, false);
    this.#waitingContext = new ReadContext(tables, true, true);
  }

  get(key: Uint8Array, options: ReadOptions = DEFAULTS): Eventual<Buffer | undefined> {
    const state = this.#access.state(options);
    const found = this.#find(state, key, options);
    if (found !== FOUND.blocked) return this.#value(found);
    return this.#later(state, [key.slice()], options, (last) => this.#value(last)).then(
      ([value]) => value,
    );
  }

  getSync(key: Uint8Array, options: ReadOptions = DEFAULTS): Buffer | undefined {
    return this.#value(this.#findNow(key, options));
  }

  getMany(
    keys: readonly Uint8Array[],
    options: ReadOptions = DEFAULTS,
  ): Eventual<(Buffer | undefined)[]> {
    const state = this.#access.state(options);
    const values: (Buffer | undefined)[] = [];
    for (const key of keys) {
      const found = this.#find(state, key, options);
      if (found === FOUND.blocked) {
        const rest = keys.slice(values.length).map((one) => one.slice());
        return this.#later(state, rest, options, (last) => this.#value(last)).then((later) => [
          ...values,
          ...later,
        ]);
      }
      values.push(this.#value(found));
    }
    return values;
  }

  has(key: Uint8Array, options: ReadOptions = DEFAULTS): Eventual<boolean> {
    const state = this.#access.state(options);
    const found = this.#find(state, key, options);
    if (found !== FOUND.blocked) return found === FOUND.value;
    return this.#later(state, [key.slice()], options, (last) => last === FOUND.value).then(
      ([has]) => has === true,
    );
  }

  hasSync(key: Uint8Array, options: ReadOptions = DEFAULTS): boolean {
    return this.#findNow(key, options) === FOUND.value;
  }

  #find(state: ReadState, key: Uint8Array, options: ReadOptions): Found {
    if (options.fillCache === false) return FOUND.blocked;
    const context = this.#tables.isReadyForCalling ? this.#waitingContext : this.#context;
    const found = this.#lookup.find(state, key, context);
    if (found === FOUND.blocked) this.#context = new ReadContext(this.#tables, true, false);
    return found;
  }

  #findNow(key: Uint8Array, options: ReadOptions): Found {
    const state = this.#access.state(options);
    const context =
      options.fillCache === false
        ? new ReadContext(this.#tables, false, true)
        : this.#waitingContext;
    return this.#lookup.find(state, key, context);
  }

  /** Searches for keys, all at the same time, with what is not in memory loaded. */
  async #later<T>(
    state: ReadState,
    keys: readonly Uint8Array[],
    options: ReadOptions,
    take: (found: Found) => T,
  ): Promise<T[]> {
    this.#access.hold(state);
    this.#tables.enter();
    try {
      return await Promise.all(
        keys.map(async (key) => {
          const context = new ReadContext(this.#tables, options.fillCache ?? true, false);
          for (;;) {
            const found = this.#lookup.find(state, key, context);
            // Taken at once: the search is everybody's.
            if (found !== FOUND.blocked) return take(found);
            await context.load();
          }
        }),
      );
    } finally {
      this.#tables.leave();
      this.#access.letGo(state);
    }
  }

  #value(found: Found): Buffer | undefined {
    if (found !== FOUND.value) return undefined;
    const { valueBytes, valueStart, valueEnd } = this.#lookup;
    const value = Buffer.allocUnsafe(valueEnd - valueStart);
    copyRange(value, 0, valueBytes, valueStart, valueEnd, LOOP_BYTES_MAX);
    return value;
  }
}
