/**
 * The calls of `HoldfastLevel` on a store that is not open: they name its directory and need no
 * instance. What they do is in `store-places.ts` and `restore-store.ts`; here are their arguments.
 */

import type { EngineSurroundings } from '../engine/engine-kind.ts';
import type { ProgressOptions, RepairReport, VerifyReport } from '../engine/engine-reports.ts';
import { checkLocation, checkProgressOptions, knownOptions } from './check-options.ts';
import { LevelBase } from './level-base.ts';
import { restoreStore } from './restore-store.ts';
import type { RestoreReport } from './restore-store.ts';
import { destroyStore, repairStore, verifyStore } from './store-places.ts';

/** What they take beside other options. */
const SURROUNDINGS = ['dispatch', 'clock'] as const;

/** What `HoldfastLevel` has without being open. */
export abstract class ClosedStore<KDefault, VDefault> extends LevelBase<KDefault, VDefault> {
  /** Removes the store in a directory; files that are not its own stay. */
  static async destroy(location: string, surroundings?: EngineSurroundings): Promise<void> {
    checkLocation(location);
    knownOptions(surroundings, SURROUNDINGS);
    return destroyStore(location, surroundings);
  }

  /** Makes a damaged store openable: saves what is whole and lists what is not. */
  static async repair(
    location: string,
    options?: EngineSurroundings & ProgressOptions,
  ): Promise<RepairReport> {
    checkLocation(location);
    checkProgressOptions(options, SURROUNDINGS);
    return repairStore(location, options);
  }

  /** As `verify` for a store that is not open, also one that cannot be opened. Changes nothing. */
  static async verify(
    location: string,
    options?: EngineSurroundings & ProgressOptions,
  ): Promise<VerifyReport> {
    checkLocation(location);
    checkProgressOptions(options, SURROUNDINGS);
    return verifyStore(location, options);
  }

  /**
   * Makes a durable copy of a backup in a directory that is missing or empty. After a crash before
   * it resolves, there is no store in the directory, or all of it.
   */
  static async restore(
    backup: string,
    location: string,
    options?: EngineSurroundings & ProgressOptions,
  ): Promise<RestoreReport> {
    checkLocation(backup);
    checkLocation(location);
    checkProgressOptions(options, SURROUNDINGS);
    return restoreStore(backup, location, options);
  }
}
