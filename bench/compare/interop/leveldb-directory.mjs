/**
 * A LevelDB directory with nothing in it but a log: the least manifest that LevelDB opens. Its one version edit
 * names the comparator, the log, the next file number and the last sequence; no tables. Not a manifest writer.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { crc32c, maskCrc32c } from '../../../build/src/base/crc32c.js';

const MANIFEST = 'MANIFEST-000002';
const LOG_NUMBER = 3;

/** Name of the log that the directory begins with. */
export const LOG_NAME = '000003.log';

/** Tags of a version edit that are used here. @see https://github.com/google/leveldb/blob/main/db/version_edit.cc */
const COMPARATOR = 1;
const LOG = 2;
const NEXT_FILE = 3;
const LAST_SEQUENCE = 4;

/** Makes `directory`, whose log is `log`. */
export function makeLevelDirectory(directory, log) {
  const comparator = Buffer.from('leveldb.BytewiseComparator');
  const edit = Buffer.concat([
    Buffer.from([COMPARATOR, comparator.length]),
    comparator,
    Buffer.from([LOG, LOG_NUMBER, NEXT_FILE, LOG_NUMBER + 1, LAST_SEQUENCE, 0]),
  ]);
  mkdirSync(directory);
  writeFileSync(join(directory, MANIFEST), fullRecord(edit));
  writeFileSync(join(directory, 'CURRENT'), `${MANIFEST}\n`);
  writeFileSync(join(directory, LOG_NAME), log);
}

/** One whole record, as LevelDB frames it: checksum, length, type 1, bytes. Shorter than a block. */
export function fullRecord(payload) {
  const record = Buffer.alloc(7 + payload.length);
  record.writeUInt16LE(payload.length, 4);
  record[6] = 1;
  record.set(payload, 7);
  record.writeUInt32LE(maskCrc32c(crc32c(record, 6)), 0);
  return record;
}
