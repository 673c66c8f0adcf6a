/**
 * Does a job, in either form: merges its inputs, leaves out what nobody can see any more, writes
 * and syncs the tables and their names. Nothing counts on them before the manifest does.
 *
 * What may be left out (S: the smallest sequence number that a reader may ask for):
 * 1. an entry with a newer one of the same user key that is not above S;
 * 2. a delete not above S, of a key that no level below can hold.
 */

import { call } from '../../durable/two-forms.ts';
import type { TwoFormSteps } from '../../durable/two-forms.ts';
import type { SyncDispatch } from '../../durable/sync-dispatch.ts';
import { CURSOR } from '../entry-cursor.ts';
import type { EntryCursor } from '../entry-cursor.ts';
import { KIND_DELETE, kindAt, sequenceAt, TRAILER_BYTES } from '../internal-key.ts';
import type { TableMeta } from '../manifest/version-edit.ts';
import { compareUser, Version } from '../manifest/version.ts';
import { Memtable } from '../memtable.ts';
import { MemtableCursor } from '../memtable-cursor.ts';
import { MergingCursor } from '../merging-cursor.ts';
import { ReadContext } from '../read-context.ts';
import { copyRange } from '../table/block-builder.ts';
import { RunCursor } from '../table/run-cursor.ts';
import { TableCache } from '../table/table-cache.ts';
import type { TableBuilder } from '../table/table-builder.ts';
import type { CompactionJob, FlushJob, Job, JobResult } from './job.ts';
import { TableWriter } from './table-writer.ts';

/** Steps of a job. @throws JobFailure; HOLDFAST_CORRUPTION */
export function* runJob(job: Job, dispatch: SyncDispatch): TwoFormSteps<JobResult> {
  const writer = new TableWriter(dispatch, job.directory, job.format, job.firstNumber);
  try {
    if (job.kind === 'flush') return yield* flush(job, writer);
    return yield* compact(job, writer, dispatch);
  } catch (error) {
    yield* writer.abandon();
    throw error;
  }
}

function* flush(job: FlushJob, writer: TableWriter): TwoFormSteps<JobResult> {
  const memtable = Memtable.from(job.memtable);
  const cursor = new MemtableCursor(memtable);
  const filter = new VersionFilter(job.smallestSnapshot, null);
  let entries = 0;
  for (cursor.seekToFirst(); cursor.state === CURSOR.entry; cursor.next()) {
    if (!filter.keeps(cursor)) continue;
    const builder: TableBuilder = writer.builder ?? (yield* writer.begin());
    addEntry(builder, cursor);
    entries++;
    if (builder.isChunkReady) yield* writer.flush();
  }
  if (writer.builder !== null) yield* writer.end();
  yield* writer.finish();
  return resultOf(writer, entries, 0);
}

function* compact(
  job: CompactionJob,
  writer: TableWriter,
  dispatch: SyncDispatch,
): TwoFormSteps<JobResult> {
  const bounds = { tablesMax: 1 << 20, indexBytesMax: 2 ** 40, blockBytesMax: 0 };
  const cache = new TableCache(dispatch.vfs, job.directory, bounds);
  try {
    const context = new ReadContext(cache, false, false);
    const cursor = new MergingCursor(job.runs.map((run) => new RunCursor(context, run)));
    const merge = new Merge(job, writer, context, cursor);
    const entries = yield* merge.run();
    let bytesRead = 0;
    for (const run of job.runs) for (const { length } of run) bytesRead += length;
    return resultOf(writer, entries, bytesRead);
  } finally {
    yield* call(
      () => cache.closeSync(),
      () => cache.close(),
    );
  }
}

/** The loop of a compaction. */
class Merge {
  readonly #job: CompactionJob;
  readonly #writer: TableWriter;
  readonly #context: ReadContext;
  readonly #cursor: EntryCursor;
  readonly #splits: OverlapSplits;

  constructor(job: CompactionJob, writer: TableWriter, context: ReadContext, cursor: EntryCursor) {
    this.#job = job;
    this.#writer = writer;
    this.#context = context;
    this.#cursor = cursor;
    this.#splits = new OverlapSplits(job.below[0] ?? [], job.overlapBytesMax);
  }

