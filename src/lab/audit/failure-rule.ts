/** Failures that a program passes over: a short write that nobody completes, a sync that failed and was not fatal. */

import { pathOf, type AuditCase, type AuditContext } from './audit-context.ts';
import type { Operation, Trace, WriteOperation } from '../record/operation.ts';

/** `failure-ignored`. The same on all models: what was lost was lost before any crash. */
export function* failuresIgnored({ trace }: AuditContext): Generator<AuditCase> {
  for (const [index, operation] of trace.operations.entries()) {
    const rule = 'failure-ignored';
    if (operation.kind === 'write' && operation.error === undefined) {
      if (operation.asked === undefined || isCompleted(trace, operation, index)) continue;
      const message =
        `${operation.length} of ${operation.asked} bytes were written to ${pathOf(operation)}, and the rest never; ` +
        'write on from there until all is written';
      yield { rule, aspect: 'bytes', operation: index, other: null, message };
      continue;
    }
    if (!isFailedSync(operation)) continue;
    const other = trace.operations.findIndex((later, at) => at > index && claimsSuccess(later));
    if (other < 0) continue;
    const message =
      `the sync of ${pathOf(operation)} failed with ${operation.error}, and the program went on as if it had not; ` +
      'what was written before it is lost to later syncs: write it again elsewhere, or stop';
    yield { rule, aspect: 'bytes', operation: index, other, message };
  }
}

function isFailedSync(operation: Operation): boolean {
  if (operation.error === undefined) return false;
  return operation.kind === 'sync' || (operation.kind === 'write' && operation.durable !== 'none');
}

/** Something was told after it, or the program ended well. */
function claimsSuccess(operation: Operation): boolean {
  if (operation.kind !== 'mark') return false;
  return operation.source === 'exit' ? operation.text === '0' : operation.text.trim() !== '';
}

function isCompleted(trace: Trace, write: WriteOperation, index: number): boolean {
  const end = write.offset + write.length;
  return trace.operations.some(
    (later, at) =>
      at > index &&
      later.kind === 'write' &&
      later.inode === write.inode &&
      later.offset <= end &&
      later.offset + later.length > end,
  );
}
