/**
 * A digest of what a trace says happened: the tree it started from and every operation with its times. Left out is
 * what has no meaning for a crash: the command, where the root was, paths as people saw them, call stacks.
 */

import { createHash, type Hash } from 'node:crypto';
import type { Trace } from '../record/operation.ts';

/** SHA-256 in lower-case hex. Contents enter by their ids, which are digests themselves. */
export function traceDigest(trace: Trace): string {
  const hash = createHash('sha256');
  hash.update('holdfast trace digest 1\n');
  const initial = trace.initial.toSorted((a, b) => a.inode - b.inode);
  for (const node of initial) {
    const plain =
      node.node === 'directory' ? { ...node, entries: sortedEntries(node.entries) } : node;
    addLine(hash, plain);
  }
  hash.update('operations\n');
  for (const operation of trace.operations) {
    const { stack: _stack, path: _path, ...meaning } = operation;
    addLine(hash, meaning);
  }
  return hash.digest('hex');
}

function sortedEntries(
  entries: readonly (readonly [string, number])[],
): (readonly [string, number])[] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
}

/** One JSON object a line, its keys in order, so that the order in which a recorder made them is nothing. */
function addLine(hash: Hash, fields: object): void {
  const sorted = Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
  hash.update(`${JSON.stringify(Object.fromEntries(sorted))}\n`);
}
