/** What LevelDB itself (classic-level) finds in a directory, and temporary directories to ask it in. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ClassicLevel } from 'classic-level';

/** All entries, keys and values as Latin-1 text, in key order. */
export async function readAll(directory) {
  const db = new ClassicLevel(directory, { keyEncoding: 'buffer', valueEncoding: 'buffer' });
  await db.open({ createIfMissing: false });
  try {
    const entries = await db.iterator().all();
    return entries.map(([key, value]) => [key.toString('latin1'), value.toString('latin1')]);
  } finally {
    await db.close();
  }
}

/** Runs with a directory that is removed afterwards, also on failure. */
export async function inTemporaryDirectory(use) {
  const top = await mkdtemp(join(tmpdir(), 'holdfast-interop-'));
  try {
    await use(top);
  } finally {
    await rm(top, { recursive: true, force: true });
  }
}
