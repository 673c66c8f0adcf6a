/**
 * Reading a range in order, many entries a call. An iterator pushes into a sink, so that an engine
 * allocates nothing for an entry: the sink makes what its caller wants of the bytes (a buffer, a
 * string, a count). Not here: the one entry a call of `abstract-level`, which `level` makes of it.
 */

import type { RangeOptions } from './key-range.ts';
import type { Eventual, ReadOptions } from './read-options.ts';

/**
 * Takes entries. The bytes are the engine's and hold only during the call: copy them. They come in
 * a `Buffer`, of which a sink makes a string without a copy.
 */
export interface EntrySink {
  /**
   * One entry: the key is `keys` from `keyStart` to before `keyEnd`, the value likewise. What was
   * not asked for (`keys: false`, `values: false`) comes as an empty range of an empty array. Must
   * not throw and must not call the engine.
   */
  entry(
    keys: Buffer,
    keyStart: number,
    keyEnd: number,
    values: Buffer,
    valueStart: number,
    valueEnd: number,
  ): void;
}

/** What to iterate over, and how. */
export interface IteratorOptions extends RangeOptions, ReadOptions {
  /** `false`: keys are not needed. Default true. */
  readonly keys?: boolean | undefined;
  /** `false`: values are not needed, and may not be read from the disk. Default true. */
  readonly values?: boolean | undefined;
}

/**
 * Entries of one state in order (or the other way with `reverse`). One call at a time: another
 * `read` or a `seek` while a read is under way is an `AssertionError`; `close` is always right.
 */
export interface EntryIterator {
  /**
   * Pushes the next entries: at least one unless the end is reached, at most `entriesMax`; after
   * `bytesMax` bytes of keys and values no further entry is begun. It may stop sooner where it
   * would have to wait for a device.
   *
   * Gives the number of entries pushed, 0 only at the end (of the range or of `limit`). Entries
   * pushed before an error are right; the error is then given again by the next call.
   */
  read(sink: EntrySink, entriesMax: number, bytesMax: number): Eventual<number>;
  readSync(sink: EntrySink, entriesMax: number, bytesMax: number): number;

  /**
   * The next read begins with the first entry at or after `target` (with `reverse`: at or before
   * it). A target outside the range, on either side, puts the iterator at its end. Seeking goes
   * both ways, and from the end too. Entries already read go on counting for `limit`.
   */
  seek(target: Uint8Array): void;

  /**
   * Gives back the state it reads. A read under way still ends, right or with `HOLDFAST_CLOSED`;
   * later ones fail with `HOLDFAST_CLOSED`. Closing again does nothing.
   */
  close(): void;
}
