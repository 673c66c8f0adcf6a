/** Directories of stores that are not open here: whose they are, `destroy`, `repair`, `verify`. */

import { join } from 'node:path';

import { CorruptionError, HoldfastError } from '../base/errors.ts';
import type { EngineKind, EngineSurroundings } from '../engine/engine-kind.ts';
import type {
  Damage,
  EngineStats,
  ProgressOptions,
  RepairReport,
  VerifyReport,
} from '../engine/engine-reports.ts';
import { UNFINISHED } from '../engine/unfinished-name.ts';
import { errorCode } from '../vfs/errno.ts';
import { nodeVfs } from '../vfs/node-vfs.ts';
import { DISK_ENGINES } from './engine-registry.ts';
import { settledReport } from './settled-report.ts';
import { isNeutralName, STORE_FILES } from './store-files.ts';
import type { StoreFiles } from './store-files.ts';

/** The kinds whose store a directory looks like; none when it is missing or somebody else's. */
export async function kindsHeldBy(
  directory: string,
  surroundings?: EngineSurroundings,
): Promise<EngineKind[]> {
  const held = await Promise.all(DISK_ENGINES.map((kind) => kind.holds(directory, surroundings)));
  return DISK_ENGINES.filter((_, index) => held[index]);
}

/**
 * Whose store is in a directory, whole or damaged: the engine that finds its own there, else the
 * one that has left a name. Changes nothing.
 * @throws (rejects) HoldfastError with code `HOLDFAST_MISSING`, saying what was looked for;
 *   `HOLDFAST_FOREIGN` for what a restore or a backup has left that was cut short
 */
export async function storeAt(
  directory: string,
  surroundings?: EngineSurroundings,
): Promise<StoreFiles> {
  const names = await namesIn(directory, surroundings);
  if (names === null) {
    await refuseFile(directory, surroundings);
    throw new HoldfastError('HOLDFAST_MISSING', `${directory} does not exist`);
  }
  refuseUnfinished(directory, names);
  const [held] = await kindsHeldBy(directory, surroundings);
  const found = STORE_FILES.find(({ kind, isTrace }) =>
    held === undefined ? names.some(isTrace) : kind === held,
  );
  if (found !== undefined) return found;
  const keys = STORE_FILES.map(({ key, kind }) => `${key} (${kind.name})`).join(', ');
  throw new HoldfastError(
    'HOLDFAST_MISSING',
    `${directory} holds no store: there is none of ${keys}`,
  );
}

/**
 * Refuses a directory that is another engine's or another program's. One that is missing, that is
 * empty or that has a store of the kind, damaged or not, passes.
 * @throws (rejects) HoldfastError with code `HOLDFAST_FOREIGN`; `HOLDFAST_MISSING` where a file is
 */
export async function refuseForeign(
  kind: EngineKind,
  directory: string,
  surroundings?: EngineSurroundings,
): Promise<void> {
  const own = STORE_FILES.find((files) => files.kind === kind);
  const names = own === undefined ? null : await namesIn(directory, surroundings);
  if (own !== undefined && names === null) await refuseFile(directory, surroundings);
  if (own === undefined || names === null || names.every(isNeutralName)) return;
  refuseUnfinished(directory, names);
  const held = await kindsHeldBy(directory, surroundings);
  if (held.includes(kind)) return;
  const traced = STORE_FILES.filter(({ isTrace }) => names.some(isTrace)).map(
    (files) => files.kind,
  );
  const other = held[0] ?? (traced.includes(kind) ? undefined : traced[0]);
  if (other !== undefined) {
    throw new HoldfastError(
      'HOLDFAST_FOREIGN',
      `${directory} holds a store of the engine '${other.name}', not '${kind.name}': ` +
        `open it with engine: '${other.name}'`,
    );
  }
  const foreign = names.find((name) => !isNeutralName(name) && !own.isOwn(name));
  if (foreign === undefined) return;
  throw new HoldfastError(
    'HOLDFAST_FOREIGN',
    `${directory} has ${JSON.stringify(foreign)} and is no store: give the store a directory of its own`,
  );
}

