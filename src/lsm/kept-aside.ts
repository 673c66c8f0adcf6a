/** Moves files that could not be used into the directory `lost`, durably. */

import { join } from 'node:path';

import { changeNames } from '../durable/name-group.ts';
import { DurableDirectory } from '../durable/durable-directory.ts';
import type { SyncDispatch } from '../durable/sync-dispatch.ts';
import { errorCode } from '../vfs/errno.ts';

/** Where they go. */
const LOST_NAME = 'lost';

/** Moves files of `directory`, and returns where they are now. A file that is gone is no mistake. */
export async function keepAside(
  dispatch: SyncDispatch,
  directory: string,
  names: readonly string[],
): Promise<string[]> {
  if (names.length === 0) return [];
  const lost = join(directory, LOST_NAME);
  await new DurableDirectory(dispatch).mkdirAll(lost);
  const kept: string[] = [];
  await changeNames(dispatch, async (group) => {
    for (const name of names) {
      const path = join(lost, name);
      try {
        await group.rename(join(directory, name), path, true);
        kept.push(path);
      } catch (error) {
        if (errorCode(error) !== 'ENOENT') throw error;
      }
    }
  });
  return kept;
}
