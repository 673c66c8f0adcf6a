/** The kind `'lsm'`: how a LevelDB directory is opened, destroyed, repaired and looked at. */

import { join } from 'node:path';

import { assert } from '../base/assert.ts';
import { ReadSpeed } from '../base/read-speed.ts';
import type { DirectoryLock } from '../durable/lock-file.ts';
import { DurableDirectory } from '../durable/durable-directory.ts';
import { Poison } from '../durable/poison.ts';
import { SyncDispatch } from '../durable/sync-dispatch.ts';
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
import { isThere } from '../vfs/is-there.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import { readWholeFile } from '../vfs/transfer.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { withoutJob } from './background/job-failure.ts';
import { jobRunner } from './background/job-runner.ts';
import { Maintenance } from './background/maintenance.ts';
import { CURRENT_NAME, parseFileName } from './lsm-files.ts';
import { LsmEngine, SnapshotList } from './lsm-engine.ts';
import type { LsmLogSettings } from './lsm-log.ts';
import { lsmSettings, settingsIn } from './lsm-options.ts';
import type { LsmOptions, LsmSettings } from './lsm-options.ts';
import { abandon, findStore, openStore } from './lsm-recovery.ts';
import type { OpenedStore } from './lsm-recovery.ts';
import { repairStore } from './lsm-repair.ts';
import { statsOf } from './lsm-stats.ts';
import { verifyStore } from './lsm-verify.ts';
import { ObsoleteFiles } from './obsolete-files.ts';
import { acquireStoreLock } from './store-lock.ts';
import { TableCache } from './table/table-cache.ts';
import { WritePath } from './write-path.ts';

/** The kind `'lsm'`. */
export const lsmKind: EngineKind<LsmOptions> = {
  name: 'lsm',

  async open(directory: string, options: LsmOptions = {}): Promise<Engine> {
    // First for the options: nothing is made for one that cannot be used.
    const checked = lsmSettings(options);
    const { dispatch, clock } = checked;
    const { vfs } = dispatch;
    const createIfMissing = options.createIfMissing ?? true;
    if (createIfMissing) {
      await new DurableDirectory(dispatch, clock).mkdirAll(directory);
    } else if (!(await isThere(vfs, directory))) {
      throw missingError(directory);
    }
    // And now that the directory is there, its file system has a say.
    const settings = settingsIn(directory, checked, options);
    const lock = await acquireStoreLock(directory, vfs);
    try {
      const found = await findStore(vfs, directory);
      if (found === null && !createIfMissing) throw missingError(directory);
      if (found !== null && options.errorIfExists === true) {
        throw existsError(directory);
      }
      const poison = new Poison(directory);
      const log = logSettings(directory, settings, poison);
      const opened = await withoutJob(openStore(directory, found, settings, log, poison));
      try {
        return await assemble(directory, settings, log, poison, lock, opened);
      } catch (error) {
        await abandon(opened);
        throw error;
      }
    } catch (error) {
      await lock.release();
      throw error;
    }
  },

  async holds(directory: string, surroundings: EngineSurroundings = {}): Promise<boolean> {
    const vfs = vfsOf(surroundings);
    try {
      const text = new TextDecoder().decode(
        await readWholeFile(vfs, join(directory, CURRENT_NAME)),
      );
      return parseFileName(text.trimEnd())?.kind === 'manifest';
    } catch (error) {
      if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return false;
      throw error;
    }
  },

  async destroy(directory: string, surroundings: EngineSurroundings = {}): Promise<void> {
    const dispatch = surroundings.dispatch ?? new SyncDispatch(nodeVfs);
    const { vfs } = dispatch;
    if (!(await isThere(vfs, directory))) return;
    const lock = await acquireStoreLock(directory, vfs);
    try {
      await removeStore(dispatch, directory);
    } finally {
      await lock.release();
    }
    try {
      await vfs.rmdir(directory);
      await dispatch.newDirectory(directory);
    } catch (error) {
      // Somebody else's files are in it, or somebody else was faster.
      const code = errorCode(error);
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error;
    }
  },

  async repair(
    directory: string,
    options: EngineSurroundings & ProgressOptions = {},
  ): Promise<RepairReport> {
    const settings = lsmSettings({ dispatch: options.dispatch, clock: options.clock });
    const { vfs } = settings.dispatch;
    if (!(await isThere(vfs, directory))) throw missingError(directory);
    const lock = await acquireStoreLock(directory, vfs);
    try {
      return await withoutJob(repairStore(directory, settings, options));
    } finally {
      await lock.release();
    }
  },

  verify(
    directory: string,
    options: EngineSurroundings & ProgressOptions = {},
  ): Promise<VerifyReport> {
    return verifyStore(vfsOf(options), directory, options);
  },

  stats(directory: string, surroundings: EngineSurroundings = {}): Promise<EngineStats> {
    return statsOf(vfsOf(surroundings), directory);
  },
};

