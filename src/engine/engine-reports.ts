/**
 * What an engine tells about itself: recovery, progress, verify, stats, backup, repair. Plain data,
 * ready for JSON. Not here: how it is shown.
 */

/** How far a long piece of work is. */
export interface Progress {
  /** What is being done now, a few words: `'writing tables'`. */
  readonly phase: string;
  /** Done so far, never less than in the report before it. */
  readonly done: number;
  /** All there is to do as far as known now; it may grow. */
  readonly total: number;
  readonly unit: 'bytes' | 'entries' | 'files' | 'pages';
}

/** For work that may take long. */
export interface ProgressOptions {
  /** Called now and then, and once at the end. Must not throw. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Ends the work soon, with the signal's reason; what was promised before goes on holding. */
  readonly signal?: AbortSignal | undefined;
}

/** Bytes at the end of a file that recovery cut because they were never wholly written. */
export interface DroppedBytes {
  readonly path: string;
  /** Byte position in the file. */
  readonly offset: number;
  readonly bytes: number;
  /** Why they are taken for a torn write, in a few words. */
  readonly reason: string;
}

/** What opening found and did. */
export interface RecoveryReport {
  /** True when there was no store before. */
  readonly created: boolean;
  /**
   * True when the last owner left nothing to be replayed or cut: it closed the store, or was killed when all that it had
   * written was where it belongs already.
   */
  readonly clean: boolean;
  /** Batches read again from a log. */
  readonly replayedBatches: number;
  /** Bytes of log that were read for that. */
  readonly replayedBytes: number;
  /** What was cut. Empty after a clean close. */
  readonly dropped: readonly DroppedBytes[];
}

/** One thing that is wrong with a store. */
export interface Damage {
  readonly path: string;
  /** Byte position in the file; undefined when the whole file is meant. */
  readonly offset: number | undefined;
  /** One line for a person: what was expected and what was found. */
  readonly message: string;
}

/** What `verify` found. */
export interface VerifyReport {
  /** False when `damage` has anything. */
  readonly sound: boolean;
  readonly files: number;
  /** Bytes read. */
  readonly bytes: number;
  /**
   * Live entries seen; undefined where the damage keeps them from being counted. Entries that have
   * expired count until a merge removes them.
   */
  readonly entries: number | undefined;
  readonly damage: readonly Damage[];
}

/** Figures. Bytes unless the name says otherwise; more figures than these in `details`. */
export interface EngineStats {
  readonly engine: string;
  /** Files of the store and the bytes in them. */
  readonly files: number;
  readonly diskBytes: number;
  /** Held in memory by caches, indexes and buffers; 0 when it is not open. */
  readonly memoryBytes: number;
  /**
   * Live entries where the engine knows them without reading; else undefined. Entries that have
   * expired count until a merge removes them.
   */
  readonly entries: number | undefined;
  /** Snapshots and iterators that hold old versions. */
  readonly snapshots: number;
  /** The engine's own figures, by names that end in their unit. */
  readonly details: Readonly<Record<string, number | string>>;
}

/** What `backup` made. */
export interface BackupReport {
  readonly directory: string;
  readonly files: number;
  readonly bytes: number;
}

/** What `repair` saved and what it could not. */
export interface RepairReport {
  /** Entries of the repaired store, with those that have expired and were not removed yet. */
  readonly savedEntries: number;
  readonly damage: readonly Damage[];
  /** Where files that could not be used are kept. */
  readonly keptAside: readonly string[];
}
