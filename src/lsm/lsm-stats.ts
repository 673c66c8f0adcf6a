/** Figures of a store that is not open here, from its directory and manifest. */

import { join } from 'node:path';

import { HoldfastError } from '../base/errors.ts';
import type { EngineStats } from '../engine/engine-reports.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { parseFileName } from './lsm-files.ts';
import { findStore } from './lsm-recovery.ts';

/** @throws HOLDFAST_MISSING; what `findStore` throws */
export async function statsOf(vfs: Vfs, directory: string): Promise<EngineStats> {
  const found = await findStore(vfs, directory);
  if (found === null) throw new HoldfastError('HOLDFAST_MISSING', `${directory} holds no store`);
  let files = 0;
  let diskBytes = 0;
  let logBytes = 0;
  for (const name of found.names) {
    const file = parseFileName(name);
    if (file === null) continue;
    const { size } = await vfs.stat(join(directory, name));
    files++;
    diskBytes += size;
    if (file.kind === 'log') logBytes += size;
  }
  const { version, lastSequence } = found.state;
  const details: Record<string, number | string> = { logBytes, lastSequence };
  for (const [level, tables] of version.levels.entries()) {
    if (tables.length === 0) continue;
    details[`level${level}Tables`] = tables.length;
    details[`level${level}Bytes`] = version.levelBytes(level);
  }
  return {
    engine: 'lsm',
    files,
    diskBytes,
    memoryBytes: 0,
    entries: undefined,
    snapshots: 0,
    details,
  };
}
