/** Syncs that cost more than they protect. Notes: a sync too many is slow, and never wrong. */

import type { Operation, SyncOperation, Trace } from '../record/operation.ts';
import { pathOf, successful, type AuditCase, type AuditContext } from './audit-context.ts';

/** `redundant-sync` */
export function* redundantSyncsAgain({ trace, times }: AuditContext): Generator<AuditCase> {
  const last = new Map<number, { readonly sync: SyncOperation; readonly index: number }>();
  for (const { operation, index } of successful(trace)) {
    if (operation.kind !== 'sync' || operation.end === null) continue;
    const before = last.get(operation.inode);
    last.set(operation.inode, { sync: operation, index });
    if (before?.sync.end == null || before.sync.end > operation.start) continue;
    const covers = before.sync.scope === 'all' || operation.scope === 'data';
    const { bytes, metadata } = times.effectOf(operation.end);
    if (!covers || bytes + metadata > 0 || guardsOther(trace, operation, index)) continue;
    yield {
      rule: 'redundant-sync',
      aspect: 'bytes',
      operation: index,
      other: before.index,
      message: `${pathOf(operation)} was synced before and did not change since; this sync can go`,
    };
  }
}

/** Whether another file is changed next: a sync in front of that is a barrier, and one more costs little. */
function guardsOther(trace: Trace, { inode }: SyncOperation, index: number): boolean {
  for (let at = index + 1; at < trace.operations.length; at++) {
    const next = trace.operations[at];
    if (next !== undefined && isChange(next)) return !('inode' in next && next.inode === inode);
  }
  return false;
}

function isChange({ kind, error }: Operation): boolean {
  if (error !== undefined) return false;
  return !['sync', 'sync-all', 'writeback', 'close', 'mark', 'unmodelled'].includes(kind);
}

/** `fsync-could-be-fdatasync` */
export function* fsyncsOfBytesAlone({ trace, life, times }: AuditContext): Generator<AuditCase> {
  for (const { operation, index } of successful(trace)) {
    if (operation.kind !== 'sync' || operation.scope !== 'all' || operation.end === null) continue;
    if (life.isDirectory(operation.inode)) continue;
    const { bytes, metadata } = times.effectOf(operation.end);
    if (bytes === 0 || metadata > 0) continue;
    yield {
      rule: 'fsync-could-be-fdatasync',
      aspect: 'bytes',
      operation: index,
      other: null,
      message: `only bytes in place had changed in ${pathOf(operation)}; fdatasync leaves its times out, and is cheaper`,
    };
  }
}
