/**
 * Background work as plain data, so that a worker thread can do it: what to read, what to write
 * and under which numbers. `run-job` does it.
 */

import type { MemtableParts } from '../memtable.ts';
import type { TableMeta } from '../manifest/version-edit.ts';
import type { TableFormatOptions } from '../table/table-builder.ts';

/** What all jobs have. */
interface JobBase {
  readonly directory: string;
  readonly format: TableFormatOptions;
  /** Versions of a key that no reader from this sequence number on sees are left out. */
  readonly smallestSnapshot: number;
  /** The tables get the numbers from here on, at most `numberCount`. */
  readonly firstNumber: number;
  readonly numberCount: number;
}

/** Writes a memtable as one table. */
export interface FlushJob extends JobBase {
  readonly kind: 'flush';
  readonly memtable: MemtableParts;
}

/** Merges runs of tables into tables of one level. */
export interface CompactionJob extends JobBase {
  readonly kind: 'compaction';
  /** Each: tables by key, without overlaps. Together: all entries of their keys in two levels. */
  readonly runs: readonly (readonly TableMeta[])[];
  /** Tables of the levels below the one written, by level: where deleted keys may still be. */
  readonly below: readonly (readonly TableMeta[])[];
  /** A table of the output ends at this length. */
  readonly tableBytes: number;
  /** A table of the output ends before it overlaps more than this of the level below. */
  readonly overlapBytesMax: number;
}

export type Job = FlushJob | CompactionJob;

/** What a job has made: tables that are durable and named, and counted by nobody yet. */
export interface JobResult {
  readonly tables: readonly TableMeta[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** Entries written. */
  readonly entries: number;
}
