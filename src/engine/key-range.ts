/**
 * Ranges of keys, with the words of `abstract-level`, and whether a key is in one. A range is never
 * wrong: one that ends before it begins is empty.
 */

import { compareRanges } from '../base/bytes.ts';
import type { ReadOptions } from './read-options.ts';

/** Bounds; none: all keys. Where `gt` and `gte` (or `lt` and `lte`) are given, the `e` counts. */
export interface KeyRange {
  readonly gt?: Uint8Array | undefined;
  readonly gte?: Uint8Array | undefined;
  readonly lt?: Uint8Array | undefined;
  readonly lte?: Uint8Array | undefined;
}

/** A range, the direction and how many of it. */
export interface RangeOptions extends KeyRange {
  /** From the end of the range to its beginning. Default false. */
  readonly reverse?: boolean | undefined;
  /** At most this many entries, the first in the direction; -1 or nothing: all. */
  readonly limit?: number | undefined;
}

/** What to clear. */
export interface ClearOptions extends RangeOptions, Pick<ReadOptions, 'snapshot'> {}

/** A range with its bounds sorted out, and copied: the caller may change what it gave. */
export interface KeyBounds {
  /** Undefined: from the first key on. */
  readonly lower: Uint8Array | undefined;
  readonly lowerOpen: boolean;
  /** Undefined: to the last key. */
  readonly upper: Uint8Array | undefined;
  readonly upperOpen: boolean;
}

/** The bounds that a range means. */
export function keyBounds(range: KeyRange): KeyBounds {
  const { gt, gte, lt, lte } = range;
  const lower = gte ?? gt;
  const upper = lte ?? lt;
  return {
    lower: lower === undefined ? undefined : new Uint8Array(lower),
    lowerOpen: gte === undefined && gt !== undefined,
    upper: upper === undefined ? undefined : new Uint8Array(upper),
    upperOpen: lte === undefined && lt !== undefined,
  };
}

/** Whether the bytes from `start` to before `end` are a key at or above the lower bound. */
export function aboveLower(
  bounds: KeyBounds,
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): boolean {
  const { lower } = bounds;
  if (lower === undefined) return true;
  const order = compareRanges(bytes, start, end, lower, 0, lower.length);
  return bounds.lowerOpen ? order > 0 : order >= 0;
}

/** Whether the bytes from `start` to before `end` are a key at or below the upper bound. */
export function belowUpper(
  bounds: KeyBounds,
  bytes: Uint8Array,
  start: number = 0,
  end: number = bytes.length,
): boolean {
  const { upper } = bounds;
  if (upper === undefined) return true;
  const order = compareRanges(bytes, start, end, upper, 0, upper.length);
  return bounds.upperOpen ? order < 0 : order <= 0;
}

/** Whether no key can be inside. */
export function boundsAreEmpty(bounds: KeyBounds): boolean {
  const { lower, upper } = bounds;
  if (upper === undefined) return false;
  if (upper.length === 0 && bounds.upperOpen) return true;
  if (lower === undefined) return false;
  const order = compareRanges(lower, 0, lower.length, upper, 0, upper.length);
  return order > 0 || (order === 0 && (bounds.lowerOpen || bounds.upperOpen));
}

/** How many entries a `limit` allows: a number, `Infinity` for none. */
export function entryLimit(limit: number | undefined): number {
  return limit === undefined || limit < 0 ? Infinity : limit;
}
