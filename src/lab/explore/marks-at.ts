/** What the outside world had been told at a moment of a trace. */

import type { MarkOperation, Trace } from '../record/operation.ts';

/** The marks when everything up to `position` had happened. */
export function marksAt(trace: Trace, position: number): MarkOperation[] {
  return trace.operations.filter(
    (operation): operation is MarkOperation =>
      operation.kind === 'mark' && operation.start <= position,
  );
}
