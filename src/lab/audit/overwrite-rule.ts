/** Bytes that are live are overwritten where they stand: a crash in between leaves neither the old nor the new ones. */

import type { InodeNumber, Operation, Trace } from '../record/operation.ts';
import {
  changedFile,
  pathOf,
  successful,
  type AuditCase,
  type AuditContext,
} from './audit-context.ts';
import { BLOCK_BYTES } from '../model/change.ts';

interface Range {
  readonly from: number;
  readonly to: number;
}

/** `overwrite-in-place` */
export function* overwritesInPlace(context: AuditContext): Generator<AuditCase> {
  const { trace, life } = context;
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
    if (!isLive(context, file, operation, range) || hasLog(context, file, operation)) continue;
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
  return life
    .changesOf(file)
    .some((later) => later > index && trace.operations[later]?.kind === 'write');
}

/** Whether the bytes lie in one piece that the disk writes as a whole. */
function isWhole({ times }: AuditContext, { from, to }: Range): boolean {
  const unit = times.model.tearBytes === 0 ? BLOCK_BYTES : times.model.tearBytes;
  return Math.floor(from / unit) === Math.floor((to - 1) / unit);
}

/** Whether durable bytes stand there: from the start of the recording, or written and synced since. */
function isLive(
  { trace, life, times }: AuditContext,
  file: InodeNumber,
  { start }: Operation,
  range: Range,
): boolean {
  let live = initialIsLive(trace, file, range);
  for (const index of life.changesOf(file)) {
    const operation = trace.operations[index];
    if (operation === undefined || operation.start >= start) break;
    if (operation.kind === 'truncate' && operation.size <= range.from) live = false;
    if (operation.kind !== 'write') continue;
    const overlaps =
      operation.offset < range.to && range.from < operation.offset + operation.length;
    if (overlaps && times.dataDurable(index) < start) live = true;
  }
  return live;
}

/** Zeros are room that was set aside. */
function initialIsLive(trace: Trace, file: InodeNumber, { from, to }: Range): boolean {
  const node = trace.initial.find(({ inode }) => inode === file);
  if (node?.node !== 'file') return false;
  const content = trace.contents.get(node.content) ?? new Uint8Array(0);
  return content.subarray(from, Math.min(to, content.byteLength)).some((byte) => byte !== 0);
}

/** Whether another file was written and became durable since this one was last durable: a journal, a log, a copy. */
function hasLog(
  { trace, life, times }: AuditContext,
  file: InodeNumber,
  { start }: Operation,
): boolean {
  let since = -1;
  for (const index of life.changesOf(file)) {
    const durable = times.dataDurable(index);
    if (durable < start) since = Math.max(since, durable);
  }
  return trace.operations.some((operation, index) => {
    if (operation.kind !== 'write' || operation.inode === file) return false;
    const durable = times.dataDurable(index);
    return operation.error === undefined && durable > since && durable < start;
  });
}
