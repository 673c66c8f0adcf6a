/**
 * Reads a range of one state in either direction, for the engine contract. What it must load, it
 * loads on the thread pool or on the calling thread, as the caller asks.
 */

import { assert } from '../base/assert.ts';
import { closedError } from '../engine/engine-errors.ts';
import type { EntryIterator, EntrySink, IteratorOptions } from '../engine/entry-iterator.ts';
import {
  aboveLower,
  belowUpper,
  boundsAreEmpty,
  entryLimit,
  keyBounds,
} from '../engine/key-range.ts';
import type { KeyBounds } from '../engine/key-range.ts';
import type { Eventual } from '../engine/read-options.ts';
import { CURSOR } from './entry-cursor.ts';
import type { ReadContext } from './read-context.ts';
import { stateCursor } from './read-state.ts';
import type { ReadState } from './read-state.ts';
import { VisibleCursor } from './visible-cursor.ts';

const NOTHING = Buffer.alloc(0);

/** An iterator of the LSM engine. */
export class LsmIterator implements EntryIterator {
  readonly #context: ReadContext;
  readonly #cursor: VisibleCursor;
  readonly #bounds: KeyBounds;
  readonly #reverse: boolean;
  readonly #keys: boolean;
  readonly #values: boolean;
  readonly #onClose: (iterator: LsmIterator) => void;
  /** Where the next read begins; undefined: where the cursor stands. */
  #start: 'bound' | Uint8Array | undefined = 'bound';
  #atEnd = false;
  #left: number;
  #isClosed = false;
  #isReading = false;
  /** What a read failed with; later ones fail with it too. */
  #failure: unknown = null;
  readonly #keyView = new BufferView();
  readonly #valueView = new BufferView();

  /** `onClose` gives back the state. */
  constructor(
    state: ReadState,
    context: ReadContext,
    options: IteratorOptions,
    onClose: (iterator: LsmIterator) => void,
  ) {
    this.#context = context;
    this.#cursor = new VisibleCursor(stateCursor(state, context), state.sequence);
    this.#bounds = keyBounds(options);
    this.#reverse = options.reverse ?? false;
    this.#keys = options.keys ?? true;
    this.#values = options.values ?? true;
    this.#left = entryLimit(options.limit);
    this.#onClose = onClose;
    this.#atEnd = boundsAreEmpty(this.#bounds);
  }

  read(sink: EntrySink, entriesMax: number, bytesMax: number): Eventual<number> {
    this.#begin(entriesMax);
    this.#context.mayWait = this.#context.isReadyForCalling;
    if (!this.#context.isBlocked) {
      const pushed = this.#push(sink, entriesMax, bytesMax);
      if (pushed > 0 || !this.#context.isBlocked) return pushed;
    }
    return this.#readLater(sink, entriesMax, bytesMax);
  }

  readSync(sink: EntrySink, entriesMax: number, bytesMax: number): number {
    this.#begin(entriesMax);
    this.#context.mayWait = true;
    try {
      while (this.#context.isBlocked) {
        this.#context.loadSync();
        this.#cursor.resume();
      }
      return this.#push(sink, entriesMax, bytesMax);
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }

  seek(target: Uint8Array): void {
    if (this.#isClosed) throw closedError('iterator');
    assert(!this.#isReading, 'one call of an iterator at a time');
    this.#context.forget();
    this.#atEnd = !aboveLower(this.#bounds, target) || !belowUpper(this.#bounds, target);
    this.#start = target.slice();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (!this.#isReading) this.#onClose(this);
  }

  #begin(entriesMax: number): void {
    if (this.#isClosed) throw closedError('iterator');
    assert(!this.#isReading, 'one call of an iterator at a time');
    assert(entriesMax > 0, 'a read asks for at least one entry');
    if (this.#failure !== null) throw this.#failure;
  }

  async #readLater(sink: EntrySink, entriesMax: number, bytesMax: number): Promise<number> {
    this.#isReading = true;
    try {
      for (;;) {
        await this.#context.load();
        if (this.#isClosed) throw closedError('iterator');
        this.#cursor.resume();
        const pushed = this.#push(sink, entriesMax, bytesMax);
        if (pushed > 0 || !this.#context.isBlocked) return pushed;
      }
    } catch (error) {
      this.#failure ??= error;
      throw error;
    } finally {
      this.#isReading = false;
      if (this.#isClosed) this.#onClose(this);
    }
  }

  /** Pushes entries until one of the ends, or until it is blocked. */
  #push(sink: EntrySink, entriesMax: number, bytesMax: number): number {
    try {
      return this.#pushEntries(sink, entriesMax, bytesMax);
    } catch (error) {
      this.#failure ??= error;
      throw error;
    }
  }

  #pushEntries(sink: EntrySink, entriesMax: number, bytesMax: number): number {
    const cursor = this.#cursor;
    if (this.#atEnd || this.#left === 0) return 0;
    if (this.#start !== undefined) this.#goToStart();
    let pushed = 0;
    let bytes = 0;
    while (pushed < entriesMax && bytes < bytesMax && this.#left > 0) {
      if (cursor.state === CURSOR.blocked) return pushed;
      if (cursor.state === CURSOR.end || !this.#isInside()) {
        this.#atEnd = true;
        break;
      }
      bytes += this.#pushOne(sink);
      pushed++;
      this.#left--;
      if (this.#reverse) cursor.previous();
      else cursor.next();
    }
    this.#context.release();
    return pushed;
  }

  #pushOne(sink: EntrySink): number {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = this.#cursor;
    const keys = this.#keys ? this.#keyView.of(keyBytes) : NOTHING;
    const values = this.#values ? this.#valueView.of(valueBytes) : NOTHING;
    const keyTo = this.#keys ? keyEnd : 0;
    const valueTo = this.#values ? valueEnd : 0;
    const keyFrom = this.#keys ? keyStart : 0;
    const valueFrom = this.#values ? valueStart : 0;
    sink.entry(keys, keyFrom, keyTo, values, valueFrom, valueTo);
    return keyTo - keyFrom + valueTo - valueFrom;
  }

  #goToStart(): void {
    const { lower, lowerOpen, upper, upperOpen } = this.#bounds;
    const start = this.#start;
    this.#start = undefined;
    if (start instanceof Uint8Array) {
      // A target on an open bound is outside and never comes here.
      if (this.#reverse) this.#cursor.seekBackward(start, false);
      else this.#cursor.seekForward(start, false);
    } else if (this.#reverse) {
      this.#cursor.seekBackward(upper ?? null, upperOpen);
    } else {
      this.#cursor.seekForward(lower ?? null, lowerOpen);
    }
  }

  /** Whether the entry under the cursor is not past the far bound. */
  #isInside(): boolean {
    const { keyBytes, keyStart, keyEnd } = this.#cursor;
    return this.#reverse
      ? aboveLower(this.#bounds, keyBytes, keyStart, keyEnd)
      : belowUpper(this.#bounds, keyBytes, keyStart, keyEnd);
  }
}

/** Bytes as the buffer that a sink takes: the same as before as long as the bytes are. */
class BufferView {
  #bytes: Uint8Array = NOTHING;
  #buffer: Buffer = NOTHING;

  of(bytes: Uint8Array): Buffer {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    return this.#buffer;
  }
}
