/**
 * One kind of engine before it is open: how to open, destroy and repair a directory of it. `level`
 * keeps a table of these. Not here: what an open engine does (`engine.ts`).
 */

import type { Clock } from '../base/clock.ts';
import type { BatchBounds } from '../durable/append-options.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import type { SyncOption } from '../durable/sync-policy.ts';
import type { EngineStats, ProgressOptions, RepairReport, VerifyReport } from './engine-reports.ts';
import type { Engine } from './engine.ts';

/** What surrounds an engine. All of it is the machine's unless given. */
export interface EngineSurroundings {
  /** Brings the file system, and decides how bytes and names are made durable. */
  readonly dispatch?: SyncDispatch | undefined;
  /** Time for policy `'batch'` and for background work. */
  readonly clock?: Clock | undefined;
}

/** What every engine takes at `open`. An engine adds its own options to these. */
export interface EngineOptions extends EngineSurroundings {
  /** Make the store when nothing is there; `HOLDFAST_MISSING` if false. Default true. */
  readonly createIfMissing?: boolean | undefined;
  /** `HOLDFAST_EXISTS` when a store is there already. Default false. */
  readonly errorIfExists?: boolean | undefined;
  /** The policy of writes that name none. Default `'sync'`. */
  readonly sync?: SyncOption | undefined;
  /** The window of policy `'batch'`; what is missing comes from `DEFAULT_BATCH_BOUNDS`. */
  readonly batch?: Partial<BatchBounds> | undefined;
}

/** A kind of engine. `Options` are its own together with the common ones. */
export interface EngineKind<Options extends EngineOptions = EngineOptions> {
  /** How users name it: `'lsm'`. */
  readonly name: string;

  /**
   * Opens the store in a directory: takes its lock, recovers, and serves nothing that is not
   * durable. Makes the directory and its missing parents where `createIfMissing` allows.
   *
   * A crash in the middle, at any point and again, changes nothing that was promised.
   *
   * Three errors have their words in `engine-errors.ts`.
   *
   * @throws (rejects) `HOLDFAST_LOCKED`: another living owner. `HOLDFAST_MISSING`,
   *   `HOLDFAST_EXISTS`: as asked for. `HOLDFAST_FOREIGN`: another program's or engine's directory.
   *   `HOLDFAST_FORMAT`: written by a newer version. `HOLDFAST_CORRUPTION`: damage, with the choice
   *   spelled out. TypeError: a wrong option. After any of them nothing is changed and nothing is
   *   held.
   */
  open(directory: string, options?: Options): Promise<Engine>;

  /**
   * Whether the directory looks like a store of this kind, judged by names and first bytes alone.
   * False when it is missing.
   */
  holds(directory: string, surroundings?: EngineSurroundings): Promise<boolean>;

  /**
   * Removes the store, and the directory when nothing else is in it. Files that are not the
   * store's stay. Nothing there: resolves. On return it is gone for good; after a crash before
   * that, parts may be left, which are not taken for a store.
   * @throws (rejects) `HOLDFAST_LOCKED`
   */
  destroy(directory: string, surroundings?: EngineSurroundings): Promise<void>;

  /**
   * Makes a damaged store openable: saves what is whole, and lists what is not. The damaged files
   * are kept aside (`lost` in the directory), never removed.
   * @throws (rejects) `HOLDFAST_LOCKED`, `HOLDFAST_MISSING`, `HOLDFAST_FOREIGN`
   */
  repair(directory: string, options?: EngineSurroundings & ProgressOptions): Promise<RepairReport>;

  /** As `Engine.verify` for a store that is not open here. Takes no lock and changes nothing. */
  verify(directory: string, options?: EngineSurroundings & ProgressOptions): Promise<VerifyReport>;

  /** As `Engine.stats` for a store that is not open here. Takes no lock and changes nothing. */
  stats(directory: string, surroundings?: EngineSurroundings): Promise<EngineStats>;
}
