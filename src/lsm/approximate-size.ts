/** How many bytes of tables the entries of a range take, about, by the indexes of the tables. */

import { boundsAreEmpty, keyBounds } from '../engine/key-range.ts';
import type { KeyRange } from '../engine/key-range.ts';
import { firstInternalKey } from './internal-key.ts';
import { compareUser, overlaps } from './manifest/version.ts';
import type { ReadState } from './read-state.ts';
import { BlockCursor } from './table/block-cursor.ts';
import type { TableCache } from './table/table-cache.ts';
import type { Table } from './table/table.ts';

/** Bytes; what is in memory only is not counted. */
export async function approximateSize(
  state: ReadState,
  range: KeyRange,
  tables: TableCache,
): Promise<number> {
  const bounds = keyBounds(range);
  if (boundsAreEmpty(bounds)) return 0;
  const first = bounds.lower;
  const last = bounds.upper;
  let bytes = 0;
  tables.enter();
  try {
    for (const meta of state.version.levels.flat()) {
      if (!overlaps(meta, { first, last })) continue;
      const isFromStart =
        first === undefined || compareUser(meta.smallest, first, 0, first.length) >= 0;
      const isToEnd = last === undefined || compareUser(meta.largest, last, 0, last.length) <= 0;
      if (isFromStart && isToEnd) {
        bytes += meta.length;
        continue;
      }
      const table = await tables.open(meta);
      const from = isFromStart ? 0 : offsetOf(table, first);
      const to = isToEnd ? meta.length : offsetOf(table, last);
      bytes += Math.max(0, to - from);
    }
  } finally {
    tables.leave();
  }
  return bytes;
}

/** Where in the file the block of a user's key begins. */
function offsetOf(table: Table, key: Uint8Array): number {
  const cursor = new BlockCursor(table.index);
  const target = firstInternalKey(key);
  cursor.seek(target, target.length);
  return cursor.valid ? table.handleAt(cursor).offset : table.length;
}
