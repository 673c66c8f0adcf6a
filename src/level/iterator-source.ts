/**
 * What the three iterators of `abstract-level` (entries, keys, values) have in common: reading the
 * engine's iterator ahead for `next`, in chunks for `nextv`, and ending when a signal says so.
 */

import { inspect } from 'node:util';

import type { Engine } from '../engine/engine.ts';
import type { EntryIterator } from '../engine/entry-iterator.ts';
import type { Eventual } from '../engine/read-options.ts';
import type { FairTurns } from './fair-turns.ts';
import { toBytes, toRange, toReadOptions } from './level-bytes.ts';
import type { Format, Gathering, Stored, StoredRange, StoredReadOptions } from './level-bytes.ts';
import { aborted } from './level-error.ts';
import { snapshotIsClosed } from './level-snapshot.ts';

/** What a private iterator method gets. */
export interface StoredIteratorOptions extends StoredRange, StoredReadOptions {
  readonly keyEncoding: Format;
  readonly valueEncoding: Format;
  readonly keys?: boolean;
  readonly values?: boolean;
  readonly signal?: AbortSignal | null;
  readonly highWaterMarkBytes?: number;
}

/** Entries that `next` reads ahead, the first time after the beginning or a seek, and later. */
const AHEAD_FIRST = 1;
const AHEAD_LATER = 1000;
/** Bytes that `next` reads ahead, and that one `nextv` gives, where the caller names no mark. */
const AHEAD_BYTES = 64 * 1024;
const CHUNK_BYTES = 1 << 20;

/** Reads items of one kind from an engine. */
export class IteratorSource<Item> {
  readonly #iterator: EntryIterator;
  readonly #turns: FairTurns;
  readonly #gather: () => Gathering<Item>;
  readonly #signal: AbortSignal | undefined;
  readonly #bytesMax: number | undefined;
  /** What the caller gave, refused by the first read: a deferred iterator is made while opening. */
  readonly #mark: unknown;
  readonly #isWrong: boolean;
  #ahead: Item[] = [];
  #position = 0;
  #aheadNext = AHEAD_FIRST;

  constructor(
    engine: Engine,
    turns: FairTurns,
    options: StoredIteratorOptions,
    wanted: { readonly keys: boolean; readonly values: boolean },
    gather: () => Gathering<Item>,
  ) {
    // The base class refuses to read with a closed snapshot, not to make an iterator with one.
    const closed = snapshotIsClosed(options.snapshot);
    this.#iterator = engine.iterator({
      ...toRange(options),
      ...toReadOptions(
        { fillCache: false, ...options, ...(closed ? { snapshot: undefined } : {}) },
        engine,
      ),
      ...wanted,
      reverse: options.reverse,
      limit: options.limit,
    });
    if (closed) this.#iterator.close();
    this.#turns = turns;
    this.#gather = gather;
    this.#signal = options.signal ?? undefined;
    const { highWaterMarkBytes: mark } = options;
    this.#bytesMax = mark === undefined ? undefined : Math.max(1, mark);
    this.#isWrong = mark !== undefined && !(typeof mark === 'number' && mark >= 0);
    this.#mark = mark;
  }

  /** The next item; undefined at the end. */
  next(): Eventual<Item | undefined> {
    if (this.#position < this.#ahead.length) return this.#ahead[this.#position++];
    const count = this.#aheadNext;
    this.#aheadNext = AHEAD_LATER;
    const items = this.#read(count, this.#bytesMax ?? AHEAD_BYTES);
    if (!(items instanceof Promise)) return this.#startAhead(items);
    return items.then((some) => this.#startAhead(some));
  }

  /** The next items, at most `size`; none at the end. */
  nextv(size: number): Eventual<Item[]> {
    this.#aheadNext = AHEAD_LATER;
    if (this.#position < this.#ahead.length) {
      const some = this.#ahead.slice(this.#position, this.#position + size);
      this.#position += some.length;
      return some;
    }
    return this.#read(size, this.#bytesMax ?? CHUNK_BYTES);
  }

  seek(target: Stored): void {
    // After an abort a read may still be under way, and nothing can be read any more.
    if (this.#signal?.aborted === true) return;
    this.#ahead = [];
    this.#position = 0;
    this.#aheadNext = AHEAD_FIRST;
    this.#iterator.seek(toBytes(target));
  }

  close(): void {
    this.#ahead = [];
    this.#position = 0;
    this.#iterator.close();
  }

  #startAhead(items: Item[]): Item | undefined {
    this.#ahead = items;
    this.#position = 1;
    return items[0];
  }

  #read(size: number, bytesMax: number): Eventual<Item[]> {
    if (this.#isWrong) {
      const shown = inspect(this.#mark);
      throw new TypeError(`highWaterMarkBytes must be a number of bytes from 0, not ${shown}`);
    }
    const gathering = this.#gather();
    const { items } = gathering;
    while (items.length < size && gathering.bytes < bytesMax) {
      const left = size - items.length;
      const count = this.#iterator.read(gathering, left, bytesMax - gathering.bytes);
      if (typeof count !== 'number') {
        return this.#unlessAborted(this.#readOn(count, gathering, size, bytesMax));
      }
      if (count === 0) break;
    }
    const answer = this.#turns.answer(items, items.length);
    return this.#signal === undefined ? answer : this.#unlessAborted(Promise.resolve(answer));
  }

  /** Goes on when the engine had to wait. */
  async #readOn(
    pending: Promise<number>,
    gathering: Gathering<Item>,
    size: number,
    bytesMax: number,
  ): Promise<Item[]> {
    const { items } = gathering;
    let count = await pending;
    while (count > 0 && items.length < size && gathering.bytes < bytesMax) {
      const left = size - items.length;
      count = await this.#iterator.read(gathering, left, bytesMax - gathering.bytes);
    }
    return items;
  }

  /** The answer, or an error as soon as the signal ends it. */
  #unlessAborted(answer: Promise<Item[]>): Promise<Item[]> {
    const signal = this.#signal;
    if (signal === undefined) return answer;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(aborted());
      signal.addEventListener('abort', onAbort, { once: true });
      const settle = (done: () => void): void => {
        signal.removeEventListener('abort', onAbort);
        done();
      };
      answer.then(
        (items) => settle(() => (signal.aborted ? reject(aborted()) : resolve(items))),
        (error: unknown) => settle(() => reject(error)),
      );
    });
  }
}
