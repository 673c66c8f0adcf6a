/** The formats that `dump` and `verify` know, and which of them a path is of. */

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { HoldfastError, UsageError } from '../../base/errors.ts';
import { STORE_FILES } from '../../level/store-files.ts';
import type { StoreFiles } from '../../level/store-files.ts';
import { storeAt } from '../../level/store-places.ts';
import { errorCode } from '../../vfs/errno.ts';
import { WAL_POINTER_NAME } from '../../wal/wal-directory.ts';
import {
  bitcaskManifestFormat,
  dataFileFormat,
  hintFileFormat,
  indexFileFormat,
} from './bitcask-format.ts';
import { pageFileFormat } from './btree-format.ts';
import { doubleFileFormat } from './double-format.ts';
import { logFileFormat } from './log-file-format.ts';
import { currentFileFormat, manifestFileFormat, tableFileFormat } from './lsm-format.ts';
import type { StoreFormat } from './store-format.ts';
import { storeFormat } from './engine-store-format.ts';
import { walFormat } from './wal-format.ts';

/** The first that recognises a path is taken, unless it is the directory of a store. */
const FORMATS: readonly StoreFormat[] = [
  walFormat,
  logFileFormat,
  tableFileFormat,
  manifestFileFormat,
  currentFileFormat,
  dataFileFormat,
  hintFileFormat,
  indexFileFormat,
  bitcaskManifestFormat,
  pageFileFormat,
  doubleFileFormat,
];

/** @throws HOLDFAST_MISSING when nothing is there; UsageError when it is nothing that is known */
export async function formatOf(path: string): Promise<StoreFormat> {
  try {
    statSync(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
    const text = `cannot read ${path}: there is no such file or directory`;
    throw new HoldfastError('HOLDFAST_MISSING', text, { cause: error });
  }
  // A log inside a store is a log. Without its pointer, segments may as well be the logs of a store.
  if (!existsSync(join(path, WAL_POINTER_NAME))) {
    const store = await storeOrNull(path);
    if (store !== null) return storeFormat(store);
  }
  const format = FORMATS.find((each) => each.recognises(path));
  if (format !== undefined) return format;
  const stores = STORE_FILES.map(({ key, kind }) => `${key} of ${kind.name}`).join(', ');
  const known = [
    ...FORMATS.map(({ name }) => `a ${name}`),
    `the directory of a store (with ${stores})`,
  ].join(', ');
  throw new UsageError(`${path} is none of what can be looked into: ${known}`);
}

async function storeOrNull(path: string): Promise<StoreFiles | null> {
  try {
    return await storeAt(path);
  } catch (error) {
    if (errorCode(error) !== 'HOLDFAST_MISSING') throw error;
    return null;
  }
}
