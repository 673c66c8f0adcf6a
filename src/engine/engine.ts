/**
 * The contract of a key-value engine: bytes in, bytes out, keys in the order of their unsigned
 * bytes. Every method says what holds when it returns and what after a crash. The right answers are
 * those of `memory-engine.ts`; `test/contract/engine-contract.ts` asks every engine for them. Not
 * here: encodings, sublevels and events, which are `level`'s.
 *
 * Rules for all methods:
 *
 * - *Bytes.* Keys and values may be empty. Arguments are read during the call and never kept, the
 *   bytes of a `WriteBatch` excepted. What is returned belongs to the caller, who may change it.
 * - *Eventual answers.* A method that returns an `Eventual` answers at once when what it needs is
 *   at hand, and with a promise when it must wait for a device. It may throw as well as reject.
 *   It never waits for a device on the calling thread.
 * - *Twins.* `xSync` does the same and blocks the thread where it must. Both forms may be mixed.
 * - *Reading* never waits for writers and writers never wait for readers.
 * - *Errors.* `HOLDFAST_CLOSED` after `close`; `HOLDFAST_CORRUPTION` with its place where stored
 *   bytes are not what was written; `HOLDFAST_POISONED` for a write after one that failed with an
 *   I/O error or a failed sync, with that first cause; `HOLDFAST_TOO_LARGE`. What the operating
 *   system refused keeps its own code (`'ENOSPC'`). Reading goes on in a poisoned engine.
 */

import type { SyncPolicy } from '../durable/sync-policy.ts';
import type { EntryIterator, IteratorOptions } from './entry-iterator.ts';
import type {
  BackupReport,
  EngineStats,
  ProgressOptions,
  RecoveryReport,
  VerifyReport,
} from './engine-reports.ts';
import type { ClearOptions, KeyRange } from './key-range.ts';
import type { EngineSnapshot, Eventual, ReadOptions } from './read-options.ts';
import type { WriteBatch } from './write-batch.ts';

/** An open store of keys and values. */
export interface Engine {
  /** The name of its kind: `'lsm'`. */
  readonly name: string;

  /** Where it is, as given to `open`. */
  readonly directory: string;

  /** What opening found, did and dropped. */
  readonly recovery: RecoveryReport;

  /** The value of a key; undefined when there is none. */
  get(key: Uint8Array, options?: ReadOptions): Eventual<Buffer | undefined>;
  getSync(key: Uint8Array, options?: ReadOptions): Buffer | undefined;

  /** The values of keys, each in the place of its key, all from one state. */
  getMany(keys: readonly Uint8Array[], options?: ReadOptions): Eventual<(Buffer | undefined)[]>;

  /** Whether a key has a value. May cost less than `get`. */
  has(key: Uint8Array, options?: ReadOptions): Eventual<boolean>;
  hasSync(key: Uint8Array, options?: ReadOptions): boolean;

  /**
   * Applies a batch, in its order, whole.
   *
   * Commit order is the order of calls. A batch becomes visible, whole and in commit order, no
   * sooner than its bytes are with the operating system and no later than this resolves. It
   * resolves as the policy says (`sync-policy.ts`; default: the engine's): callers that wait at the
   * same moment share one flush, and may share one promise.
   *
   * After a crash the store holds a prefix of commit order, with every batch whole or absent, and
   * with all that resolved under `'sync'`.
   *
   * Rejects with the state unchanged (`'ENOSPC'`, `'EDQUOT'`, `HOLDFAST_TOO_LARGE`: writing may go
   * on), or poisons: then whether the batch is there is unknown until the store is opened again.
   *
   * The batch is the engine's from now on: it must not be changed after the call, ever. An empty
   * batch resolves as the policy says for all that came before it.
   */
  write(batch: WriteBatch, policy?: SyncPolicy): Eventual<void>;
  /** Returns when what the policy promises holds; after all that was accepted before it. */
  writeSync(batch: WriteBatch, policy?: SyncPolicy): void;

  /** Entries of a range in order, from the state of the call (or of a snapshot). */
  iterator(options?: IteratorOptions): EntryIterator;

  /**
   * Holds the state of the call: every batch visible now, and nothing that comes later. An iterator
   * or a read that was begun with it holds the state by itself: it may be released meanwhile.
   */
  snapshot(): EngineSnapshot;

  /**
   * Deletes the entries of a range that the state of the call (or of `options.snapshot`) has.
   * Resolves as `write` does. Not one batch: after a crash or an error, entries from the beginning
   * (with `reverse`: from the end) of the range may be gone and the rest still there.
   */
  clear(options?: ClearOptions, policy?: SyncPolicy): Eventual<void>;

  /**
   * About how many bytes on the disk the entries of a range take. An estimate: recent writes may
   * not be counted. 0 for a range that is surely empty.
   */
  approximateSize(range: KeyRange): Eventual<number>;

  /**
   * Gives back the space of what was deleted or overwritten in a range (default: everything), as
   * far as snapshots allow. Reading and writing go on. Changes nothing that can be read; so does a
   * crash in the middle.
   */
  compact(range?: KeyRange, options?: ProgressOptions): Promise<void>;

  /**
   * Reads everything and compares checksums, order, references and counts. Reports damage instead
   * of throwing it. Reading and writing go on.
   */
  verify(options?: ProgressOptions): Promise<VerifyReport>;

  /** Figures of now. */
  stats(): EngineStats;

  /** A property by LevelDB's name and in its form; undefined for one that is not known. */
  property?(name: string): string | undefined;

  /**
   * Runs `work` with a transaction, which is an engine too: it reads the state of its beginning and
   * its own writes. When `work` has resolved, all of its writes are committed as one batch, as
   * `write` does; when it throws, none is, and nothing of them was seen. One is open at a time:
   * other transactions and plain writes wait for their turn. Engines without transactions do not
   * have this method.
   * @throws (rejects) HOLDFAST_IN_TRANSACTION inside another one, also from plain writes there;
   *   what `work` throws
   */
  transaction?<T>(work: (transaction: Engine) => T | Promise<T>, policy?: SyncPolicy): Promise<T>;

  /**
   * Makes a durable copy of the state of the call in `directory`, which must be missing or empty
   * (`HOLDFAST_EXISTS`): what readers see then, and nothing of writes that resolve later. Reading
   * and writing go on. The copy can be opened when this resolves;
   * after a crash before that, opening it fails.
   */
  backup(directory: string, options?: ProgressOptions): Promise<BackupReport>;

  /**
   * Waits for the calls under way, makes all that was accepted durable, whatever its policy, and
   * gives the directory back. Open iterators and snapshots are closed by it. Calling again returns
   * the same promise. Rejects when the last sync failed; the directory is given back all the same.
   */
  close(): Promise<void>;
}
