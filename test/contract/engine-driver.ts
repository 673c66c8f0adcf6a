/**
 * An engine as the contract's cases speak to it: text for bytes (one character a byte), and all
 * calls in one of the two forms.
 */

import assert from 'node:assert/strict';

import type { Engine } from '../../src/engine/engine.ts';
import type { EntryIterator, EntrySink, IteratorOptions } from '../../src/engine/entry-iterator.ts';
import type { EngineSnapshot, ReadOptions } from '../../src/engine/read-options.ts';
import { WriteBatch } from '../../src/engine/write-batch.ts';
import type { SyncPolicy } from '../../src/durable/sync-policy.ts';

export type Form = 'eventual' | 'blocking';

/** Key and value. */
export type TextEntry = readonly [key: string, value: string];

/** A put or (without value) a delete. */
export type TextChange = readonly [key: string, value?: string];

/** Bounds and all else of an iterator, with text for bytes. */
export interface TextRange {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly keys?: boolean;
  readonly values?: boolean;
  readonly snapshot?: EngineSnapshot;
}

/** One character a byte. */
export function bytes(from: string): Buffer {
  return Buffer.from(from, 'latin1');
}

/** One character a byte. */
export function text(from: Uint8Array | undefined): string | undefined {
  return from === undefined
    ? undefined
    : Buffer.from(from.buffer, from.byteOffset, from.byteLength).toString('latin1');
}

/** The range with bytes for text. */
export function rangeOf(range: TextRange): IteratorOptions {
  const { gt, gte, lt, lte, ...others } = range;
  return {
    ...others,
    ...(gt === undefined ? {} : { gt: bytes(gt) }),
    ...(gte === undefined ? {} : { gte: bytes(gte) }),
    ...(lt === undefined ? {} : { lt: bytes(lt) }),
    ...(lte === undefined ? {} : { lte: bytes(lte) }),
  };
}

/** A batch of text. */
export function batchOf(changes: readonly TextChange[]): WriteBatch {
  const batch = new WriteBatch();
  for (const [key, value] of changes) {
    if (value === undefined) batch.delete(bytes(key));
    else batch.put(bytes(key), bytes(value));
  }
  return batch;
}

/** Keeps entries as text. */
export class TextSink implements EntrySink {
  readonly entries: TextEntry[] = [];

  entry(
    keys: Buffer,
    keyStart: number,
    keyEnd: number,
    values: Buffer,
    valueStart: number,
    valueEnd: number,
  ): void {
    const key = text(keys.subarray(keyStart, keyEnd)) ?? '';
    this.entries.push([key, text(values.subarray(valueStart, valueEnd)) ?? '']);
  }
}

/** An iterator in one form. */
export class IteratorDriver {
  readonly iterator: EntryIterator;
  readonly #form: Form;

  constructor(iterator: EntryIterator, form: Form) {
    this.iterator = iterator;
    this.#form = form;
  }

  /** Up to `count` entries; fewer only at the end. */
  async read(count: number): Promise<TextEntry[]> {
    const sink = new TextSink();
    while (sink.entries.length < count) {
      if ((await this.readOnce(sink, count - sink.entries.length)) === 0) break;
    }
    return sink.entries;
  }

  /** One call. */
  async readOnce(sink: TextSink, entriesMax: number, bytesMax: number = Infinity): Promise<number> {
    const before = sink.entries.length;
    const { iterator } = this;
    const count =
      this.#form === 'eventual'
        ? await iterator.read(sink, entriesMax, bytesMax)
        : iterator.readSync(sink, entriesMax, bytesMax);
    assert.equal(sink.entries.length - before, count, 'the count is what was pushed');
    return count;
  }

  /** The first key at or after `target`, in the iterator's direction. */
  async seek(target: string): Promise<string | undefined> {
    this.iterator.seek(bytes(target));
    return (await this.read(1))[0]?.[0];
  }

  close(): void {
    this.iterator.close();
  }
}

/** An engine in one form. */
export class EngineDriver {
  readonly engine: Engine;
  readonly form: Form;

  constructor(engine: Engine, form: Form) {
    this.engine = engine;
    this.form = form;
  }

  get #blocking(): boolean {
    return this.form === 'blocking';
  }

  async get(key: string, options?: ReadOptions): Promise<string | undefined> {
    const { engine } = this;
    return text(
      this.#blocking ? engine.getSync(bytes(key), options) : await engine.get(bytes(key), options),
    );
  }

  async has(key: string, options?: ReadOptions): Promise<boolean> {
    const { engine } = this;
    return this.#blocking ? engine.hasSync(bytes(key), options) : engine.has(bytes(key), options);
  }

  async getMany(keys: readonly string[], options?: ReadOptions): Promise<(string | undefined)[]> {
    return (await this.engine.getMany(keys.map(bytes), options)).map(text);
  }

  async write(changes: readonly TextChange[], policy?: SyncPolicy): Promise<void> {
    const batch = batchOf(changes);
    if (this.#blocking) this.engine.writeSync(batch, policy);
    else await this.engine.write(batch, policy);
  }

  async put(key: string, value: string, policy?: SyncPolicy): Promise<void> {
    await this.write([[key, value]], policy);
  }

  async delete(key: string, policy?: SyncPolicy): Promise<void> {
    await this.write([[key]], policy);
  }

  iterator(range: TextRange = {}): IteratorDriver {
    return new IteratorDriver(this.engine.iterator(rangeOf(range)), this.form);
  }

  /** All entries of a range, read `chunk` a call. */
  async entries(range: TextRange = {}, chunk: number = 1000): Promise<TextEntry[]> {
    const iterator = this.iterator(range);
    const sink = new TextSink();
    while ((await iterator.readOnce(sink, chunk)) > 0);
    iterator.close();
    return sink.entries;
  }

  /** The keys of a range, one after the other. */
  async keys(range: TextRange = {}): Promise<string> {
    return (await this.entries(range)).map(([key]) => key).join(' ');
  }

  async clear(range: TextRange = {}, policy?: SyncPolicy): Promise<void> {
    await this.engine.clear(rangeOf(range), policy);
  }
}
