/** The engines by name. An engine that lands is one line here. */

import { bitcaskKind } from '../bitcask/bitcask-kind.ts';
import { btreeKind } from '../btree/btree-kind.ts';
import type { EngineKind } from '../engine/engine-kind.ts';
import { MemoryKind } from '../engine/memory-kind.ts';
import { lsmKind } from '../lsm/lsm-kind.ts';

/** What `engine` may be. */
export type EngineName = 'lsm' | 'bitcask' | 'btree' | 'memory';

/** The engine of a store that names none. */
export const DEFAULT_ENGINE: EngineName = 'lsm';

/** The engines that keep their stores on the disk. */
export const DISK_ENGINES: readonly EngineKind[] = [lsmKind, bitcaskKind, btreeKind];

/**
 * The kind of a name. The memory engine's stores are seen by this one alone.
 * @throws TypeError for a name that no engine has
 */
export function engineKind(name: EngineName): EngineKind {
  if (name === 'memory') return new MemoryKind();
  const kind = DISK_ENGINES.find((candidate) => candidate.name === name);
  if (kind !== undefined) return kind;
  const known = [...DISK_ENGINES.map((candidate) => candidate.name), 'memory'];
  throw new TypeError(`there is no engine '${name}': engine is one of ${known.join(', ')}`);
}
