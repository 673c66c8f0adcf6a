/** The error for a page that is whole but not what the tree says it is. */

import { CorruptionError } from '../base/errors.ts';
import { pageKind, pageLevel } from './page-format.ts';
import type { Pager } from './pager.ts';

export function damagedTree(
  pager: Pager,
  number: number,
  expected: string,
  page: Uint8Array,
): CorruptionError {
  return new CorruptionError({
    path: pager.file.path,
    offset: number * pager.pageBytes,
    expected,
    found: `a page of kind ${pageKind(page)}, level ${pageLevel(page)}`,
  });
}
