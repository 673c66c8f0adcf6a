/** What a reader of a write-ahead log gets. Not here: what a writer gives (`batch-format`). */

import type { LogOperation } from './batch-format.ts';

interface Numbered {
  /**
   * The sequence number of the record, for a batch that of its last operation: what `replay`,
   * `tail` and `truncate` take to mean "up to here".
   */
  readonly sequence: number;
}

/** Bytes that `append` was given. */
export interface BytesEntry extends Numbered {
  readonly kind: 'bytes';
  readonly bytes: Uint8Array;
}

/** A put by itself. */
export interface PutEntry extends Numbered {
  readonly kind: 'put';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A delete by itself. */
export interface DeleteEntry extends Numbered {
  readonly kind: 'delete';
  readonly key: Uint8Array;
}

/**
 * Two or more operations that were appended as one, whole. They have consecutive sequence numbers,
 * of which `sequence` is the last. A batch of one comes as that one.
 */
export interface BatchEntry extends Numbered {
  readonly kind: 'batch';
  readonly operations: readonly LogOperation[];
}

/** What `checkpoint` was given. */
export interface CheckpointEntry extends Numbered {
  readonly kind: 'checkpoint';
  /** Records up to this sequence number are no longer needed. */
  readonly upTo: number;
  readonly bytes: Uint8Array;
}

/**
 * A record of the log. Its bytes are views on memory that is never written again: they may be kept,
 * and keep up to a mebibyte around them alive.
 */
export type WalEntry = BytesEntry | PutEntry | DeleteEntry | BatchEntry | CheckpointEntry;
