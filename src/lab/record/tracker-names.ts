/**
 * What each call that changes names means for the shadow tree, and which operations it was: mkdir, unlink,
 * rmdir, symlink, link, rename. Names that come into the root from outside bring content that nobody recorded.
 */

import type { Resolution, ShadowDirectory, ShadowNode } from './shadow-tree.ts';
import type { SystemCall } from './system-call.ts';
import {
  adopt,
  lookUpPath,
  pathIn,
  type PendingCall,
  type TimelessOperation,
  type TrackerContext,
} from './tracker-context.ts';

type Call<Name extends SystemCall['call']> = Extract<SystemCall, { call: Name }>;
type Inside = Extract<Resolution, { place: 'inside' }>;

export function applyNameCall(
  tracker: TrackerContext,
  pending: PendingCall,
  call: Call<'mkdir' | 'unlink' | 'symlink' | 'link' | 'rename'>,
): TimelessOperation[] {
  switch (call.call) {
    case 'mkdir':
      return call.recursive === true
        ? makeChain(tracker, pending, call)
        : create(tracker, pending, call, tracker.tree.newDirectory(), call.mode);
    case 'symlink':
      return create(tracker, pending, call, tracker.tree.newSymlink(call.target), 0o777);
    case 'unlink':
      return unlink(tracker, pending, call);
    case 'link':
      return link(tracker, pending, call);
    case 'rename':
      return rename(tracker, pending, call);
  }
}

function createOperation(
  tracker: TrackerContext,
  found: Inside,
  node: ShadowNode,
  mode: number,
): TimelessOperation {
  tracker.tree.attach(found.directory, found.name, node);
  return {
    kind: 'create',
    directory: found.directory.inode,
    name: found.name,
    inode: node.inode,
    node: node.kind,
    mode,
    ...(node.kind === 'symlink' ? { target: node.target } : {}),
    path: pathIn(tracker, found),
  };
}

/** Something that the caller believes impossible happened: a change was missed. */
function missed(found: Resolution, tracker: TrackerContext): TimelessOperation[] {
  if (found.place === 'outside') {
    tracker.ignoredOutside += 1;
    return [];
  }
  let path = '.';
  if (found.place === 'inside') path = pathIn(tracker, found);
  if (found.place === 'nowhere') path = found.missing;
  return [{ kind: 'unmodelled', what: `a change that was not recorded: ${path}`, path }];
}

/** mkdir and symlink: a name that was not there. */
function create(
  tracker: TrackerContext,
  pending: PendingCall,
  call: Call<'mkdir' | 'symlink'>,
  node: ShadowNode,
  mode: number,
): TimelessOperation[] {
  const found = lookUpPath(tracker, pending, call.at, false);
  if (found.place !== 'inside' || found.node !== null) return missed(found, tracker);
  return [createOperation(tracker, found, node, mode)];
}

function makeChain(
  tracker: TrackerContext,
  pending: PendingCall,
  call: Call<'mkdir'>,
): TimelessOperation[] {
  const operations: TimelessOperation[] = [];
  const parts = call.at.path.split('/').filter((part) => part !== '' && part !== '.');
  let path = call.at.path.startsWith('/') ? '/' : '';
  let outside = false;
  for (const part of parts) {
    path += `${part}/`;
    const found = lookUpPath(tracker, pending, { ...call.at, path }, true);
    outside = found.place === 'outside';
    if (found.place === 'nowhere') return [...operations, ...missed(found, tracker)];
    if (found.place !== 'inside' || found.node !== null) continue;
    operations.push(createOperation(tracker, found, tracker.tree.newDirectory(), call.mode));
  }
  if (outside) tracker.ignoredOutside += 1;
  return operations;
}

function unlink(
  tracker: TrackerContext,
  pending: PendingCall,
  call: Call<'unlink'>,
): TimelessOperation[] {
  const found = lookUpPath(tracker, pending, call.at, false);
  if (found.place !== 'inside' || found.node === null) return missed(found, tracker);
  const path = pathIn(tracker, found);
  tracker.tree.detach(found.directory, found.name);
  return [
    {
      kind: 'unlink',
      directory: found.directory.inode,
      name: found.name,
      inode: found.node.inode,
      path,
    },
  ];
}

