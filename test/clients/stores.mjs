/** The stores that clients are given: one of each engine, in a directory that is removed with it. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { HoldfastLevel } from '../../dist/index.js';
import { DISK_ENGINES } from '../../dist/level/engine-registry.js';

/** Every engine by name. */
export const ENGINES = [...DISK_ENGINES.map(({ name }) => name), 'memory'];

/** A store that is not open yet, and what takes it away. */
export function newStore(engine, options) {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-clients-'));
  const db = new HoldfastLevel(join(directory, 'db'), { engine, sync: 'none', ...options });
  const remove = async () => {
    await db.close();
    rmSync(directory, { recursive: true, force: true });
  };
  return { db, remove };
}
