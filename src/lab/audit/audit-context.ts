/** What every rule of the audit is given, and what it gives back: a case on one model, before cases are put together. */

import type { InodeNumber, MarkOperation, Operation, Trace } from '../record/operation.ts';
import type { AuditRuleName, AuditSeverity } from './audit-rule.ts';
import type { DurableTimes } from './durable-times.ts';
import type { FileLife } from './file-life.ts';

/** One thing that a rule found under one model. */
export interface AuditCase {
  readonly rule: AuditRuleName;
  /** The operation whose line is named. */
  readonly operation: number;
  /** The operation that shows it: what came too early, what was not covered. */
  readonly other: number | null;
  /** Whether it is the operation's bytes or its name that are spoken of. */
  readonly aspect: 'bytes' | 'name';
  /** What is wrong here and what would be right, as a sentence without its full stop. */
  readonly message: string;
  /** Where it is not the rule's own. */
  readonly severity?: AuditSeverity;
}

export interface AuditContext {
  readonly trace: Trace;
  readonly life: FileLife;
  readonly times: DurableTimes;
}

export type AuditCheck = (context: AuditContext) => Iterable<AuditCase>;

/** Every operation that succeeded, with its index. */
export function* successful(
  trace: Trace,
): Generator<{ readonly operation: Operation; readonly index: number }> {
  for (const [index, operation] of trace.operations.entries()) {
    if (operation.error === undefined) yield { operation, index };
  }
}

/** Marks that tell the outside world something: lines with text and calls of `mark`, not the program's end. */
export function tellingMarks(trace: Trace): readonly MarkOperation[] {
  return trace.operations.filter(
    (operation): operation is MarkOperation =>
      operation.kind === 'mark' && operation.source !== 'exit' && operation.text.trim() !== '',
  );
}

/** The first mark that was told after a call had returned, or null. Calls that did not return are before none. */
export function firstMarkAfter(
  marks: readonly MarkOperation[],
  { end }: Operation,
): MarkOperation | null {
  if (end === null) return null;
  return marks[firstWhere(marks.length, (at) => (marks[at]?.start ?? Infinity) > end)] ?? null;
}

/** Where the first of these ascending numbers is that is not below `value`; their count where there is none. */
export function firstNotBelow(ascending: readonly number[], value: number): number {
  return firstWhere(ascending.length, (at) => (ascending[at] ?? Infinity) >= value);
}

/** The first of `count` places for which `holds` is true. REQUIRES: it is for all behind it, too. */
function firstWhere(count: number, holds: (at: number) => boolean): number {
  let from = 0;
  let to = count;
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** A change of a file's bytes or size: the file that it is of. */
export function changedFile(operation: Operation): InodeNumber | null {
  switch (operation.kind) {
    case 'write':
      return operation.length > 0 ? operation.inode : null;
    case 'truncate':
      return operation.inode;
    case 'allocate':
      return operation.mode === 'keep-size' ? null : operation.inode;
    default:
      return null;
  }
}

/** A path for a message. */
export function pathOf({ path }: Operation): string {
  return path === '' || path === '.' ? 'the root' : path;
}
