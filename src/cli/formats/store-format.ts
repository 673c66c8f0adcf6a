/**
 * The contract of a format that `dump` and `verify` can look into: logs, stores, and the single files of stores. A
 * format takes no lock and changes nothing. Which formats there are: `format-list.ts`.
 */

import type { Damage } from '../../engine/engine-reports.ts';

/** One thing that a file holds. Bytes stay bytes: how they are shown is the command's business. */
export interface DumpedRecord {
  readonly file: string;
  /** Byte position in the file. */
  readonly offset: number;
  /** What it is, in a word. */
  readonly kind: string;
  /** In the order in which they are shown. */
  readonly fields: Readonly<Record<string, string | number | Uint8Array>>;
}

/** What is to be said of one file. */
export interface FileReport {
  readonly file: string;
  readonly bytes: number;
  /** In a few words: what it holds. */
  readonly holds: string;
}

/** What is wrong with a store, or cannot be told. */
export interface Complaint {
  readonly file: string;
  /** Byte position; null where the whole file is meant. */
  readonly offset: number | null;
  readonly message: string;
}

export interface StoreReport {
  readonly files: readonly FileReport[];
  /** Something that was durable is damaged or missing. */
  readonly damage: readonly Complaint[];
  /** What may be a torn write of the last crash as well as damage: opening cuts it off and reports it. */
  readonly torn: readonly Complaint[];
  /** Other things worth a line. */
  readonly notes: readonly string[];
}

/** How far a long look has come; in bytes unless a unit is given. */
export type FormatProgress = (done: number, total: number, unit?: string) => void;

export interface StoreFormat {
  /** e.g. `write-ahead log`. */
  readonly name: string;
  /** Whether what is at the path, a directory or one file, is of this format. Reads little. */
  recognises(path: string): boolean;
  /** Everything that can be read, in order, up to the first damage. */
  dump(path: string, onProgress: FormatProgress): Generator<DumpedRecord, StoreReport, undefined>;
  /** Reads everything and says what it is worth. */
  verify(path: string, onProgress: FormatProgress): StoreReport | Promise<StoreReport>;
}

/** `verify` of a format in which everything is read to dump it. */
export function verifyByDumping(
  format: Pick<StoreFormat, 'dump'>,
  path: string,
  onProgress: FormatProgress,
): StoreReport {
  const records = format.dump(path, onProgress);
  for (;;) {
    const step = records.next();
    if (step.done === true) return step.value;
  }
}

/** A report that is being put together. */
export interface Gathered extends StoreReport {
  readonly files: FileReport[];
  readonly damage: Complaint[];
  readonly torn: Complaint[];
  readonly notes: string[];
}

/** A report without complaints, to add to. */
export function emptyReport(): Gathered {
  return { files: [], damage: [], torn: [], notes: [] };
}

/** Puts what another report has behind what is there. */
export function addReport(report: Gathered, more: StoreReport): void {
  report.files.push(...more.files);
  report.damage.push(...more.damage);
  report.torn.push(...more.torn);
  report.notes.push(...more.notes);
}

/** Damage as an engine reports it. Its message may begin with the place, which is shown anyway. */
export function complaintOf({ path, offset, message }: Damage): Complaint {
  const place = `${path} is damaged at byte ${offset}: `;
  const text = message.startsWith(place) ? message.slice(place.length) : message;
  return { file: path, offset: offset ?? null, message: text };
}
