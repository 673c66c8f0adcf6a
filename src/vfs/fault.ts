/** Faults as data: which call fails, and how. What is done with them is in `fault-vfs.ts`. */

import type { SystemErrorCode } from './errno.ts';
import type { VfsCall, VfsCallName } from './vfs-call.ts';

/**
 * An error code; or `'short-write'`, a write that moves only some of its bytes; or `'failed-sync'`,
 * EIO from a file's sync.
 */
export type FaultKind = SystemErrorCode | 'short-write' | 'failed-sync';

/** Fails the `nth` call that matches, and the `times - 1` matching calls after it. */
export interface Fault {
  readonly kind: FaultKind;
  /** Default: the calls that `kind` can hit on Linux. */
  readonly calls?: readonly VfsCallName[];
  /** Default: every path. Both paths of a rename or link are tried. */
  readonly path?: RegExp;
  /** Only blocking calls, or only asynchronous ones. Default: both. */
  readonly blocking?: boolean;
  /** 1 is the first. Default 1. */
  readonly nth?: number;
  /** Default 1; Infinity: the fault stays. */
  readonly times?: number;
  /** Bytes that a short write moves. Default: half of them. */
  readonly bytes?: number;
}

const SYNCS: readonly VfsCallName[] = ['file.sync', 'file.datasync'];
const GROWS: readonly VfsCallName[] = [
  'mkdir',
  'symlink',
  'link',
  'rename',
  'file.write',
  'file.truncate',
  ...SYNCS,
  'directory.sync',
];
const OPENS: readonly VfsCallName[] = ['open', 'openDirectory', 'readDirectory'];

/** Whether `fault` is about calls like `call`; its count is the caller's. */
export function matches(fault: Fault, call: VfsCall): boolean {
  if (fault.blocking !== undefined && fault.blocking !== call.blocking) return false;
  if (fault.kind === 'short-write' && !canBeShort(fault, call)) return false;
  if (!(fault.calls === undefined ? isUsual(fault.kind, call) : fault.calls.includes(call.name))) {
    return false;
  }
  if (fault.path === undefined) return true;
  return fault.path.test(call.path) || (namesTwo(call) && fault.path.test(call.target ?? ''));
}

/** The error code that callers see; undefined for a short write. */
export function codeOf(kind: FaultKind): SystemErrorCode | undefined {
  if (kind === 'short-write') return undefined;
  return kind === 'failed-sync' ? 'EIO' : kind;
}

function isUsual(kind: FaultKind, call: VfsCall): boolean {
  switch (kind) {
    case 'short-write':
      return call.name === 'file.write';
    case 'failed-sync':
      return SYNCS.includes(call.name);
    case 'ENOSPC':
    case 'EDQUOT':
      return GROWS.includes(call.name) || (call.name === 'open' && call.options?.create === true);
    case 'EMFILE':
    case 'ENFILE':
      return OPENS.includes(call.name);
    case 'EINTR':
      // The contract lets it through only where repeating is not safe.
      return SYNCS.includes(call.name) || call.name === 'directory.sync';
    default:
      return true;
  }
}

/** A short write moves at least one byte and not all. */
function canBeShort(fault: Fault, call: VfsCall): boolean {
  const length = call.transfer?.length ?? 0;
  return call.name === 'file.write' && length > Math.max(1, fault.bytes ?? 1);
}

function namesTwo(call: VfsCall): boolean {
  return call.name === 'rename' || call.name === 'link';
}
