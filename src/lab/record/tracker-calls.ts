/**
 * What each call that opens, writes or describes means for the shadow tree, and which operations it was.
 * Calls that change names are in `tracker-names.ts`, calls that failed in `tracker-failures.ts`.
 */

import type { OpenFile } from './descriptor-table.ts';
import type { Resolution, ShadowDirectory, ShadowFile, ShadowNode } from './shadow-tree.ts';
import type { CallResult, OpenCall, Place, WriteCall } from './system-call.ts';
import {
  adopt,
  lookUpPath,
  pathIn,
  type PendingCall,
  placeOfWrite,
  type TimelessOperation,
  type TrackerContext,
} from './tracker-context.ts';
import { failedCall } from './tracker-failures.ts';
import { applyNameCall } from './tracker-names.ts';

/** A call that ended well, or may have. */
export interface Success {
  /** null: it had not returned when recording ended, so what it would have returned is not known. */
  readonly value: number | null;
}

/** Changes the shadow tree as the call did and gives the operations that it was, in order. */
export function applyCall(
  tracker: TrackerContext,
  pending: PendingCall,
  result: CallResult,
): readonly TimelessOperation[] {
  if (result !== null && 'error' in result) return failedCall(tracker, pending, result.error);
  const success: Success = { value: result === null ? null : result.value };
  const { call, process, file } = pending;
  switch (call.call) {
    case 'open':
      return open(tracker, pending, call, success);
    case 'close':
      return close(pending, call.fd);
    case 'dup':
      return success.value === null ? [] : duplicate(pending, success.value, call.closeOnExec);
    case 'read':
      if (file !== undefined) file.offset += success.value ?? 0;
      return [];
    case 'seek':
      if (file !== undefined) file.offset = success.value ?? file.offset;
      return [];
    case 'set-append':
      if (file !== undefined) file.append = call.append;
      return [];
    case 'write':
      return write(tracker, pending, call, success.value ?? call.data.byteLength);
    case 'truncate':
    case 'attribute':
      return changeNode(tracker, pending, call);
    case 'allocate':
      return allocate(tracker, pending, call);
    case 'sync':
      if (file?.node == null) return [];
      return [{ kind: 'sync', inode: file.node.inode, scope: call.scope, path: file.path }];
    case 'writeback':
      return writeback(pending, call);
    case 'sync-all':
      return [{ kind: 'sync-all', path: '' }];
    case 'chdir': {
      const found = lookUp(tracker, pending, call.at, true);
      if (found.place === 'outside') process.directory.location = found.path;
      else if (found.place !== 'nowhere' && found.node?.kind === 'directory') {
        process.directory.location = found.node;
      }
      return [];
    }
    case 'mark':
      return [{ kind: 'mark', source: call.source, text: call.text, path: '' }];
    case 'unmodelled':
      return unmodelled(tracker, pending, call);
    case 'mkdir':
    case 'unlink':
    case 'symlink':
    case 'link':
    case 'rename':
      return applyNameCall(tracker, pending, call);
  }
}

function writeback(
  { file }: PendingCall,
  { offset, length }: Extract<PendingCall['call'], { call: 'writeback' }>,
): TimelessOperation[] {
  if (file?.node == null) return [];
  return [{ kind: 'writeback', inode: file.node.inode, offset, length, path: file.path }];
}

/** As `lookUpPath`; a descriptor leads to what it has open, under the name it was opened by. */
function lookUp(
  tracker: TrackerContext,
  pending: PendingCall,
  at: Place,
  followLast: boolean,
): Resolution | { place: 'open'; node: ShadowNode; path: string } {
  if (!('fd' in at)) return lookUpPath(tracker, pending, at, followLast);
  const file = pending.file;
  if (file === undefined) return { place: 'nowhere', missing: `descriptor ${at.fd}` };
  if (file.node === null) return { place: 'outside', path: file.outsidePath };
  return { place: 'open', node: file.node, path: file.path };
}

