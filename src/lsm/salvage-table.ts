/**
 * Reads a table that may be damaged, as far as it goes: the table itself when all of it is right,
 * else a new table of the entries in the blocks that are.
 */

import { CorruptionError } from '../base/errors.ts';
import { runLater } from '../durable/two-forms.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { errorCode } from '../vfs/errno.ts';
import { TableWriter } from './background/table-writer.ts';
import { compareInternalKeys, sequenceAt } from './internal-key.ts';
import { parseFileName } from './lsm-files.ts';
import type { TableMeta } from './manifest/version-edit.ts';
import { BlockCursor } from './table/block-cursor.ts';
import type { TableFormatOptions } from './table/table-builder.ts';
import { openTable } from './table/table.ts';
import type { Table } from './table/table.ts';

/** What is left of a table. */
export interface Salvaged {
  /** Null when nothing is. */
  readonly table: TableMeta | null;
  readonly lastSequence: number;
  readonly damage: readonly unknown[];
}

/** Entries of the blocks that can be read. */
interface Entries {
  readonly keys: Uint8Array[];
  readonly values: Uint8Array[];
}

/** `number` is that of the new table, where one is needed. */
export async function salvageTable(
  dispatch: SyncDispatch,
  directory: string,
  path: string,
  format: TableFormatOptions,
  number: number,
): Promise<Salvaged> {
  const damage: unknown[] = [];
  let table: Table;
  let length = 0;
  try {
    length = (await dispatch.vfs.stat(path)).size;
    table = await runLater(openTable(dispatch.vfs, path, length));
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    return { table: null, lastSequence: 0, damage: [error] };
  }
  let entries: Entries;
  try {
    entries = await readEntries(table, damage);
  } finally {
    await table.close();
  }
  const { keys, values } = entries;
  let lastSequence = 0;
  for (const key of keys) lastSequence = Math.max(lastSequence, sequenceAt(key, key.length));
  const smallest = keys[0];
  const largest = keys.at(-1);
  if (smallest === undefined || largest === undefined) return { table: null, lastSequence, damage };
  if (damage.length === 0) {
    const own = parseFileName(path.slice(directory.length + 1))?.number ?? 0;
    return { table: { number: own, length, smallest, largest }, lastSequence, damage };
  }
  const writer = new TableWriter(dispatch, directory, format, number);
  await runLater(
    (function* write() {
      const builder = yield* writer.begin();
      for (const [index, key] of keys.entries()) {
        const value = values[index]!;
        builder.add(key, 0, key.length, value, 0, value.length);
        if (builder.isChunkReady) yield* writer.flush();
      }
      yield* writer.end();
    })(),
  );
  return { table: writer.tables[0] ?? null, lastSequence, damage };
}

/** Entries in order; a block that breaks the order is damage too. */
async function readEntries(table: Table, damage: unknown[]): Promise<Entries> {
  const keys: Uint8Array[] = [];
  const values: Uint8Array[] = [];
  const index = new BlockCursor(table.index);
  const step = (move: () => void): boolean => {
    try {
      move();
      return index.valid;
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      damage.push(error);
      return false;
    }
  };
  for (let go = step(() => index.seekToFirst()); go; go = step(() => index.next())) {
    try {
      const block = await table.readBlock(table.handleAt(index));
      const cursor = new BlockCursor(block);
      for (cursor.seekToFirst(); cursor.valid; cursor.next()) {
        const key = cursor.key.slice(0, cursor.keyLength);
        const last = keys.at(-1);
        if (last !== undefined && compareInternalKeys(last, key) >= 0) {
          throw block.damage('keys in order', 'one that is not after the one before');
        }
        keys.push(key);
        values.push(block.bytes.slice(cursor.valueStart, cursor.valueEnd));
      }
    } catch (error) {
      if (!isUnreadable(error)) throw error;
      damage.push(error);
    }
  }
  return { keys, values };
}

/**
 * Whether an error says that bytes are lost: they are wrong, or the device cannot give them. Others
 * pass (no descriptor, no memory, no right to read): what they hide is not to be given up.
 */
export function isUnreadable(error: unknown): boolean {
  return error instanceof CorruptionError || errorCode(error) === 'EIO';
}
