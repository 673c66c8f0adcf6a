/** The formats that `dump` and `verify` know, and which of them a path is of. A line here is all it takes to add one. */

import { statSync } from 'node:fs';

import { UsageError } from '../../base/errors.ts';
import { errorCode } from '../../vfs/errno.ts';
import { logFileFormat } from './log-file-format.ts';
import type { StoreFormat } from './store-format.ts';
import { walFormat } from './wal-format.ts';

/** The first that recognises a path is taken. */
const FORMATS: readonly StoreFormat[] = [walFormat, logFileFormat];

/** @throws UsageError when nothing is there, or nothing that is known */
export function formatOf(path: string): StoreFormat {
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
  const known = FORMATS.map(({ name }) => `a ${name}`).join(', ');
  throw new UsageError(`${path} is none of what can be looked into: ${known}`);
}
