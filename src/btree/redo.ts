/**
 * Redo: makes the changes of the log's records again, on the pages that a crash has left. Every
 * page that is changed behind the last checkpoint has an image there before any other change, so
 * that what the file holds of it, torn as it may be, is never looked at.
 */

import { DecodeError } from '../base/byte-reader.ts';
import { CorruptionError } from '../base/errors.ts';
import type { WalEntry } from '../wal/wal-entry.ts';
import type { Checkpointer } from './checkpointer.ts';
import { formatPage, setPagePosition } from './page-format.ts';
import type { Pager } from './pager.ts';
import { visitRedo } from './redo-record.ts';

/** What redo did. */
export interface RedoReport {
  readonly records: number;
  readonly bytes: number;
}

/** Makes the changes of all entries. On return they are in memory, and in part in the file. */
export async function redo(
  entries: AsyncIterable<readonly WalEntry[]>,
  pager: Pager,
  checkpointer: Checkpointer,
  logPath: string,
): Promise<RedoReport> {
  let records = 0;
  let bytes = 0;
  const built = new Set<number>();
  for await (const some of entries) {
    for (const entry of some) {
      if (entry.kind === 'checkpoint') continue;
      if (entry.kind !== 'bytes') throw foreignRecord(logPath, entry.sequence, entry.kind);
      records++;
      bytes += entry.bytes.length;
      await bringBack(entry.bytes, pager, built, logPath, entry.sequence);
      redoRecord(entry.bytes, entry.sequence, pager, built);
    }
    // What is written now may be torn by the next crash: the log stays until the checkpoint.
    if (pager.dirtyCount > pager.cache.pagesMax / 2) await checkpointer.flush();
    pager.cache.makeRoom();
  }
  return { records, bytes };
}

/** Reads pages that were built before and left memory since. */
async function bringBack(
  record: Uint8Array,
  pager: Pager,
  built: Set<number>,
  logPath: string,
  sequence: number,
): Promise<void> {
  const missing = new Set<number>();
  const imaged = new Set<number>();
  try {
    visitRedo(record, {
      image: (number) => imaged.add(number),
      change: (number) => {
        if (pager.cache.peek(number) === undefined && !imaged.has(number)) missing.add(number);
      },
    });
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const { expected, found, offset } = error;
    const place = `byte ${offset} of record ${sequence}`;
    throw new CorruptionError(
      { path: logPath, offset: 0, expected: `${expected} at ${place}`, found },
      { cause: error },
    );
  }
  for (const number of missing) {
    if (!built.has(number)) {
      const expected = `an image of page ${number} before record ${sequence}`;
      throw new CorruptionError({ path: logPath, offset: 0, expected, found: 'none' });
    }
    const data = pager.cache.takeBuffer();
    await pager.file.read(number, data);
    pager.adopt(number, data, false);
  }
}

function redoRecord(record: Uint8Array, sequence: number, pager: Pager, built: Set<number>): void {
  const put = (number: number, change: (page: Uint8Array) => void): void => {
    let frame = pager.cache.peek(number);
    if (frame === undefined) {
      const data = pager.cache.takeBuffer();
      formatPage(data, number, 0, 0);
      frame = pager.adopt(number, data, true);
    }
    change(frame.data);
    setPagePosition(frame.data, sequence);
    pager.markDirty(frame);
    pager.touch(number);
    built.add(number);
  };
  visitRedo(record, { image: put, change: put });
}

/** A log was cut short: it begins behind a checkpoint that it should hold. */
export function checkpointGone(path: string, firstSequence: number): CorruptionError {
  const expected = `a checkpoint of all records before ${firstSequence}, where the log begins`;
  return new CorruptionError({ path, offset: 0, expected, found: 'none' });
}

function foreignRecord(path: string, sequence: number, kind: string): CorruptionError {
  const expected = `a record of page changes with number ${sequence}`;
  return new CorruptionError({ path, offset: 0, expected, found: `one of kind ${kind}` });
}
