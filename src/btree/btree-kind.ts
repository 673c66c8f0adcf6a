/** How to open, destroy and repair a directory with a B+tree. */

import { join } from 'node:path';

import { DurableDirectory } from '../durable/durable-directory.ts';
import { DirectoryLock } from '../durable/lock-file.ts';
import { existsError, missingError } from '../engine/engine-errors.ts';
import type { EngineKind, EngineSurroundings } from '../engine/engine-kind.ts';
import type {
  EngineStats,
  ProgressOptions,
  RepairReport,
  VerifyReport,
} from '../engine/engine-reports.ts';
import type { Engine } from '../engine/engine.ts';
import { errorCode } from '../vfs/errno.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { BtreeEngine } from './btree-engine.ts';
import { btreeSettings } from './btree-options.ts';
import type { BtreeOptions, BtreeSettings } from './btree-options.ts';
import {
  LOG_NAME,
  NEW_PAGES_NAME,
  PAGES_NAME,
  REPAIRED_NAME,
  SPILL_NAME,
  holdsBtree,
  makeBtree,
  openBtree,
} from './btree-parts.ts';
import { DOUBLE_NAMES } from './double-write.ts';
import { hasLostPages } from './lost-pages.ts';
import { REPAIR_NAME, repairBtree, takeOver } from './repair-tree.ts';
import { statsOfStill } from './still-stats.ts';
import { verifyStill } from './verify-still.ts';

/** The kind `'btree'`. */
export const btreeKind: EngineKind<BtreeOptions> = {
  name: 'btree',

  async open(directory: string, options: BtreeOptions = {}): Promise<Engine> {
    const settings = btreeSettings(options);
    const { dispatch, clock } = settings;
    const { vfs } = dispatch;
    const there = await holdsAnything(settings, directory);
    if (!there && options.createIfMissing === false) throw missingError(directory);
    if (there && options.errorIfExists === true) throw existsError(directory);
    if (!there) await new DurableDirectory(dispatch, clock).mkdirAll(directory);
    const lock = await DirectoryLock.acquire(directory, { vfs });
    try {
      // Another opener may have made it meanwhile.
      await takeOver(dispatch, directory);
      const created = !(await holdsBtree(settings, directory));
      if (!created && options.errorIfExists === true) throw existsError(directory);
      if (created) await makeBtree(settings, directory);
      const parts = await openBtree(settings, directory, created);
      return new BtreeEngine(parts, lock, settings);
    } catch (error) {
      // Nobody has the store, so nobody has the lock.
      await lock.release();
      throw error;
    }
  },

  async holds(directory: string, surroundings: EngineSurroundings = {}): Promise<boolean> {
    return holdsAnything(btreeSettings(surroundings), directory);
  },

  async destroy(directory: string, surroundings: EngineSurroundings = {}): Promise<void> {
    const settings = btreeSettings(surroundings);
    const { dispatch, clock } = settings;
    if (!(await holdsAnything(settings, directory))) return;
    const lock = await DirectoryLock.acquire(directory, { vfs: dispatch.vfs });
    const durable = new DurableDirectory(dispatch, clock);
    try {
      // Nobody may take over what a repair has made, then: the name that makes it a store goes first.
      await durable.rm(join(directory, REPAIRED_NAME), { recursive: true, force: true });
      await durable.rm(join(directory, PAGES_NAME), { force: true });
      await durable.rm(join(directory, LOG_NAME), { recursive: true, force: true });
      await durable.rm(join(directory, SPILL_NAME), { force: true });
      await durable.rm(join(directory, NEW_PAGES_NAME), { force: true });
      for (const name of DOUBLE_NAMES) await durable.rm(join(directory, name), { force: true });
      await durable.rm(join(directory, REPAIR_NAME), { recursive: true, force: true });
    } finally {
      await lock.release();
    }
    await removeIfEmpty(dispatch.vfs, directory);
  },

  async repair(
    directory: string,
    options: EngineSurroundings & ProgressOptions = {},
  ): Promise<RepairReport> {
    const settings = btreeSettings(options);
    if (!(await holdsAnything(settings, directory))) throw missingError(directory);
    const lock = await DirectoryLock.acquire(directory, { vfs: settings.dispatch.vfs });
    try {
      return await repairBtree(settings, directory, options);
    } finally {
      await lock.release();
    }
  },

  async verify(
    directory: string,
    options: EngineSurroundings & ProgressOptions = {},
  ): Promise<VerifyReport> {
    const settings = btreeSettings(options);
    if (!(await holdsPages(settings, directory))) throw missingError(directory);
    return verifyStill(settings, directory, options);
  },

  async stats(directory: string, surroundings: EngineSurroundings = {}): Promise<EngineStats> {
    const settings = btreeSettings(surroundings);
    if (!(await holdsPages(settings, directory))) throw missingError(directory);
    return statsOfStill(settings, directory);
  },
};

/** Whether there are pages, also where a repair has them that was cut short. */
async function holdsPages(settings: BtreeSettings, directory: string): Promise<boolean> {
  if (await holdsBtree(settings, directory)) return true;
  return holdsBtree(settings, join(directory, REPAIRED_NAME));
}

/** Whether a store is there, or what is left of one that has lost its pages. */
async function holdsAnything(settings: BtreeSettings, directory: string): Promise<boolean> {
  if (await holdsBtree(settings, directory)) return true;
  return hasLostPages(settings.dispatch.vfs, directory);
}

async function removeIfEmpty(vfs: Vfs, directory: string): Promise<void> {
  try {
    await vfs.rmdir(directory);
  } catch (error) {
    // Other files are in it, or another process has removed it.
    const code = errorCode(error);
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
}
