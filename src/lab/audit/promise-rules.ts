/** What a program relies on: that what it told is durable, that files reach the disk in the order of its calls. */

import type { InodeNumber, Operation } from '../record/operation.ts';
import {
  changedFile,
  firstMarkAfter,
  pathOf,
  successful,
  tellingMarks,
  type AuditCase,
  type AuditContext,
} from './audit-context.ts';

/** `acknowledged-before-durable`; names that never become durable are for `name-not-durable`. */
export function* acknowledgedEarly({ trace, life, times }: AuditContext): Generator<AuditCase> {
  const marks = tellingMarks(trace);
  if (marks.length === 0) return;
  const places = new Map<Operation, number>(trace.operations.map((one, index) => [one, index]));
  for (const { operation, index } of successful(trace)) {
    const mark = firstMarkAfter(marks, operation);
    if (mark === null) continue;
    const file = changedFile(operation);
    const isFileChange = file !== null && life.isAlive(file);
    const named = life.isFinalName(index) ? times.nameDurable(index) : -Infinity;
    const durable = isFileChange
      ? times.dataDurable(index)
      : named === Infinity
        ? -Infinity
        : named;
    if (durable < mark.start) continue;
    // Under a name that it only had for the time being nothing was promised of it.
    if (file !== null && life.isTemporaryAt(file, mark.start)) continue;
    const what = isFileChange
      ? `what was written to ${pathOf(operation)}`
      : `the name ${pathOf(operation)}`;
    const when = durable === Infinity ? 'is never durable' : 'is durable only later';
    yield {
      rule: 'acknowledged-before-durable',
      aspect: isFileChange ? 'bytes' : 'name',
      operation: index,
      other: places.get(mark) ?? null,
      message: `"${mark.text.trim()}" is told, and ${what} ${when}; sync it before`,
    };
  }
}

/** `files-not-ordered` */
export function* filesNotOrdered({ trace, life, times }: AuditContext): Generator<AuditCase> {
  /** The change of each file that became durable last, so far. */
  const latest = new Map<InodeNumber, number>();
  const told = new Set<InodeNumber>();
  const never = new Set<InodeNumber>();
  for (const { operation, index } of successful(trace)) {
    const file = changedFile(operation);
    if (file === null || !life.isAlive(file)) continue;
    const durable = times.dataDurable(index);
    // It brought nothing that had to become durable.
    if (durable === -Infinity) continue;
    for (const [other, change] of latest) {
      const first = trace.operations[change];
      if (other === file || first?.end == null || first.end > operation.start) continue;
      const firstDurable = times.dataDurable(change);
      // Nothing that comes later is durable before it any more.
      if (firstDurable <= operation.start) latest.delete(other);
      if (firstDurable <= durable || told.has(other)) continue;
      told.add(other);
      yield {
        rule: 'files-not-ordered',
        aspect: 'bytes',
        operation: change,
        other: index,
        message:
          `${pathOf(first)} is written before ${pathOf(operation)} and becomes durable after it; ` +
          'sync it before the other is written, if the other relies on it',
      };
    }
    if (durable === Infinity) {
      // What is never durable is for other rules.
      never.add(file);
      latest.delete(file);
    }
    if (never.has(file)) continue;
    const before = latest.get(file);
    if (before === undefined || durable >= times.dataDurable(before)) latest.set(file, index);
  }
}
