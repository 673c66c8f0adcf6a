/** The formats that `dump` and `verify` know, and which of them a path is of. */

import { statSync } from 'node:fs';

import { HoldfastError, UsageError } from '../../base/errors.ts';
import { STORE_FILES } from '../../level/store-files.ts';
import { storeAt } from '../../level/store-places.ts';
import { errorCode } from '../../vfs/errno.ts';
import { bitcaskManifestFormat, dataFileFormat, hintFileFormat } from './bitcask-format.ts';
import { pageFileFormat } from './btree-format.ts';
import { logFileFormat } from './log-file-format.ts';
import { manifestFileFormat, tableFileFormat } from './lsm-format.ts';
import type { StoreFormat } from './store-format.ts';
import { storeFormat } from './engine-store-format.ts';
import { walFormat } from './wal-format.ts';

/** The first that recognises a path is taken; a directory that none does may be a store. */
const FORMATS: readonly StoreFormat[] = [
  walFormat,
  logFileFormat,
  tableFileFormat,
  manifestFileFormat,
  dataFileFormat,
  hintFileFormat,
  bitcaskManifestFormat,
  pageFileFormat,
];

/** @throws UsageError when nothing is there, or nothing that is known */
export async function formatOf(path: string): Promise<StoreFormat> {
  try {
    statSync(path);
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    const why =
      errorCode(error) === 'ENOENT' ? 'there is no such file or directory' : String(error);
    throw new UsageError(`cannot read ${path}: ${why}`, { cause: error });
  }
  const format = FORMATS.find((each) => each.recognises(path));
  if (format !== undefined) return format;
  try {
    return storeFormat(await storeAt(path));
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'HOLDFAST_MISSING') throw error;
    const stores = STORE_FILES.map(({ key, kind }) => `${key} of ${kind.name}`).join(', ');
    const known = [
      ...FORMATS.map(({ name }) => `a ${name}`),
      `the directory of a store (with ${stores})`,
    ].join(', ');
    throw new UsageError(`${path} is none of what can be looked into: ${known}`, { cause: error });
  }
}
