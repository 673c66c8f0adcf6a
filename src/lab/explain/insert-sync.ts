/** A trace with syncs added that the program did not make: the question "and if it had?". */

import type { InodeNumber, Operation, SyncOperation, Trace } from '../record/operation.ts';

/** A sync to add right after an operation returned. */
export interface SyncInsertion {
  readonly inode: InodeNumber;
  readonly scope: 'all' | 'data';
  /** Index of the operation in the recorded trace. */
  readonly after: number;
  /** How the file or directory was called, relative to the root. */
  readonly path: string;
}

/** REQUIRES: every `after` is an operation that returned. */
export function insertSyncs(trace: Trace, insertions: readonly SyncInsertion[]): Trace {
  if (insertions.length === 0) return trace;
  const added: SyncOperation[] = insertions.map((insertion, index) => {
    const after = trace.operations[insertion.after];
    const time = after?.end ?? after?.start ?? 0;
    // Times are whole numbers: there is room for any number of syncs before the next event.
    const step = 1 / (2 * insertions.length + 2);
    return {
      kind: 'sync',
      inode: insertion.inode,
      scope: insertion.scope,
      start: time + (2 * index + 1) * step,
      end: time + (2 * index + 2) * step,
      thread: after?.thread ?? 0,
      stack: after?.stack ?? -1,
      path: insertion.path,
    };
  });
  const operations: Operation[] = [...trace.operations, ...added];
  operations.sort((a, b) => a.start - b.start);
  return { ...trace, operations };
}

export function sameInsertion(a: SyncInsertion, b: SyncInsertion): boolean {
  return a.inode === b.inode && a.scope === b.scope && a.after === b.after;
}