/** What an open made of a path, before a descriptor is given to it. */
interface Opened {
  readonly node: ShadowNode | null;
  readonly path: string;
  readonly operations: readonly TimelessOperation[];
}

function open(
  tracker: TrackerContext,
  pending: PendingCall,
  call: OpenCall,
  success: Success,
): readonly TimelessOperation[] {
  const { flags, at } = call;
  const followLast = !flags.noFollow && !(flags.create && flags.exclusive);
  const found = lookUpPath(tracker, pending, at, followLast);
  const opened = openFound(tracker, found, call, success);
  const fd = success.value;
  if (fd === null) return opened?.operations ?? [];
  if (opened === null) {
    // It succeeded on what the shadow does not have: only a missed change explains it.
    pending.process.remove(fd);
    const what = `a change that was not recorded: ${at.path}`;
    return [{ kind: 'unmodelled', what, path: at.path }];
  }
  const { node, path } = opened;
  const file: OpenFile = {
    node,
    outsidePath: found.place === 'outside' ? found.path : '',
    path,
    write: flags.write,
    append: flags.append,
    durable: flags.durable,
    offset: 0,
    references: 0,
  };
  pending.process.set(fd, file, flags.closeOnExec);
  return opened.operations;
}

/** null: the shadow tree has nothing there that could be opened. */
function openFound(
  tracker: TrackerContext,
  found: Resolution,
  call: OpenCall,
  success: Success,
): Opened | null {
  const { flags } = call;
  if (found.place === 'nowhere') return null;
  if (found.place === 'outside') {
    if (flags.create || flags.truncate) tracker.ignoredOutside += 1;
    return { node: null, path: found.path, operations: [] };
  }
  const path = found.place === 'root' ? '.' : pathIn(tracker, found);
  const { node } = found;
  if (flags.temporary) {
    if (node?.kind !== 'directory') return null;
    return createFile(tracker, node, null, call.mode, `${path}/(no name)`);
  }
  if (found.place === 'root') return { node, path, operations: [] };
  if (node === null) {
    if (flags.create) return createFile(tracker, found.directory, found.name, call.mode, path);
    // A pending open of a missing file most likely failed; nothing follows from it.
    if (success.value === null) return null;
    const adopted = tracker.tree.newFile();
    return { node: adopted, path, operations: adopt(tracker, found, adopted) };
  }
  if (!flags.truncate || node.kind !== 'file' || node.size === 0)
    return { node, path, operations: [] };
  node.size = 0;
  return { node, path, operations: [{ kind: 'truncate', inode: node.inode, size: 0, path }] };
}

function createFile(
  tracker: TrackerContext,
  directory: ShadowDirectory,
  name: string | null,
  mode: number,
  path: string,
): Opened {
  const node = tracker.tree.newFile();
  if (name !== null) tracker.tree.attach(directory, name, node);
  const { inode } = node;
  const create = { kind: 'create', directory: directory.inode, name, inode, node: 'file' } as const;
  return { node, path, operations: [{ ...create, mode, path }] };
}

function close({ process, file }: PendingCall, fd: number): TimelessOperation[] {
  if (file === undefined) return [];
  // Another open may have been given the number already; then the table let go of this file there.
  if (process.get(fd) === file) process.remove(fd);
  return lastClose(file);
}

/** What the new number meant before is closed by it. @see dup2(2) */
function duplicate(
  { process, file }: PendingCall,
  fd: number,
  closeOnExec: boolean,
): readonly TimelessOperation[] {
  if (process.get(fd) === file) return [];
  const before = file === undefined ? process.remove(fd) : process.set(fd, file, closeOnExec);
  return before === undefined ? [] : lastClose(before);
}

/** The close of a description, if this was its last descriptor. */
function lastClose({ references, write: canWrite, node, path }: OpenFile): TimelessOperation[] {
  if (references > 0 || !canWrite || node === null) return [];
  return [{ kind: 'close', inode: node.inode, path }];
}

