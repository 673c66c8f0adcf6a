/** Figures of a store that is not open here, from its directory and manifest. */

import { join } from 'node:path';

import { HoldfastError } from '../base/errors.ts';
import type { EngineStats } from '../engine/engine-reports.ts';
import { errorCode } from '../vfs/errno.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { parseFileName } from './lsm-files.ts';
import { readStore } from './lsm-recovery.ts';

/** @throws HOLDFAST_MISSING; what `readStore` throws */
export async function statsOf(vfs: Vfs, directory: string): Promise<EngineStats> {
  const found = await readStore(vfs, directory);
  if (found === null) throw new HoldfastError('HOLDFAST_MISSING', `${directory} holds no store`);
  let files = 0;
  let diskBytes = 0;
  let logBytes = 0;
  for (const name of found.names) {
    const file = parseFileName(name);
    if (file === null) continue;
    const size = await sizeOf(vfs, join(directory, name));
    if (size === null) continue;
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

/** Null for a file that another process has removed by now. */
async function sizeOf(vfs: Vfs, path: string): Promise<number | null> {
  try {
    return (await vfs.stat(path)).size;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    return null;
  }
}
