/**
 * Calls that overlapped in time and whose two orders are not both explored. Names, writes and journalled sizes
 * are taken in every order; a truncation or allocation that overlaps with another call on the size of the same
 * file is not, because another order would give the later calls other blocks.
 */

import type { Operation, Trace } from '../record/operation.ts';

/** One line for each file with such calls; they make a verdict incomplete. */
export function overlapsNotModelled(trace: Trace): string[] {
  const told = new Set<string>();
  const open: Operation[] = [];
  for (const operation of trace.operations) {
    if (operation.error !== undefined || !changesSize(operation)) continue;
    const { start, path } = operation;
    for (let index = open.length - 1; index >= 0; index--) {
      const other = open[index];
      if (other === undefined) continue;
      if (other.end !== null && other.end < start) open.splice(index, 1);
      else if (sameFile(operation, other) && (resizes(operation) || resizes(other))) {
        told.add(`the order of a truncation of ${path} and a call that overlaps with it`);
      }
    }
    open.push(operation);
  }
  return [...told];
}

function changesSize({ kind }: Operation): boolean {
  return kind === 'write' || kind === 'truncate' || kind === 'allocate';
}

function resizes({ kind }: Operation): boolean {
  return kind === 'truncate' || kind === 'allocate';
}

function sameFile(a: Operation, b: Operation): boolean {
  return 'inode' in a && 'inode' in b && a.inode === b.inode;
}