/** Puts the parts of an opened store together, and removes what the old state left. */
async function assemble(
  directory: string,
  settings: LsmSettings,
  log: LsmLogSettings,
  poison: Poison,
  lock: DirectoryLock,
  opened: OpenedStore,
): Promise<LsmEngine> {
  const { dispatch, clock, format, tableBytes } = settings;
  const { vfs } = dispatch;
  const { versions } = opened;
  const speed = new ReadSpeed(vfs === nodeVfs ? clock : null);
  const tables = new TableCache(vfs, directory, settings.cache, speed);
  const obsolete = new ObsoleteFiles({ vfs, directory, versions, tables });
  await obsolete.sweep(versions.logNumber);
  const snapshots = new SnapshotList();
  let writes: WritePath | null = null;
  const smallestSnapshot = (): number => {
    assert(writes !== null, 'nothing is written before the write path is there');
    return snapshots.smallest(writes.visibleSequence);
  };
  const maintenance = new Maintenance({
    directory,
    dispatch,
    versions,
    obsolete,
    flusher: jobRunner(dispatch),
    compactor: jobRunner(dispatch),
    poison,
    clock,
    format,
    tableBytes,
    smallestSnapshot,
  });
  maintenance.noteLog(opened.log.number);
  writes = new WritePath(
    {
      poison,
      clock,
      log,
      bufferBytes: settings.writeBufferBytes,
      takeFileNumber: () => versions.takeFileNumbers(),
      check: () => maintenance.check(),
      flush: (task) => maintenance.flush(task),
      flushSync: (task) => maintenance.flushSync(task),
      pressure: () => maintenance.pressure(),
    },
    opened,
  );
  maintenance.wake();
  const recovery = opened.report;
  return new LsmEngine({
    directory,
    settings,
    poison,
    lock,
    versions,
    tables,
    obsolete,
    writes,
    maintenance,
    snapshots,
    recovery,
  });
}

function logSettings(directory: string, settings: LsmSettings, poison: Poison): LsmLogSettings {
  const { dispatch, policy, batch, preallocateBytes, clock } = settings;
  const onRefused = (): void => {
    // The write path puts its own in.
  };
  return { dispatch, directory, policy, batch, preallocateBytes, poison, clock, onRefused };
}

/** `CURRENT` first: without it the rest is no store any more. */
async function removeStore(dispatch: SyncDispatch, directory: string): Promise<void> {
  const { vfs } = dispatch;
  const names = (await vfs.readDirectory(directory)).map(({ name }) => name);
  if (names.includes(CURRENT_NAME)) {
    await vfs.unlink(join(directory, CURRENT_NAME));
    await dispatch.names(directory);
  }
  for (const name of names) {
    const file = parseFileName(name);
    if (file !== null && file.kind !== 'current') await vfs.unlink(join(directory, name));
  }
  await dispatch.names(directory);
}

function vfsOf({ dispatch }: EngineSurroundings): Vfs {
  return dispatch?.vfs ?? nodeVfs;
}
