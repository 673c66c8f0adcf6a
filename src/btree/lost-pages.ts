/**
 * A store that has lost `tree.pages`, known by its log: what is left of it, and what its log tells
 * of it. A log of somebody else's, which may have the same name, is none. Changes nothing.
 */

import { join } from 'node:path';

import { DecodeError } from '../base/byte-reader.ts';
import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { runLater } from '../durable/two-forms.ts';
import { errorCode } from '../vfs/errno.ts';
import { isThere } from '../vfs/is-there.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { WAL_POINTER_NAME } from '../wal/wal-directory.ts';
import { inspectWal } from '../wal/wal-inspection.ts';
import type { WalInspection } from '../wal/wal-inspection.ts';
import { WalReading } from '../wal/wal-reading.ts';
import { LOG_NAME, PAGES_NAME, REPAIRED_NAME } from './btree-parts.ts';
import { META_FIXED_BYTES, META_PAGE, pageBytesOf } from './meta-page.ts';
import { PAGE_BYTES_MAX } from './page-format.ts';
import { visitRedo } from './redo-record.ts';
import type { StillPages } from './still-tree.ts';

/** Whether what is left of a store is in a directory that has no `tree.pages`. */
export async function hasLostPages(vfs: Vfs, directory: string): Promise<boolean> {
  // A repair of such a store that was cut short: the next opener ends it.
  if (await isThere(vfs, join(directory, REPAIRED_NAME, PAGES_NAME))) return true;
  const log = join(directory, LOG_NAME);
  if (!(await isThere(vfs, join(log, WAL_POINTER_NAME)))) return false;
  try {
    const inspection = await runLater(inspectWal(vfs, log));
    const { lastSequence, checkpoint } = inspection;
    // No more than the making of a tree, which a crash has cut short.
    if (lastSequence <= 1 && checkpoint === null) return false;
    if (checkpoint !== null && checkpoint.bytes.length > 0) return false;
    for await (const record of recordsOf(vfs, inspection)) {
      visitRedo(record, { image: () => {}, change: () => {} });
      break;
    }
    return true;
  } catch (error) {
    // It cannot be told whose it is: opening says what is wrong with it.
    if (error instanceof HoldfastError || error instanceof DecodeError) return false;
    throw error;
  }
}

/** The size of the pages that the log of a store has; null where it does not tell. */
export async function pageBytesInLog(vfs: Vfs, log: string): Promise<number | null> {
  const page = new Uint8Array(PAGE_BYTES_MAX);
  try {
    const inspection = await runLater(inspectWal(vfs, log));
    for await (const record of recordsOf(vfs, inspection)) {
      let found: number | null = null;
      visitRedo(record, {
        image: (number, change) => {
          if (number !== META_PAGE) return;
          change.put(page);
          found = pageBytesOf(page.subarray(0, META_FIXED_BYTES), log);
        },
        change: () => {},
      });
      if (found !== null) return found;
    }
  } catch (error) {
    // What is wrong with the log is told by who reads all of it; a newer version is not ours to judge.
    const code = errorCode(error);
    if (code === 'HOLDFAST_FORMAT') throw error;
    const isDamage = error instanceof HoldfastError || error instanceof DecodeError;
    if (!isDamage && code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
  return null;
}

/** In the place of the file that is lost. */
export function noPages(path: string, pageBytes: number): StillPages {
  return {
    path,
    pageBytes,
    read: (number) => {
      const place = { path, offset: number * pageBytes };
      const fault = { expected: `page ${number}`, found: 'no such file' };
      return Promise.reject(new CorruptionError({ ...place, ...fault }));
    },
  };
}

/** The records of a log that changes of pages may be in, those before its checkpoint too. */
async function* recordsOf(vfs: Vfs, { segments }: WalInspection): AsyncGenerator<Uint8Array> {
  const sealed = segments.map((segment) => ({ ...segment, lastSequence: segment.limit }));
  const first = segments[0]?.firstSequence ?? 1;
  const reading = new WalReading(vfs, sealed, first - 1, () => first);
  try {
    for (;;) {
      const entries = await runLater(reading.next());
      if (entries === null) return;
      for (const entry of entries) {
        if (entry.kind === 'bytes') yield entry.bytes;
        // A tree writes no puts and deletes.
        else if (entry.kind !== 'checkpoint') throw new DecodeError(0, 'a record', entry.kind);
      }
    }
  } finally {
    await runLater(reading.close());
  }
}
