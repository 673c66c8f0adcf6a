/** All litmus programs, by name. */

import { UsageError } from '../../base/errors.ts';
import { contentPrograms } from './content-programs.ts';
import type { LitmusProgram } from './litmus-program.ts';
import { namePrograms } from './name-programs.ts';
import { orderPrograms } from './order-programs.ts';
import { syncPrograms } from './sync-programs.ts';

/** In the order of the reference's table: order, floors, content, names. */
export const litmusPrograms: readonly LitmusProgram[] = [
  ...orderPrograms,
  ...syncPrograms,
  ...contentPrograms,
  ...namePrograms,
];

/** @throws UsageError when there is none of that name. */
export function litmusProgram(name: string): LitmusProgram {
  const program = litmusPrograms.find((one) => one.name === name);
  if (program === undefined) throw new UsageError(`there is no litmus program '${name}'`);
  return program;
}
