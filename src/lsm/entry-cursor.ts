/**
 * The contract of a place among internal keys in order, whatever holds them: a memtable, a run of
 * tables, many of these merged.
 */

/** The state of a cursor. */
export const CURSOR = { end: 0, entry: 1, blocked: 2 } as const;
/** One of `CURSOR`. */
export type CursorState = (typeof CURSOR)[keyof typeof CURSOR];

/**
 * A cursor. At `CURSOR.entry` the fields hold it, until the next move. At `CURSOR.blocked` a table
 * or block must be loaded by its `ReadContext`; then `resume` goes on with the move. A move in one
 * direction may follow a move in that direction or a seek for it: `next` after `seek`, `previous`
 * after `seekBefore`.
 */
export interface EntryCursor {
  readonly state: CursorState;
  readonly keyBytes: Uint8Array;
  readonly keyStart: number;
  readonly keyEnd: number;
  readonly valueBytes: Uint8Array;
  readonly valueStart: number;
  readonly valueEnd: number;

  seekToFirst(): void;
  seekToLast(): void;
  /** To the first entry whose internal key is not before `target[0, length)`. */
  seek(target: Uint8Array, length: number): void;
  /** To the last entry whose internal key is before `target[0, length)`. */
  seekBefore(target: Uint8Array, length: number): void;
  next(): void;
  previous(): void;
  resume(): void;
}
