/**
 * The contract of a format that `dump` and `verify` can look into: logs, and later tables, manifests and pages. A
 * format takes no lock and changes nothing. Which formats there are: `format-list.ts`.
 */

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
  readonly offset: number;
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

/** How far a long look has come. */
export type FormatProgress = (done: number, total: number) => void;

export interface StoreFormat {
  /** e.g. `write-ahead log`. */
  readonly name: string;
  /** Whether what is at the path, a directory or one file, is of this format. Reads little. */
  recognises(path: string): boolean;
  /** Everything that can be read, in order, up to the first damage. */
  dump(path: string, onProgress: FormatProgress): Generator<DumpedRecord, StoreReport, undefined>;
  /** Reads everything and says what it is worth. */
  verify(path: string, onProgress: FormatProgress): StoreReport;
}
