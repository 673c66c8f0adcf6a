/** Directories of stores that are not open here: whose they are, `destroy`, `repair`. */

import { HoldfastError } from '../base/errors.ts';
import type { EngineKind, EngineSurroundings } from '../engine/engine-kind.ts';
import type { ProgressOptions, RepairReport } from '../engine/engine-reports.ts';
import { DISK_ENGINES } from './engine-registry.ts';

/** The kinds whose store a directory looks like; none when it is missing or somebody else's. */
export async function kindsHeldBy(
  directory: string,
  surroundings?: EngineSurroundings,
): Promise<EngineKind[]> {
  const held = await Promise.all(DISK_ENGINES.map((kind) => kind.holds(directory, surroundings)));
  return DISK_ENGINES.filter((_, index) => held[index]);
}

/**
 * Refuses a directory that holds the store of another engine.
 * @throws (rejects) HoldfastError with code `HOLDFAST_FOREIGN`
 */
export async function refuseOtherEngine(
  kind: EngineKind,
  directory: string,
  surroundings?: EngineSurroundings,
): Promise<void> {
  if (!DISK_ENGINES.includes(kind)) return;
  const held = await kindsHeldBy(directory, surroundings);
  const other = held.find((candidate) => candidate !== kind);
  if (other === undefined || held.includes(kind)) return;
  throw new HoldfastError(
    'HOLDFAST_FOREIGN',
    `${directory} holds a store of the engine '${other.name}', not '${kind.name}': ` +
      `open it with engine: '${other.name}'`,
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
  const [kind] = await kindsHeldBy(directory, options);
  if (kind === undefined) {
    throw new HoldfastError('HOLDFAST_MISSING', `${directory}: no engine finds a store of its own`);
  }
  return kind.repair(directory, options);
}
