/**
 * From what `abstract-level` hands down (text, buffers, views) to the engine's bytes and back. Not
 * here: encodings such as JSON, which its base class does.
 */

import { toSyncPolicy } from '../durable/sync-policy.ts';
import type { SyncOption, SyncPolicy } from '../durable/sync-policy.ts';
import type { Engine } from '../engine/engine.ts';
import type { EntrySink } from '../engine/entry-iterator.ts';
import type { KeyRange } from '../engine/key-range.ts';
import type { ReadOptions } from '../engine/read-options.ts';
import { engineSnapshotOf } from './level-snapshot.ts';

/** A key or value as the base class gives it: text has the format `'utf8'`. */
export type Stored = string | Uint8Array;

/** The formats that are asked for; the base class has turned encodings into these. */
export type Format = 'utf8' | 'buffer' | 'view';

/** What a private read method gets. */
export interface StoredReadOptions {
  readonly keyEncoding?: Format;
  readonly valueEncoding?: Format;
  readonly snapshot?: unknown;
  readonly fillCache?: boolean;
}

/** What a private write method gets. */
export interface StoredWriteOptions {
  readonly sync?: SyncOption;
  /** Milliseconds that an entry lives; for engines with expiry. */
  readonly ttl?: number;
}

/** Bounds as the base class gives them. */
export interface StoredRange {
  readonly gt?: Stored;
  readonly gte?: Stored;
  readonly lt?: Stored;
  readonly lte?: Stored;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** The bytes of a key or value; UTF-8 for text. */
export function toBytes(stored: Stored): Uint8Array {
  return typeof stored === 'string' ? Buffer.from(stored) : stored;
}

/** A value in the format that was asked for. */
export function fromBytes(
  value: Buffer | undefined,
  format: Format | undefined,
): string | Buffer | undefined {
  return value !== undefined && format === 'utf8' ? value.toString() : value;
}

/** The bounds in bytes. */
export function toRange(range: StoredRange): KeyRange {
  const { gt, gte, lt, lte } = range;
  return {
    gt: gt === undefined ? gt : toBytes(gt),
    gte: gte === undefined ? gte : toBytes(gte),
    lt: lt === undefined ? lt : toBytes(lt),
    lte: lte === undefined ? lte : toBytes(lte),
  };
}

/** The engine's options; nothing for the common read. */
export function toReadOptions(options: StoredReadOptions, engine: Engine): ReadOptions | undefined {
  if (options.snapshot == null && options.fillCache === undefined) return undefined;
  return { snapshot: engineSnapshotOf(options.snapshot, engine), fillCache: options.fillCache };
}

/** The policy of a call; undefined: the store's. */
export function toPolicy(options: StoredWriteOptions): SyncPolicy | undefined {
  return options.sync === undefined ? undefined : toSyncPolicy(options.sync);
}

/** What a sink gathers for an iterator: entries, keys or values, and how many bytes they are. */
export interface Gathering<Item> extends EntrySink {
  readonly items: Item[];
  readonly bytes: number;
}

/** Gathers pairs. What was not asked for is undefined. */
export class EntryGathering implements Gathering<[unknown, unknown]> {
  readonly items: [unknown, unknown][] = [];
  bytes = 0;
  readonly #keys: Format | undefined;
  readonly #values: Format | undefined;

  /** The formats; undefined where nothing is wanted. */
  constructor(keys: Format | undefined, values: Format | undefined) {
    this.#keys = keys;
    this.#values = values;
  }

  entry(
    keys: Buffer,
    keyStart: number,
    keyEnd: number,
    values: Buffer,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.bytes += keyEnd - keyStart + valueEnd - valueStart;
    this.items.push([
      taken(keys, keyStart, keyEnd, this.#keys),
      taken(values, valueStart, valueEnd, this.#values),
    ]);
  }
}

/** Gathers keys. */
export class KeyGathering implements Gathering<unknown> {
  readonly items: unknown[] = [];
  bytes = 0;
  readonly #format: Format;

  constructor(format: Format) {
    this.#format = format;
  }

  entry(keys: Buffer, keyStart: number, keyEnd: number): void {
    this.bytes += keyEnd - keyStart;
    this.items.push(taken(keys, keyStart, keyEnd, this.#format));
  }
}

/** Gathers values. */
export class ValueGathering implements Gathering<unknown> {
  readonly items: unknown[] = [];
  bytes = 0;
  readonly #format: Format;

  constructor(format: Format) {
    this.#format = format;
  }

  entry(
    _keys: Buffer,
    _keyStart: number,
    _keyEnd: number,
    values: Buffer,
    valueStart: number,
    valueEnd: number,
  ): void {
    this.bytes += valueEnd - valueStart;
    this.items.push(taken(values, valueStart, valueEnd, this.#format));
  }
}

function taken(
  from: Buffer,
  start: number,
  end: number,
  format: Format | undefined,
): string | Buffer | undefined {
  if (format === undefined) return undefined;
  if (format === 'utf8') return from.toString('utf8', start, end);
  const own = Buffer.allocUnsafe(end - start);
  from.copy(own, 0, start, end);
  return own;
}
