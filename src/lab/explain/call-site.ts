/**
 * Which line of a call stack to name. The innermost frame may be a wrapper that passes every call on from one
 * place (a retry, a promisifier): the line that forgot something is in the code that knows of more than this one
 * call. So: the innermost frame whose file made another call on the same file or directory from another line.
 */

import type { InodeNumber, Operation, StackFrame, Trace } from '../record/operation.ts';

/** How often each line of each source file is in a stack of a call on one inode. */
type CallLines = Map<string, Map<number, number>>;

/** Made once for a trace: thousands of its calls may be told. */
const KNOWN = new WeakMap<Trace, Map<InodeNumber, CallLines>>();

/** Index into the operation's stack; 0 where no frame stands out. */
export function callSite(trace: Trace, index: number): number {
  const operation = trace.operations[index];
  const stack = trace.stacks[operation?.stack ?? -1] ?? [];
  const inode = operation === undefined ? null : subjectOf(operation);
  const lines = inode === null ? undefined : linesByInode(trace).get(inode);
  if (lines === undefined) return 0;
  const site = stack.findIndex((frame) => isCalledElsewhere(frame, stack, lines));
  return Math.max(site, 0);
}

/** Whether another call on the inode has another line of this frame's file in its stack. */
function isCalledElsewhere(
  { file, line }: StackFrame,
  own: readonly StackFrame[],
  lines: CallLines,
): boolean {
  for (const [other, count] of lines.get(file) ?? []) {
    if (other === line) continue;
    const byItself = own.filter((frame) => frame.file === file && frame.line === other).length;
    if (count > byItself) return true;
  }
  return false;
}

function linesByInode(trace: Trace): Map<InodeNumber, CallLines> {
  let known = KNOWN.get(trace);
  if (known !== undefined) return known;
  known = new Map();
  for (const operation of trace.operations) {
    const inode = subjectOf(operation);
    const stack = trace.stacks[operation.stack] ?? [];
    if (inode === null || stack.length === 0) continue;
    const lines: CallLines = known.get(inode) ?? new Map();
    known.set(inode, lines);
    for (const { file, line } of stack) {
      const counts = lines.get(file) ?? new Map<number, number>();
      lines.set(file, counts.set(line, (counts.get(line) ?? 0) + 1));
    }
  }
  KNOWN.set(trace, known);
  return known;
}

function subjectOf(operation: Operation): InodeNumber | null {
  return 'inode' in operation ? operation.inode : null;
}