  *run(): TwoFormSteps<number> {
    const cursor = this.#cursor;
    const filter = new VersionFilter(this.#job.smallestSnapshot, belowVersion(this.#job.below));
    let entries = 0;
    cursor.seekToFirst();
    for (;;) {
      while (cursor.state === CURSOR.blocked) {
        yield* loadAll(this.#context);
        cursor.resume();
        this.#context.release();
      }
      if (cursor.state === CURSOR.end) break;
      if (this.#writer.builder !== null && this.#mustEnd(cursor, filter.isNewKey(cursor))) {
        yield* this.#writer.end();
      }
      if (filter.keeps(cursor)) {
        const builder: TableBuilder = this.#writer.builder ?? (yield* this.#writer.begin());
        addEntry(builder, cursor);
        entries++;
        if (builder.isChunkReady) yield* this.#writer.flush();
      }
      cursor.next();
    }
    if (this.#writer.builder !== null) yield* this.#writer.end();
    yield* this.#writer.finish();
    return entries;
  }

  /** All versions of a key stay in one table, so that tables of a level do not overlap. */
  #mustEnd(cursor: EntryCursor, isNewKey: boolean): boolean {
    if (!isNewKey) return false;
    const { firstNumber, numberCount, tableBytes } = this.#job;
    const splitHere = this.#splits.passes(cursor);
    if (this.#writer.nextNumber >= firstNumber + numberCount) return false;
    return splitHere || this.#writer.builder!.length >= tableBytes;
  }
}

/** Loads what a context wants, in the form of whoever drives the job. */
export function* loadAll(context: ReadContext): TwoFormSteps<void> {
  yield* call(
    () => context.loadSync(),
    () => context.load(),
  );
}

/** Decides which entries stay; they come in order. */
class VersionFilter {
  readonly #smallestSnapshot: number;
  /** The levels below the output; null: deletes stay. */
  readonly #below: Version | null;
  #key = new Uint8Array(256);
  #keyLength = -1;
  /** The sequence number of the last entry of the key that was seen. */
  #newer = Infinity;

  constructor(smallestSnapshot: number, below: Version | null) {
    this.#smallestSnapshot = smallestSnapshot;
    this.#below = below;
  }

  /** Whether the entry is of another user key than the one before. */
  isNewKey(cursor: EntryCursor): boolean {
    const { keyBytes, keyStart, keyEnd } = cursor;
    const length = keyEnd - keyStart - TRAILER_BYTES;
    if (length !== this.#keyLength) return true;
    for (let index = 0; index < length; index++) {
      if (this.#key[index] !== keyBytes[keyStart + index]) return true;
    }
    return false;
  }

  keeps(cursor: EntryCursor): boolean {
    const { keyBytes, keyStart, keyEnd } = cursor;
    if (this.isNewKey(cursor)) {
      const length = keyEnd - keyStart - TRAILER_BYTES;
      if (length > this.#key.length) this.#key = new Uint8Array(2 * length);
      copyRange(this.#key, 0, keyBytes, keyStart, keyStart + length);
      this.#keyLength = length;
      this.#newer = Infinity;
    }
    const sequence = sequenceAt(keyBytes, keyEnd);
    const isHidden = this.#newer <= this.#smallestSnapshot;
    this.#newer = sequence;
    if (isHidden) return false;
    if (this.#below === null || kindAt(keyBytes, keyEnd) !== KIND_DELETE) return true;
    if (sequence > this.#smallestSnapshot) return true;
    return this.#below.isKeyBelow(-1, keyBytes, keyStart, keyEnd - TRAILER_BYTES);
  }
}

/** Says where a table of the output would overlap too much of the level below. */
class OverlapSplits {
  readonly #tables: readonly TableMeta[];
  readonly #bytesMax: number;
  #place = 0;
  #bytes = 0;
  #hasEntry = false;

  constructor(tables: readonly TableMeta[], bytesMax: number) {
    this.#tables = tables;
    this.#bytesMax = bytesMax;
  }

  passes(cursor: EntryCursor): boolean {
    const { keyBytes, keyStart, keyEnd } = cursor;
    for (; this.#place < this.#tables.length; this.#place++) {
      const table = this.#tables[this.#place]!;
      if (compareUser(table.largest, keyBytes, keyStart, keyEnd - TRAILER_BYTES) >= 0) break;
      if (this.#hasEntry) this.#bytes += table.length;
    }
    this.#hasEntry = true;
    if (this.#bytes <= this.#bytesMax) return false;
    this.#bytes = 0;
    return true;
  }
}

function belowVersion(below: readonly (readonly TableMeta[])[]): Version {
  const levels = Array.from({ length: 7 }, (_, level) => below[level] ?? []);
  return new Version(levels);
}

function addEntry(builder: TableBuilder, cursor: EntryCursor): void {
  const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = cursor;
  builder.add(keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd);
}

function resultOf(writer: TableWriter, entries: number, bytesRead: number): JobResult {
  let bytesWritten = 0;
  for (const { length } of writer.tables) bytesWritten += length;
  return { tables: writer.tables, bytesRead, bytesWritten, entries };
}
