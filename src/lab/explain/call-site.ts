/**
 * Which line of a call stack to name. The innermost frame may be a wrapper that passes every call on from one
 * place (a retry, a promisifier): the line that forgot something is in the code that knows of more than this one
 * call. So: the innermost frame whose file made another call on the same file or directory from another line.
 */

import type { InodeNumber, Operation, Trace } from '../record/operation.ts';

/** Index into the operation's stack; 0 where no frame stands out. */
export function callSite(trace: Trace, index: number): number {
  const operation = trace.operations[index];
  const stack = trace.stacks[operation?.stack ?? -1] ?? [];
  const inode = operation === undefined ? null : subjectOf(operation);
  if (inode === null) return 0;
  const places = new Map<string, Set<number>>();
  trace.operations.forEach((other, at) => {
    if (at === index || subjectOf(other) !== inode) return;
    for (const { file, line } of trace.stacks[other.stack] ?? []) {
      const lines = places.get(file);
      if (lines === undefined) places.set(file, new Set([line]));
      else lines.add(line);
    }
  });
  const site = stack.findIndex(({ file, line }) => {
    const lines = places.get(file);
    return lines !== undefined && [...lines].some((other) => other !== line);
  });
  return Math.max(site, 0);
}

function subjectOf(operation: Operation): InodeNumber | null {
  return 'inode' in operation ? operation.inode : null;
}
