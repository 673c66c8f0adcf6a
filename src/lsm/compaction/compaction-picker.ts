/**
 * Which tables to merge next, by LevelDB's rules: the level that is over its size most, from where
 * the last compaction of it ended. Nothing is touched here.
 */

import { compareInternalKeys } from '../internal-key.ts';
import { LEVEL_COUNT } from '../manifest/version-edit.ts';
import type { TableMeta } from '../manifest/version-edit.ts';
import { rangeOf } from '../manifest/version.ts';
import type { UserKeyRange, Version } from '../manifest/version.ts';

/** Tables of one level and those of the next that share keys with them. */
export interface Compaction {
  readonly level: number;
  /** Inputs from `level`; all that overlap each other there. */
  readonly upper: readonly TableMeta[];
  /** Inputs from the level below. */
  readonly lower: readonly TableMeta[];
}

/** Level 0 is merged at this number of tables. */
export const YOUNG_TABLES_MAX = 4;
/** Bytes of level 1; each level below may have ten times as many. */
const LEVEL_ONE_BYTES = 10 << 20;
/** A table overlaps at most this many times its size of the level below the one it is in. */
export const OVERLAP_FACTOR = 10;
/** Inputs are not widened beyond this many times the size of a table. */
const WIDENED_FACTOR = 25;

/** How much a level is over its size: from 1 on, it wants a compaction. */
export function levelScore(version: Version, level: number): number {
  if (level === 0) return version.levels[0]!.length / YOUNG_TABLES_MAX;
  return version.levelBytes(level) / (LEVEL_ONE_BYTES * 10 ** (level - 1));
}

/** The compaction that is needed most; null when none is. */
export function pickCompaction(
  version: Version,
  pointers: (level: number) => Uint8Array | null,
  tableBytes: number,
): Compaction | null {
  let level = -1;
  let best = 1;
  for (let candidate = 0; candidate < LEVEL_COUNT - 1; candidate++) {
    const score = levelScore(version, candidate);
    if (score >= best) {
      // Of equals the upper level: it is what readers and writers wait for.
      if (score === best && level !== -1) continue;
      best = score;
      level = candidate;
    }
  }
  if (level === -1) return null;
  return pickIn(version, level, pointers(level), tableBytes);
}

/** How much a level below the first is over its size when a compaction of it can wait no longer. */
const URGENT_SCORE = 3;

/**
 * The compaction that somebody does who cannot wait for the background: a small one, of the oldest
 * tables of level 0 when there are `youngMax`, else of a level that is far over its size. Null when
 * none is so urgent.
 */
export function pickUrgent(
  version: Version,
  pointers: (level: number) => Uint8Array | null,
  tableBytes: number,
  youngMax: number,
): Compaction | null {
  const young = version.levels[0]!;
  if (young.length >= youngMax) {
    // What stays above is newer than all of these.
    const upper = young.slice(-YOUNG_TABLES_MAX);
    return { level: 0, upper, lower: closedUnderOverlap(version, 1, [], rangeOf(upper)) };
  }
  for (let level = 1; level < LEVEL_COUNT - 1; level++) {
    if (levelScore(version, level) < URGENT_SCORE) continue;
    return pickIn(version, level, pointers(level), tableBytes);
  }
  return null;
}

/** The compaction of a level, from where its last one ended. */
function pickIn(
  version: Version,
  level: number,
  pointer: Uint8Array | null,
  tableBytes: number,
): Compaction {
  const tables = version.levels[level]!;
  const next =
    level === 0 || pointer === null
      ? undefined
      : tables.find((table) => compareInternalKeys(table.largest, pointer) > 0);
  const first = next ?? tables.at(level === 0 ? -1 : 0)!;
  return widened(version, level, [first], tableBytes);
}

/** The compaction of a range in a level; null when no table there may hold keys of it. */
export function pickRange(
  version: Version,
  level: number,
  range: UserKeyRange,
  tableBytes: number,
): Compaction | null {
  const tables = version.overlapping(level, range);
  if (tables.length === 0) return null;
  // Level 0 goes as a whole, the others some tables at a time, so that no job is too long.
  const chosen = level === 0 ? tables : firstOf(tables, WIDENED_FACTOR * tableBytes);
  return widened(version, level, chosen, tableBytes);
}

/** Bytes of all inputs. */
export function inputBytes(compaction: Compaction): number {
  return bytesOf(compaction.upper) + bytesOf(compaction.lower);
}

/** Whether the one table can go down as it is. */
export function isTrivialMove(
  compaction: Compaction,
  version: Version,
  tableBytes: number,
): boolean {
  const { upper, lower, level } = compaction;
  if (upper.length !== 1 || lower.length !== 0) return false;
  if (level + 2 >= LEVEL_COUNT) return true;
  return bytesOf(version.overlapping(level + 2, rangeOf(upper))) <= OVERLAP_FACTOR * tableBytes;
}

/** The inputs with everything that must come along. */
function widened(
  version: Version,
  level: number,
  tables: readonly TableMeta[],
  tableBytes: number,
): Compaction {
  const upper = closedUnderOverlap(version, level, tables);
  const lower = closedUnderOverlap(version, level + 1, [], rangeOf(upper));
  if (lower.length === 0) return { level, upper, lower };
  // More of the upper level, where that draws in no more of the lower one.
  const more = closedUnderOverlap(version, level, upper, rangeOf([...upper, ...lower]));
  if (more.length > upper.length) {
    const bytes = bytesOf(more) + bytesOf(lower);
    const same = closedUnderOverlap(version, level + 1, lower, rangeOf(more));
    if (bytes < WIDENED_FACTOR * tableBytes && same.length === lower.length) {
      return { level, upper: more, lower };
    }
  }
  return { level, upper, lower };
}

/**
 * Some tables of a level and all that share a user key with them, directly or through others: an
 * older entry of a key must never stay above a newer one.
 */
function closedUnderOverlap(
  version: Version,
  level: number,
  tables: readonly TableMeta[],
  range?: UserKeyRange,
): readonly TableMeta[] {
  let all: readonly TableMeta[] = tables;
  let reach = range;
  for (;;) {
    reach ??= all.length === 0 ? undefined : rangeOf(all);
    if (reach === undefined) return all;
    const found = version.overlapping(level, reach);
    const known = new Set(found.map(({ number }) => number));
    const grown = [...found, ...all.filter(({ number }) => !known.has(number))];
    if (grown.length === all.length) return found.length === all.length ? found : all;
    all = grown;
    reach = undefined;
  }
}

function firstOf(tables: readonly TableMeta[], bytesMax: number): readonly TableMeta[] {
  let bytes = 0;
  const end = tables.findIndex((table) => (bytes += table.length) > bytesMax);
  return end === -1 ? tables : tables.slice(0, Math.max(1, end));
}

function bytesOf(tables: readonly TableMeta[]): number {
  let bytes = 0;
  for (const { length } of tables) bytes += length;
  return bytes;
}