/** The file that a descriptor has open for writing in the root; counts what goes elsewhere. */
function insideFile(tracker: TrackerContext, file: OpenFile | undefined): ShadowFile | null {
  if (file?.node?.kind === 'file') return file.node;
  if (file?.node === null) tracker.ignoredOutside += 1;
  return null;
}

function write(
  tracker: TrackerContext,
  { file }: PendingCall,
  call: WriteCall,
  length: number,
): TimelessOperation[] {
  const node = insideFile(tracker, file);
  if (file === undefined) return [];
  const place = node === null ? { offset: file.offset } : placeOfWrite(file, node, call);
  const { offset } = place;
  if (call.position === null) file.offset = offset + length;
  if (node === null || length === 0) return [];
  node.size = Math.max(node.size, offset + length);
  const content = tracker.sink.addContent(call.data.subarray(0, length));
  const durable = call.durable ?? file.durable;
  const { inode } = node;
  const asked = call.data.byteLength;
  const short = length < asked ? { asked } : {};
  const { path } = file;
  return [{ kind: 'write', inode, ...place, length, content, durable, ...short, path }];
}

function allocate(
  tracker: TrackerContext,
  { file }: PendingCall,
  call: Extract<PendingCall['call'], { call: 'allocate' }>,
): TimelessOperation[] {
  const node = insideFile(tracker, file);
  if (node === null || file === undefined) return [];
  const { mode, offset, length, keepSize } = call;
  const { path } = file;
  const one = { kind: 'allocate', inode: node.inode, path } as const;
  if (mode === 'zero-range' && keepSize === true && offset + length > node.size) {
    // Zeros as far as the file goes, and blocks in reserve behind it.
    const within = Math.max(0, node.size - offset);
    const behind = { offset: offset + within, length: length - within };
    const reserved: TimelessOperation = { ...one, ...behind, mode: 'keep-size' };
    return within === 0 ? [reserved] : [{ ...one, offset, length: within, mode }, reserved];
  }
  if (mode === 'extend' || mode === 'zero-range') {
    node.size = Math.max(node.size, offset + length);
  }
  return [{ ...one, offset, length, mode }];
}

function changeNode(
  tracker: TrackerContext,
  pending: PendingCall,
  call: Extract<PendingCall['call'], { call: 'truncate' | 'attribute' }>,
): TimelessOperation[] {
  const follow = call.call === 'truncate' || call.noFollow !== true;
  const found = lookUp(tracker, pending, call.at, follow);
  if (found.place === 'outside') tracker.ignoredOutside += 1;
  if (found.place === 'outside' || found.place === 'nowhere' || found.node === null) return [];
  const node = found.node;
  let path = '.';
  if (found.place === 'inside') path = pathIn(tracker, found);
  if (found.place === 'open') path = found.path;
  if (call.call === 'attribute') {
    return [{ kind: 'attribute', inode: node.inode, field: call.field, value: call.value, path }];
  }
  // A cut or extension to the size that the file has changes nothing.
  if (node.kind !== 'file' || node.size === call.size) return [];
  node.size = call.size;
  return [{ kind: 'truncate', inode: node.inode, size: call.size, path }];
}

function unmodelled(
  tracker: TrackerContext,
  pending: PendingCall,
  call: Extract<PendingCall['call'], { call: 'unmodelled' }>,
): TimelessOperation[] {
  if (call.at === undefined) return [{ kind: 'unmodelled', what: call.what, path: '' }];
  const found = lookUp(tracker, pending, call.at, true);
  if (found.place === 'outside' || found.place === 'nowhere') return [];
  let path = '.';
  if (found.place === 'inside') path = pathIn(tracker, found);
  if (found.place === 'open') path = found.path;
  return [{ kind: 'unmodelled', what: `${call.what}: ${path}`, path }];
}
