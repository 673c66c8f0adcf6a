/**
 * What one reader reads: memtables, a version and a sequence number, held together so that nothing
 * changes under it. Not here: the search (`point-lookup`) and the cursors.
 */

import type { EntryCursor } from './entry-cursor.ts';
import type { Version } from './manifest/version.ts';
import type { Memtable } from './memtable.ts';
import { MemtableCursor } from './memtable-cursor.ts';
import { MergingCursor } from './merging-cursor.ts';
import type { ReadContext } from './read-context.ts';
import { RunCursor } from './table/run-cursor.ts';

/** Newest first. */
export interface ReadState {
  readonly memtables: readonly Memtable[];
  readonly version: Version;
  /** Entries above it are not seen. */
  readonly sequence: number;
}

/** Keeps what a state reads: its memory from being used again, its tables from being removed. */
export function holdState({ memtables, version }: ReadState): void {
  for (const memtable of memtables) memtable.hold();
  version.hold();
}

/** One cursor over all that a state holds. */
export function stateCursor(state: ReadState, context: ReadContext): EntryCursor {
  const cursors: EntryCursor[] = state.memtables.map((table) => new MemtableCursor(table));
  const [young = [], ...levels] = state.version.levels;
  for (const table of young) cursors.push(new RunCursor(context, [table]));
  for (const tables of levels) if (tables.length > 0) cursors.push(new RunCursor(context, tables));
  const [only] = cursors;
  return cursors.length === 1 && only !== undefined ? only : new MergingCursor(cursors);
}
