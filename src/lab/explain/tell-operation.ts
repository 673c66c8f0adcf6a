/** One operation of a trace in words. */

import { unreachable } from '../../base/assert.ts';
import type { Operation, Trace } from '../record/operation.ts';
import { callSite } from './call-site.ts';
import type { ToldOperation } from './finding.ts';

export function tellOperation(trace: Trace, index: number): ToldOperation {
  const operation = trace.operations[index];
  if (operation === undefined) return { operation: index, what: 'the start', stack: [], site: 0 };
  const stack = trace.stacks[operation.stack] ?? [];
  return {
    operation: index,
    what: describeOperation(operation),
    stack,
    site: callSite(trace, index),
  };
}

/** e.g. `write of 120 bytes to a.json at byte 0`. */
export function describeOperation(operation: Operation): string {
  const path = operation.path === '' ? '.' : operation.path;
  switch (operation.kind) {
    case 'create':
      return operation.node === 'directory' ? `mkdir of ${path}` : `creation of ${path}`;
    case 'link':
      return `link of ${path}`;
    case 'unlink':
      return `removal of ${path}`;
    case 'rename':
      return `rename to ${path}`;
    case 'write':
      return `write of ${operation.length} bytes to ${path} at byte ${operation.offset}`;
    case 'truncate':
      return `truncation of ${path} to ${operation.size} bytes`;
    case 'allocate':
      return `allocation in ${path}`;
    case 'attribute':
      return `change of ${operation.field} of ${path}`;
    case 'sync':
      return `${operation.scope === 'all' ? 'fsync' : 'fdatasync'} of ${path}`;
    case 'writeback':
      return `begun writing of ${path}`;
    case 'sync-all':
      return 'sync';
    case 'close':
      return `close of ${path}`;
    case 'mark':
      return operation.source === 'exit'
        ? 'the end of the program'
        : `mark "${operation.text.trim()}"`;
    case 'unmodelled':
      return operation.what;
    default:
      return unreachable(operation);
  }
}
