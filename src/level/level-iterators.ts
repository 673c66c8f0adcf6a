/** The iterators of `abstract-level` over an engine's: entries, keys, values. */

import { AbstractIterator, AbstractKeyIterator, AbstractValueIterator } from 'abstract-level';

import type { Engine } from '../engine/engine.ts';
import type { Eventual } from '../engine/read-options.ts';
import type { FairTurns } from './fair-turns.ts';
import { IteratorSource } from './iterator-source.ts';
import type { StoredIteratorOptions } from './iterator-source.ts';
import { EntryGathering, KeyGathering, ValueGathering } from './level-bytes.ts';
import type { Stored } from './level-bytes.ts';
import type { LevelBase } from './level-base.ts';

/** What an iterator reads from. */
export interface IteratorOrigin {
  readonly engine: Engine;
  readonly turns: FairTurns;
}

/** Entries. */
export class LevelIterator<K, V> extends AbstractIterator<LevelBase<K, V>, K, V> {
  readonly #source: IteratorSource<[unknown, unknown]>;

  constructor(
    db: LevelBase<K, V>,
    { engine, turns }: IteratorOrigin,
    options: StoredIteratorOptions,
  ) {
    const keys = options.keys !== false;
    const values = options.values !== false;
    const keyFormat = keys ? options.keyEncoding : undefined;
    const valueFormat = values ? options.valueEncoding : undefined;
    const gather = (): EntryGathering => new EntryGathering(keyFormat, valueFormat);
    const source = new IteratorSource(engine, turns, options, { keys, values }, gather);
    super(db, options as object);
    this.#source = source;
  }

  protected _next(): Eventual<[unknown, unknown] | undefined> {
    return this.#source.next();
  }

  protected _nextv(size: number): Eventual<[unknown, unknown][]> {
    return this.#source.nextv(size);
  }

  protected _seek(target: Stored): void {
    this.#source.seek(target);
  }

  protected async _close(): Promise<void> {
    this.#source.close();
  }
}

/** Keys alone. */
export class LevelKeyIterator<K, V> extends AbstractKeyIterator<LevelBase<K, V>, K> {
  readonly #source: IteratorSource<unknown>;

  constructor(
    db: LevelBase<K, V>,
    { engine, turns }: IteratorOrigin,
    options: StoredIteratorOptions,
  ) {
    const wanted = { keys: true, values: false };
    const gather = (): KeyGathering => new KeyGathering(options.keyEncoding);
    const source = new IteratorSource(engine, turns, options, wanted, gather);
    super(db, options as object);
    this.#source = source;
  }

  protected _next(): Eventual<unknown> {
    return this.#source.next();
  }

  protected _nextv(size: number): Eventual<unknown[]> {
    return this.#source.nextv(size);
  }

  protected _seek(target: Stored): void {
    this.#source.seek(target);
  }

  protected async _close(): Promise<void> {
    this.#source.close();
  }
}

/** Values alone. */
export class LevelValueIterator<K, V> extends AbstractValueIterator<LevelBase<K, V>, K, V> {
  readonly #source: IteratorSource<unknown>;

  constructor(
    db: LevelBase<K, V>,
    { engine, turns }: IteratorOrigin,
    options: StoredIteratorOptions,
  ) {
    const wanted = { keys: false, values: true };
    const gather = (): ValueGathering => new ValueGathering(options.valueEncoding);
    const source = new IteratorSource(engine, turns, options, wanted, gather);
    super(db, options as object);
    this.#source = source;
  }

  protected _next(): Eventual<unknown> {
    return this.#source.next();
  }

  protected _nextv(size: number): Eventual<unknown[]> {
    return this.#source.nextv(size);
  }

  protected _seek(target: Stored): void {
    this.#source.seek(target);
  }

  protected async _close(): Promise<void> {
    this.#source.close();
  }
}
