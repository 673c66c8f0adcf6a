/** Names: never made durable, given before the bytes are durable, removed before what replaces them is. */

import type { InodeNumber, Operation } from '../record/operation.ts';
import {
  changedFile,
  firstMarkAfter,
  firstNotBelow,
  pathOf,
  successful,
  tellingMarks,
  type AuditCase,
  type AuditContext,
} from './audit-context.ts';
import { namesOvertakeData } from './durable-times.ts';
import { givenName, type FileLife } from './file-life.ts';
import { DurableOrder, PendingWrites } from './written-order.ts';

/** `name-not-durable` */
export function* namesNotDurable({ trace, life, times }: AuditContext): Generator<AuditCase> {
  const marks = tellingMarks(trace);
  for (const { operation, index } of successful(trace)) {
    if (!life.isFinalName(index) || times.nameDurable(index) !== Infinity) continue;
    const mark = firstMarkAfter(marks, operation);
    const told = mark === null ? '' : `, though "${mark.text.trim()}" was told after it`;
    yield {
      rule: 'name-not-durable',
      aspect: 'name',
      operation: index,
      other: null,
      message: `no sync makes the name ${pathOf(operation)} durable${told}; sync its directory`,
      severity: mark === null ? 'warning' : 'error',
    };
  }
}

/** `rename-before-sync` */
export function* renamesBeforeSync(context: AuditContext): Generator<AuditCase> {
  const { trace, times } = context;
  if (!namesOvertakeData(times.model)) return;
  const lastChange = new Map<InodeNumber, number>();
  for (const { operation, index } of successful(trace)) {
    const file = changedFile(operation);
    if (file !== null) {
      const before = lastChange.get(file);
      const isLater = before === undefined || times.dataDurable(index) >= times.dataDurable(before);
      if (isLater) lastChange.set(file, index);
    }
    if (!isPutInPlace(context, operation, index)) continue;
    const change = lastChange.get(givenName(operation)?.inode ?? 0);
    // The sync may have begun before the name was given: it then had returned by that time, or does not count.
    if (change === undefined || times.dataDurable(change) < operation.start) continue;
    yield {
      rule: 'rename-before-sync',
      aspect: 'bytes',
      operation: index,
      other: change,
      message: `the bytes of ${pathOf(operation)} are not durable when it gets this name; sync the file before`,
      severity: operation.kind === 'rename' && operation.replaced !== null ? 'error' : 'warning',
    };
  }
}

/** Whether a name is given to a file that was made ready under another: not that a log is moved aside. */
function isPutInPlace({ life }: AuditContext, operation: Operation, index: number): boolean {
  if (operation.kind !== 'rename' && operation.kind !== 'link') return false;
  if (operation.kind === 'rename' && operation.replaced !== null) return true;
  if (!life.isFinalName(index) || life.createdBy(operation.inode) < 0) return false;
  if (operation.kind === 'link') return true;
  const { fromDirectory, fromName } = operation;
  return (life.namingsOf(fromDirectory, fromName).at(-1) ?? -1) <= index;
}

/** What takes a file's name or its bytes away. */
type Removal = Extract<Operation, { kind: 'unlink' | 'truncate' }>;

/** `removed-before-replacement` */
export function* removalsBeforeReplacement(context: AuditContext): Generator<AuditCase> {
  const { trace, life, times } = context;
  const order = new DurableOrder(trace, life, times);
  const pending = new PendingWrites(life, times);
  for (const { operation, index } of successful(trace)) {
    if (operation.kind === 'write') pending.add(operation.inode, operation.offset, index);
    const removes =
      operation.kind === 'unlink' || (operation.kind === 'truncate' && operation.size === 0);
    if (!removes || !mattered(life, order, operation)) continue;
    const successor = pendingSuccessor(context, pending, operation, index);
    if (successor !== null) {
      yield {
        rule: 'removed-before-replacement',
        aspect: 'name',
        operation: index,
        other: successor,
        message:
          `${pathOf(operation)} is ${operation.kind === 'unlink' ? 'removed' : 'cut'} before what was written to ` +
          `${pathAt(context, successor)} is durable; sync that before`,
      };
      continue;
    }
    const replacement = operation.kind === 'unlink' ? takesName(context, operation, index) : null;
    if (replacement === null) continue;
    yield {
      rule: 'removed-before-replacement',
      aspect: 'name',
      operation: index,
      other: replacement,
      message: `${pathOf(operation)} is removed, and made again only later; rename the new file over it`,
    };
  }
}

function pathAt({ trace }: AuditContext, index: number): string {
  const operation = trace.operations[index];
  return operation === undefined ? 'the root' : pathOf(operation);
}

/** Whether somebody can count on what is in a file: it was there at the start, or bytes of it had become durable. */
function mattered(life: FileLife, order: DurableOrder, { inode, start }: Removal): boolean {
  if (life.isDirectory(inode)) return false;
  return life.initialSize(inode) > 0 || order.hasDurableWrite(inode, start);
}

/**
 * A write to another file that came after the bytes of the one that goes, and is not durable when that goes: what was
 * in a log and is now elsewhere. A file that is only appended to, never synced and not made here is no such place.
 */
function pendingSuccessor(
  { trace, life }: AuditContext,
  pending: PendingWrites,
  { inode, kind, start }: Removal,
  index: number,
): number | null {
  if (life.isAlive(inode) && kind === 'unlink') return null;
  const firstWrite = life.changesOf(inode).find((at) => trace.operations[at]?.kind === 'write');
  // Of a file that was only read nobody knows what it was for.
  if (firstWrite === undefined || firstWrite > index) return null;
  return pending.lastBeside(inode, firstWrite, start);
}

/**
 * The later operation that gives the removed name to the new version: a file made ready before, or one that is made
 * anew while no other file took over what was there.
 */
function takesName(
  { trace, life, times }: AuditContext,
  gone: Extract<Operation, { kind: 'unlink' }>,
  index: number,
): number | null {
  const namings = life.namingsOf(gone.directory, gone.name);
  const taker = namings[firstNotBelow(namings, index + 1)];
  const operation = trace.operations[taker ?? -1];
  if (taker === undefined || operation === undefined) return null;
  if (operation.kind !== 'create') return taker;
  const changes = life.changesOf(gone.inode);
  const lastWrite = changes[firstNotBelow(changes, index) - 1] ?? -1;
  const takenOver = trace.operations
    .slice(lastWrite + 1, index)
    .some(
      (other, at) =>
        other.kind === 'write' &&
        other.inode !== gone.inode &&
        times.dataDurable(lastWrite + 1 + at) < gone.start,
    );
  return takenOver ? null : taker;
}