function link(
  tracker: TrackerContext,
  pending: PendingCall,
  call: Call<'link'>,
): TimelessOperation[] {
  const to = lookUpPath(tracker, pending, call.to, false);
  const source = linkSource(tracker, pending, call);
  if (to.place !== 'inside') {
    if (to.place === 'outside' && source.node !== null) {
      tracker.ignoredOutside += 1;
      const what = `a name outside the root for a file in it: ${source.path}`;
      return [{ kind: 'unmodelled', what, path: source.path }];
    }
    return missed(to, tracker);
  }
  if (to.node !== null) return missed(to, tracker);
  if (source.node === null) {
    return adopt(tracker, to, tracker.tree.newFile(), 'a file linked into the root from outside');
  }
  tracker.tree.attach(to.directory, to.name, source.node);
  return [
    ...source.operations,
    {
      kind: 'link',
      directory: to.directory.inode,
      name: to.name,
      inode: source.node.inode,
      path: pathIn(tracker, to),
    },
  ];
}

interface LinkSource {
  readonly node: ShadowNode | null;
  readonly path: string;
  readonly operations: readonly TimelessOperation[];
}

function linkSource(tracker: TrackerContext, pending: PendingCall, call: Call<'link'>): LinkSource {
  const operations: readonly TimelessOperation[] = [];
  if ('fd' in call.from) {
    const node = pending.file?.node ?? null;
    return { node, path: pending.file?.path ?? '', operations };
  }
  const found = lookUpPath(tracker, pending, call.from, call.follow === true);
  if (found.place !== 'inside') return { node: null, path: call.from.path, operations };
  const path = pathIn(tracker, found);
  if (found.node !== null) return { node: found.node, path, operations };
  const made = tracker.tree.newFile();
  return { node: made, path, operations: adopt(tracker, found, made) };
}

function rename(
  tracker: TrackerContext,
  pending: PendingCall,
  call: Call<'rename'>,
): TimelessOperation[] {
  const from = lookUpPath(tracker, pending, call.from, false);
  const to = lookUpPath(tracker, pending, call.to, false);
  if (from.place !== 'inside') {
    if (from.place !== 'outside' || to.place !== 'inside') return missed(from, tracker);
    const what = 'a file renamed into the root from outside';
    return adopt(tracker, to, tracker.tree.newFile(), what);
  }
  const operations: TimelessOperation[] = [];
  let node = from.node;
  if (node === null) {
    node = tracker.tree.newFile();
    operations.push(...adopt(tracker, from, node));
  }
  if (to.place === 'outside') return [...operations, ...moveOut(tracker, from, node)];
  if (to.place !== 'inside') return [...operations, ...missed(to, tracker)];
  // Two names of one file: rename(2) does nothing and succeeds.
  if (to.node === node) return operations;
  if (call.whiteout === true) {
    const path = pathIn(tracker, from);
    operations.push({ kind: 'unmodelled', what: `a whiteout at the old name: ${path}`, path });
  }
  operations.push(renameOperation(tracker, { ...from, node }, to, call.exchange === true));
  return operations;
}

function renameOperation(
  tracker: TrackerContext,
  from: Inside & { readonly node: ShadowNode },
  to: Inside,
  exchange: boolean,
): TimelessOperation {
  const operation: TimelessOperation = {
    kind: 'rename',
    fromDirectory: from.directory.inode,
    fromName: from.name,
    toDirectory: to.directory.inode,
    toName: to.name,
    inode: from.node.inode,
    replaced: to.node?.inode ?? null,
    ...(exchange ? { exchange } : {}),
    path: pathIn(tracker, to),
  };
  const other = to.node;
  const { directory, name, node } = from;
  if (exchange && other !== null) {
    swap(directory, name, to.directory, to.name);
  } else {
    tracker.tree.detach(directory, name);
    tracker.tree.attach(to.directory, to.name, node);
  }
  return operation;
}

function swap(
  oneDirectory: ShadowDirectory,
  oneName: string,
  otherDirectory: ShadowDirectory,
  otherName: string,
): void {
  const one = oneDirectory.entries.get(oneName);
  const other = otherDirectory.entries.get(otherName);
  if (one === undefined || other === undefined) return;
  oneDirectory.entries.set(oneName, other);
  otherDirectory.entries.set(otherName, one);
  if (one.kind === 'directory') one.parent = otherDirectory;
  if (other.kind === 'directory') other.parent = oneDirectory;
}

/** For the root it is gone; a directory takes names with it that no operation can tell of. */
function moveOut(tracker: TrackerContext, from: Inside, node: ShadowNode): TimelessOperation[] {
  const path = pathIn(tracker, from);
  tracker.tree.detach(from.directory, from.name);
  const unlinked: TimelessOperation = {
    kind: 'unlink',
    directory: from.directory.inode,
    name: from.name,
    inode: node.inode,
    path,
  };
  if (node.kind !== 'directory') return [unlinked];
  const what = `a directory renamed out of the root: ${path}`;
  return [{ kind: 'unmodelled', what, path }, unlinked];
}
