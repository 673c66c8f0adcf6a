/**
 * The B+tree's doublewrite files: the batch that was last written to its places, a line for each page. What is in
 * the pages is shown of their places (`btree-format`).
 */

import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';

import {
  DOUBLE_NAMES,
  doubleHeader,
  doubleHeaderBytes,
  pagesInDouble,
} from '../../btree/double-write.ts';
import { pageNumber, pagePosition } from '../../btree/page-format.ts';
import { counted } from '../output.ts';
import { emptyReport, verifyByDumping } from './store-format.ts';
import type { DumpedRecord, StoreFormat, StoreReport } from './store-format.ts';

/** One of them by itself. */
export const doubleFileFormat: StoreFormat = {
  name: `doublewrite file (${DOUBLE_NAMES.join(', ')})`,
  recognises: (path) => DOUBLE_NAMES.includes(basename(path)) && statSync(path).isFile(),
  dump: (path) => dumpDouble(path),
  verify: (path, onProgress) => verifyByDumping(doubleFileFormat, path, onProgress),
};

/** The batch, then its pages. One that is not whole was on its way, and its places are as they were. */
export function* dumpDouble(file: string): Generator<DumpedRecord, StoreReport, undefined> {
  const report = emptyReport();
  const double = readFileSync(file);
  const header = doubleHeader(double, file);
  const all = { upTo: 0, lastSequence: Infinity };
  const whole = pagesInDouble(double, file, all);
  const { pages = 0, since = 0, pageBytes = 0 } = header ?? {};
  if (header !== null) {
    yield { file, offset: 0, kind: 'double', fields: { since, pages, pageBytes } };
    for (const page of whole) {
      const offset = page.byteOffset - double.byteOffset;
      const fields = { page: pageNumber(page), position: pagePosition(page) };
      yield { file, offset, kind: 'double-page', fields };
    }
  }
  if (double.length > 0 && (header === null || whole.length < pages)) {
    const offset = header === null ? 0 : doubleHeaderBytes(pages);
    const message = 'a batch that was on its way here, none of whose pages has gone to its place';
    report.torn.push({ file, offset, message });
  }
  const holds = `${counted(whole.length, 'page')} on the way to their places`;
  report.files.push({ file, bytes: double.length, holds });
  return report;
}
