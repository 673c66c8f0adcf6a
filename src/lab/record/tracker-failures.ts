/**
 * Calls that failed. They changed nothing; they are told where the failure is one of the disk or of rights (EIO,
 * ENOSPC, EACCES), for whoever asks whether the program cared, and not where a name was merely not found or taken.
 */

import type { Resolution } from './shadow-tree.ts';
import type { PathAt, SystemCall } from './system-call.ts';
import {
  lookUpPath,
  pathIn,
  type PendingCall,
  placeOfWrite,
  type TimelessOperation,
  type TrackerContext,
} from './tracker-context.ts';

type Inside = Extract<Resolution, { place: 'inside' }>;

/** What a call says of names and of its own arguments, and not of the disk. */
const ANSWERS: ReadonlySet<string> = new Set([
  'ENOENT',
  'EEXIST',
  'ENOTDIR',
  'EISDIR',
  'ENOTEMPTY',
  'ELOOP',
  'ENAMETOOLONG',
  'EXDEV',
  'EINVAL',
  'EBADF',
  'EFAULT',
  'ENOSYS',
  'EOPNOTSUPP',
  'ENOTSUP',
]);

/** The operation that failed, if it is one to tell. */
export function failedCall(
  tracker: TrackerContext,
  pending: PendingCall,
  error: string,
): TimelessOperation[] {
  const { call, file, process } = pending;
  if (call.call === 'close' && file !== undefined && error !== 'EBADF') {
    // Linux releases the descriptor also when close reports an error. @see close(2)
    if (process.get(call.fd) === file) process.remove(call.fd);
  }
  const named = ANSWERS.has(error) ? null : failedNameCall(tracker, pending, call);
  if (named !== null) return [{ ...named, error }];
  const told = failedFileCall(tracker, pending, error);
  return told === null ? [] : [{ ...told, error }];
}

function failedFileCall(
  tracker: TrackerContext,
  { call, file }: PendingCall,
  error: string,
): TimelessOperation | null {
  const node = file?.node;
  if (file === undefined || node == null || error === 'EBADF') return null;
  const { path } = file;
  const { inode } = node;
  if (call.call === 'sync') return { kind: 'sync', inode, scope: call.scope, path };
  // Writing to a directory fails, and says nothing about the disk.
  if (node.kind !== 'file') return null;
  switch (call.call) {
    case 'write': {
      const content = tracker.sink.addContent(call.data);
      const place = placeOfWrite(file, node, call);
      const length = call.data.byteLength;
      // A durable write writes to the cache, then syncs: with an I/O error it may be the sync that failed.
      const durable = error === 'EIO' ? (call.durable ?? file.durable) : 'none';
      return { kind: 'write', inode, ...place, length, content, durable, path };
    }
    case 'truncate':
      return { kind: 'truncate', inode, size: call.size, path };
    case 'close':
      return file.write ? { kind: 'close', inode, path } : null;
    case 'allocate': {
      const { mode, offset, length } = call;
      return { kind: 'allocate', inode, offset, length, mode, path };
    }
    default:
      return null;
  }
}

/** A change of names as it was asked for; null when it is none, or not of things that are there. */
function failedNameCall(
  tracker: TrackerContext,
  pending: PendingCall,
  call: SystemCall,
): TimelessOperation | null {
  const inside = (at: PathAt): Inside | null => {
    const found = lookUpPath(tracker, pending, at, false);
    return found.place === 'inside' ? found : null;
  };
  switch (call.call) {
    case 'open':
      return call.flags.create ? failedCreate(tracker, inside(call.at), 'file', call.mode) : null;
    case 'mkdir':
      return failedCreate(tracker, inside(call.at), 'directory', call.mode);
    case 'symlink': {
      const made = failedCreate(tracker, inside(call.at), 'symlink', 0o777);
      return made === null ? null : { ...made, target: call.target };
    }
    case 'unlink': {
      const found = inside(call.at);
      if (found?.node == null) return null;
      const { directory, name, node } = found;
      const path = pathIn(tracker, found);
      return { kind: 'unlink', directory: directory.inode, name, inode: node.inode, path };
    }
    case 'link': {
      const to = inside(call.to);
      const node = 'fd' in call.from ? pending.file?.node : inside(call.from)?.node;
      if (to === null || node == null) return null;
      const { directory, name } = to;
      const path = pathIn(tracker, to);
      return { kind: 'link', directory: directory.inode, name, inode: node.inode, path };
    }
    case 'rename': {
      const from = inside(call.from);
      const to = inside(call.to);
      if (from?.node == null || to === null) return null;
      return {
        kind: 'rename',
        fromDirectory: from.directory.inode,
        fromName: from.name,
        toDirectory: to.directory.inode,
        toName: to.name,
        inode: from.node.inode,
        replaced: to.node?.inode ?? null,
        path: pathIn(tracker, to),
      };
    }
    default:
      return null;
  }
}

/** The inode that it would have been: no other operation has its number. */
function failedCreate(
  tracker: TrackerContext,
  found: Inside | null,
  node: 'file' | 'directory' | 'symlink',
  mode: number,
): Extract<TimelessOperation, { kind: 'create' }> | null {
  if (found === null || found.node !== null) return null;
  const { inode } = tracker.tree.newFile();
  const { directory, name } = found;
  const path = pathIn(tracker, found);
  return { kind: 'create', directory: directory.inode, name, inode, node, mode, path };
}
