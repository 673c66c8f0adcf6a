/** A recorded run that changed nothing proves nothing: most likely another directory was meant. */

import type { Operation, Trace } from './operation.ts';

/** What makes the verdict of such a run incomplete. */
export const NOTHING_CHANGED = 'nothing below the root was changed: is it the right directory?';

const NO_CHANGES: ReadonlySet<Operation['kind']> = new Set([
  'sync',
  'writeback',
  'sync-all',
  'close',
  'mark',
  'unmodelled',
]);

export function changesNothing(trace: Trace): boolean {
  return !trace.operations.some(({ kind, error }) => !NO_CHANGES.has(kind) && error === undefined);
}
