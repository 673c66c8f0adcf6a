/** What `dump` and `verify` say of a store, in lines, and as an exit code. */

import { relative } from 'node:path';

import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { Complaint, StoreReport } from '../formats/store-format.ts';
import { printable } from '../output.ts';

/** One for damage, three for an end that may be torn or damaged. */
export function exitCodeOf({ damage, torn }: StoreReport): ExitCode {
  if (damage.length > 0) return exitCodes.found;
  return torn.length > 0 ? exitCodes.incomplete : exitCodes.clean;
}

/** A line for each complaint. Paths are shown from the working directory. */
export function complaintLines(
  { damage, torn }: Pick<StoreReport, 'damage' | 'torn'>,
  cwd: string,
): string[] {
  const line = (what: string, { file, offset, message }: Complaint): string => {
    const place = relative(cwd, file) + (offset === null ? '' : `:${offset}`);
    return printable(`${what} ${place} ${message}`);
  };
  return [
    ...damage.map((each) => line('damaged', each)),
    ...torn.map((each) => line('torn', each)),
  ];
}