/** REQUIRES: no directory is there. @throws HOLDFAST_MISSING where something else is */
async function refuseFile(
  path: string,
  surroundings: EngineSurroundings | undefined,
): Promise<void> {
  const isThere = await (surroundings?.dispatch?.vfs ?? nodeVfs).stat(path).then(
    () => true,
    () => false,
  );
  if (!isThere) return;
  throw new HoldfastError('HOLDFAST_MISSING', `${path} is a file, and a store is a directory`);
}

/** A restore or a backup that was cut short has left a part of a store. @throws HOLDFAST_FOREIGN */
function refuseUnfinished(directory: string, names: readonly string[]): void {
  const unfinished = names.find((name) => STORE_FILES.some(({ key }) => name === key + UNFINISHED));
  if (unfinished === undefined) return;
  throw new HoldfastError(
    'HOLDFAST_FOREIGN',
    `${directory} has ${unfinished}, left by a restore or a backup that was cut short: empty it, and make the copy again`,
  );
}

/** Removes the store in a directory, whichever engine's it is. Nothing there: resolves. */
export async function destroyStore(
  directory: string,
  surroundings?: EngineSurroundings,
): Promise<void> {
  for (const kind of await kindsHeldBy(directory, surroundings)) {
    await kind.destroy(directory, surroundings);
  }
}

/** Makes a damaged store openable, whichever engine's it is. */
export async function repairStore(
  directory: string,
  options?: EngineSurroundings & ProgressOptions,
): Promise<RepairReport> {
  const { kind } = await storeAt(directory, options);
  return kind.repair(directory, options);
}

/**
 * Reads everything of a store that is not open here and reports damage, also where so much is
 * damaged that nothing can be read. Another process may be writing it: what looks damaged is looked
 * at again, and only what stays is reported. Changes nothing.
 * @throws (rejects) `HOLDFAST_MISSING`, `HOLDFAST_FOREIGN`, `HOLDFAST_FORMAT`
 */
export async function verifyStore(
  directory: string,
  options?: EngineSurroundings & ProgressOptions,
): Promise<VerifyReport> {
  const { kind, key } = await storeAt(directory, options);
  const damaged = (damage: Damage): VerifyReport => ({
    sound: false,
    files: 0,
    bytes: 0,
    entries: undefined,
    damage: [damage],
  });
  return settledReport(async (progress) => {
    try {
      return await kind.verify(directory, { ...options, ...progress });
    } catch (error) {
      if (error instanceof CorruptionError) return damaged(error);
      if (errorCode(error) !== 'HOLDFAST_MISSING') throw error;
      const message = `${key} is missing, and other files of a store are there`;
      return damaged({ path: join(directory, key), offset: undefined, message });
    }
  }, options);
}

/**
 * The figures of a store that is not open here. Changes nothing.
 * @throws (rejects) `HOLDFAST_MISSING`; `HOLDFAST_CORRUPTION` where so much is damaged or missing
 *   that they cannot be told; `HOLDFAST_FOREIGN`, `HOLDFAST_FORMAT`
 */
export async function statsOfStore(
  directory: string,
  surroundings?: EngineSurroundings,
): Promise<EngineStats> {
  const { kind, key } = await storeAt(directory, surroundings);
  try {
    return await kind.stats(directory, surroundings);
  } catch (error) {
    if (errorCode(error) !== 'HOLDFAST_MISSING') throw error;
    const expected = `${key} beside the other files of a store (repair it, or restore a backup)`;
    const path = join(directory, key);
    throw new CorruptionError({ path, offset: 0, expected, found: 'no such file' });
  }
}

/** Null when there is no such directory. */
async function namesIn(
  directory: string,
  surroundings: EngineSurroundings | undefined,
): Promise<string[] | null> {
  const vfs = surroundings?.dispatch?.vfs ?? nodeVfs;
  try {
    return (await vfs.readDirectory(directory)).map(({ name }) => name);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
