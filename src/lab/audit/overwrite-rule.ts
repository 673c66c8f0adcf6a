/** Bytes that are live are overwritten where they stand: a crash in between leaves neither the old nor the new ones. */

import type { InodeNumber, Operation } from '../record/operation.ts';
import {
  changedFile,
  firstNotBelow,
  pathOf,
  successful,
  type AuditCase,
  type AuditContext,
} from './audit-context.ts';
import { BLOCK_BYTES } from '../model/change.ts';
import type { FileLife } from './file-life.ts';
import { DurableOrder } from './written-order.ts';

interface Range {
  readonly from: number;
  readonly to: number;
}

/** `overwrite-in-place` */
export function* overwritesInPlace(context: AuditContext): Generator<AuditCase> {
  const { trace, life, times } = context;
  const order = new DurableOrder(trace, life, times);
  const sizes = new Map<InodeNumber, number>();
  for (const { operation, index } of successful(trace)) {
    const file = changedFile(operation);
    if (file === null) continue;
    const size = sizes.get(file) ?? life.initialSize(file);
    sizes.set(file, sizeAfter(operation, size));
    // Most writes are appends, and there is nothing behind the end.
    const appends = operation.kind === 'write' && operation.offset >= size;
    if (operation.kind === 'allocate' || appends || size === 0) continue;
    const cuts = operation.kind === 'truncate';
    if (cuts && (operation.size > 0 || !isWrittenAgain(context, file, index))) continue;
    const range = cuts ? { from: 0, to: Infinity } : rangeOf(operation);
    if (!cuts && isWhole(context, range)) continue;
    if (!isLive(context, order, file, index, range)) continue;
    // A journal, a log, a copy.
    if (order.isOtherLater(file, operation.start)) continue;
    yield {
      rule: 'overwrite-in-place',
      aspect: 'bytes',
      operation: index,
      other: null,
      message: cuts
        ? `${pathOf(operation)} is emptied before its new content is there; write a new file and rename it over the old one`
        : `live bytes of ${pathOf(operation)} are overwritten, and nothing durable holds the old or the new ones; ` +
          'write them to a log and sync that before, or write a new file and rename it',
    };
  }
}

function rangeOf(operation: Operation): Range {
  if (operation.kind !== 'write') return { from: 0, to: 0 };
  return { from: operation.offset, to: operation.offset + operation.length };
}

function sizeAfter(operation: Operation, size: number): number {
  if (operation.kind === 'truncate') return operation.size;
  if (operation.kind !== 'write' && operation.kind !== 'allocate') return size;
  const grows = operation.kind === 'write' || operation.mode !== 'punch-hole';
  return grows ? Math.max(size, operation.offset + operation.length) : size;
}

function isWrittenAgain({ trace, life }: AuditContext, file: InodeNumber, index: number): boolean {
  const last = life.changesOf(file).findLast((at) => trace.operations[at]?.kind === 'write');
  return last !== undefined && last > index;
}

/** Whether the bytes lie in one piece that the disk writes as a whole. */
function isWhole({ times }: AuditContext, { from, to }: Range): boolean {
  const unit = times.model.tearBytes === 0 ? BLOCK_BYTES : times.model.tearBytes;
  return Math.floor(from / unit) === Math.floor((to - 1) / unit);
}

/** Whether durable bytes stand there: from the start of the recording, or written and synced since. */
function isLive(
  { trace, life, times }: AuditContext,
  order: DurableOrder,
  file: InodeNumber,
  index: number,
  range: Range,
): boolean {
  const start = trace.operations[index]?.start ?? 0;
  if (life.initialSize(file) === 0 && !order.hasDurableWrite(file, start)) return false;
  const changes = life.changesOf(file);
  // Backwards: the last change that says something of this range is the one that counts.
  for (let at = firstNotBelow(changes, index) - 1; at >= 0; at -= 1) {
    const change = changes[at] ?? -1;
    const operation = trace.operations[change];
    if (operation?.kind === 'truncate' && operation.size <= range.from) return false;
    if (operation?.kind !== 'write') continue;
    const overlaps =
      operation.offset < range.to && range.from < operation.offset + operation.length;
    if (overlaps && times.dataDurable(change) < start) return true;
  }
  return initialIsLive(life, file, range);
}

/** Zeros are room that was set aside. */
function initialIsLive(life: FileLife, file: InodeNumber, { from, to }: Range): boolean {
  return life
    .initialContent(file)
    .subarray(from, to)
    .some((byte) => byte !== 0);
}
