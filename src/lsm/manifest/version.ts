/**
 * Which tables count, level by level, at one moment. Never changed: an edit makes another one.
 * Readers hold the version they read, and its tables are not removed before they let it go.
 */

import { compareRanges } from '../../base/bytes.ts';
import { compareInternalKeys, TRAILER_BYTES, userKeyOf } from '../internal-key.ts';
import { KeyFences } from '../table/key-fences.ts';
import { LEVEL_COUNT } from './version-edit.ts';
import type { TableMeta, VersionEdit } from './version-edit.ts';

/** A user key that is a part of other bytes. */
export interface UserKeyRange {
  /** Undefined: from the first key on. */
  readonly first: Uint8Array | undefined;
  /** Undefined: to the last key. Inclusive. */
  readonly last: Uint8Array | undefined;
}

/** One state of the tree. */
export class Version {
  /** In level 0 the newest table first; in the others by key, without overlaps. */
  readonly levels: readonly (readonly TableMeta[])[];
  /** The lowest level that has tables, and the one that has most of them. */
  readonly deepest: number;
  readonly largest: number;
  /** The last keys of the tables of each sorted level, once somebody has searched there. */
  readonly #fences: (KeyFences | null)[];
  /** Readers, and the version set as long as this is the current one. */
  #holders = 0;

  constructor(levels: readonly (readonly TableMeta[])[] = emptyLevels()) {
    this.levels = levels;
    this.deepest = levels.findLastIndex((tables) => tables.length > 0);
    const most = Math.max(...levels.map((tables) => tables.length));
    this.largest = levels.findLastIndex((tables) => tables.length === most);
    this.#fences = levels.map(() => null);
  }

  /** Keeps its tables from being removed. */
  hold(): void {
    this.#holders++;
  }

  /** Gives it back; true when nobody holds it any more. */
  letGo(): boolean {
    this.#holders--;
    return this.#holders === 0;
  }

  /** Tables of all levels. */
  get tableCount(): number {
    let count = 0;
    for (const level of this.levels) count += level.length;
    return count;
  }

  /** Bytes of the tables of a level. */
  levelBytes(level: number): number {
    let bytes = 0;
    for (const table of this.levels[level] ?? []) bytes += table.length;
    return bytes;
  }

  /** The table of a sorted level that may hold a user's key; null when none can. */
  tableFor(level: number, bytes: Uint8Array, start: number, end: number): TableMeta | null {
    const tables = this.levels[level]!;
    let left = 0;
    let right = tables.length;
    while (left < right) {
      const middle = (left + right) >>> 1;
      if (compareUser(tables[middle]!.largest, bytes, start, end) < 0) left = middle + 1;
      else right = middle;
    }
    const table = tables[left];
    if (table === undefined) return null;
    return compareUser(table.smallest, bytes, start, end) > 0 ? null : table;
  }

  /** As `tableFor`, of an internal key. */
  tableOf(level: number, target: Uint8Array, length: number): TableMeta | null {
    const tables = this.levels[level]!;
    const fences = (this.#fences[level] ??= new KeyFences(tables.map(({ largest }) => largest)));
    const table = tables[fences.firstNotBefore(target, length)];
    if (table === undefined) return null;
    return compareUser(table.smallest, target, 0, length - TRAILER_BYTES) > 0 ? null : table;
  }

  /** The tables of a level that may hold keys of a range. */
  overlapping(level: number, range: UserKeyRange): TableMeta[] {
    return this.levels[level]!.filter((table) => overlaps(table, range));
  }

  /** Whether a level below `level` may hold a user's key. */
  isKeyBelow(level: number, bytes: Uint8Array, start: number, end: number): boolean {
    for (let below = level + 1; below < LEVEL_COUNT; below++) {
      if (this.tableFor(below, bytes, start, end) !== null) return true;
    }
    return false;
  }

  /** The version after an edit. */
  with(edit: VersionEdit): Version {
    const levels = this.levels.map((tables) => [...tables]);
    for (const { level, number } of edit.deletedTables ?? []) {
      levels[level] = levels[level]!.filter((table) => table.number !== number);
    }
    for (const { level, table } of edit.newTables ?? []) levels[level]!.push(table);
    return new Version(levels.map(inOrder));
  }
}

/** The order of a table's key and a user's key. */
export function compareUser(
  internal: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
): number {
  return compareRanges(internal, 0, internal.length - TRAILER_BYTES, bytes, start, end);
}

/** Whether a table may hold keys of a range. */
export function overlaps(table: TableMeta, range: UserKeyRange): boolean {
  const { first, last } = range;
  if (first !== undefined && compareUser(table.largest, first, 0, first.length) < 0) return false;
  return last === undefined || compareUser(table.smallest, last, 0, last.length) <= 0;
}

/** The range of all keys of some tables. REQUIRES: there is one. */
export function rangeOf(tables: readonly TableMeta[]): {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
} {
  let smallest = tables[0]!.smallest;
  let largest = tables[0]!.largest;
  for (const table of tables) {
    if (compareInternalKeys(table.smallest, smallest) < 0) smallest = table.smallest;
    if (compareInternalKeys(table.largest, largest) > 0) largest = table.largest;
  }
  return { first: userKeyOf(smallest), last: userKeyOf(largest) };
}

function inOrder(tables: readonly TableMeta[], level: number): TableMeta[] {
  const order =
    level === 0
      ? (a: TableMeta, b: TableMeta) => b.number - a.number
      : (a: TableMeta, b: TableMeta) =>
          compareInternalKeys(a.smallest, b.smallest) || a.number - b.number;
  return tables.toSorted(order);
}

function emptyLevels(): TableMeta[][] {
  return Array.from({ length: LEVEL_COUNT }, () => []);
}
