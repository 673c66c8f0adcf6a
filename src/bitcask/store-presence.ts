/** Whether a directory holds a Bitcask store, something else, or the remains of a store. */

import { join } from 'node:path';

import { CorruptionError, HoldfastError } from '../base/errors.ts';
import { errorCode } from '../vfs/errno.ts';
import { readWholeFile } from '../vfs/transfer.ts';
import type { Vfs } from '../vfs/vfs.ts';
import { EntryView, parseFileName } from './entry-format.ts';
import { MANIFEST_NAME } from './manifest.ts';

/** Names that other stores begin with. */
const FOREIGN_NAMES: ReadonlySet<string> = new Set(['CURRENT', 'BTREE', 'data.mdb']);

/** @throws HOLDFAST_FOREIGN when the directory is another program's or engine's */
export async function refuseForeign(vfs: Vfs, directory: string): Promise<void> {
  for (const { name } of await vfs.readDirectory(directory)) {
    if (!FOREIGN_NAMES.has(name)) continue;
    throw new HoldfastError(
      'HOLDFAST_FOREIGN',
      `${directory} has ${name}: it belongs to another engine or program`,
    );
  }
}

/**
 * Without a manifest there must be no data: a store whose making was cut short has a log without
 * entries.
 * @throws HOLDFAST_CORRUPTION when there is one with entries
 */
export async function refuseLostManifest(vfs: Vfs, directory: string): Promise<void> {
  const entries = await vfs.readDirectory(directory).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  for (const { name } of entries) {
    const parsed = parseFileName(name);
    if (parsed?.kind !== 'data') continue;
    if (!(await hasEntries(vfs, join(directory, name), parsed.number))) continue;
    throw new CorruptionError({
      path: join(directory, MANIFEST_NAME),
      offset: 0,
      expected: `a manifest, because ${name} has entries: repair the store`,
      found: 'no file',
    });
  }
}

/** Whether a whole entry is anywhere in the file. */
async function hasEntries(vfs: Vfs, path: string, number: number): Promise<boolean> {
  const bytes = await readWholeFile(vfs, path);
  const view = new EntryView();
  for (let at = 0; at < bytes.length; at++) {
    // Most of such a file is zeros, which begin no entry.
    if (bytes[at + 4] === 0) continue;
    if (view.load(bytes, at, bytes.length - at, number, at)) return true;
  }
  return false;
}
