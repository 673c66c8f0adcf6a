/**
 * Whether the parts of a trace fit together: every inode, content and stack that is named is there, the tree at
 * the start is a tree, and time is as the contract of `operation.ts` says. Single fields are checked before.
 */

import {
  ROOT_INODE,
  type InodeNumber,
  type NodeKind,
  type Operation,
  type Trace,
} from './operation.ts';

/** What is wrong, as a clause; null when all fits. */
export function checkTrace(trace: Trace): string | null {
  const kinds = new Map<InodeNumber, NodeKind>();
  return (
    checkInitial(trace, kinds) ??
    collectCreated(trace, kinds) ??
    checkTime(trace.operations) ??
    firstProblem(trace, kinds)
  );
}

function checkInitial(trace: Trace, kinds: Map<InodeNumber, NodeKind>): string | null {
  for (const inode of trace.initial) {
    if (kinds.has(inode.inode)) return `inode ${inode.inode} is told twice`;
    kinds.set(inode.inode, inode.node);
    if (inode.node === 'file' && !trace.contents.has(inode.content)) {
      return `the content of inode ${inode.inode} is missing`;
    }
  }
  if (kinds.get(ROOT_INODE) !== 'directory') return 'the root directory is missing';
  // Every directory but the root has exactly one name, so the tree has no circle reachable from the root.
  const held = new Set<InodeNumber>([ROOT_INODE]);
  for (const inode of trace.initial) {
    if (inode.node !== 'directory') continue;
    const names = new Set<string>();
    for (const [name, child] of inode.entries) {
      if (names.has(name)) return `directory ${inode.inode} has the name '${name}' twice`;
      names.add(name);
      const kind = kinds.get(child);
      if (kind === undefined) return `the name '${name}' leads to inode ${child}, which is missing`;
      if (kind !== 'directory') continue;
      if (held.has(child)) return `directory ${child} has two names`;
      held.add(child);
    }
  }
  return null;
}

function collectCreated(trace: Trace, kinds: Map<InodeNumber, NodeKind>): string | null {
  for (const operation of trace.operations) {
    if (operation.kind !== 'create') continue;
    if (kinds.has(operation.inode)) return `inode ${operation.inode} is created twice`;
    kinds.set(operation.inode, operation.node);
  }
  return null;
}

function checkTime(operations: readonly Operation[]): string | null {
  const seen = new Set<number>();
  for (const { start, end, kind } of operations) {
    if (end !== null && end <= start) return `a ${kind} ends at ${end} and starts at ${start}`;
    for (const time of end === null ? [start] : [start, end]) {
      if (seen.has(time)) return `two calls have the time ${time}`;
      seen.add(time);
    }
  }
  return null;
}

function firstProblem(trace: Trace, kinds: ReadonlyMap<InodeNumber, NodeKind>): string | null {
  for (const operation of trace.operations) {
    if (operation.stack >= trace.stacks.length) return `stack ${operation.stack} is missing`;
    const problem = checkReferences(trace, operation, kinds);
    if (problem !== null) return `${problem} (${operation.kind} at time ${operation.start})`;
  }
  return null;
}

function checkReferences(
  trace: Trace,
  operation: Operation,
  kinds: ReadonlyMap<InodeNumber, NodeKind>,
): string | null {
  const isDirectory = (inode: InodeNumber): string | null =>
    kinds.get(inode) === 'directory' ? null : `inode ${inode} is no directory`;
  const isFile = (inode: InodeNumber): string | null =>
    kinds.get(inode) === 'file' ? null : `inode ${inode} is no file`;
  const isThere = (inode: InodeNumber): string | null =>
    kinds.has(inode) ? null : `inode ${inode} is missing`;
  switch (operation.kind) {
    case 'create':
      return isDirectory(operation.directory);
    case 'link':
    case 'unlink':
      return isDirectory(operation.directory) ?? isThere(operation.inode);
    case 'rename': {
      const { fromDirectory, toDirectory, inode, replaced } = operation;
      const target = replaced === null ? null : isThere(replaced);
      return isDirectory(fromDirectory) ?? isDirectory(toDirectory) ?? isThere(inode) ?? target;
    }
    case 'write': {
      const content = trace.contents.get(operation.content);
      if (content === undefined) return `content ${operation.content} is missing`;
      if (content.byteLength !== operation.length) {
        return `a write of ${operation.length} bytes has a content of ${content.byteLength}`;
      }
      return isFile(operation.inode);
    }
    case 'truncate':
    case 'allocate':
      return isFile(operation.inode);
    case 'attribute':
    case 'sync':
    case 'writeback':
    case 'close':
      return isThere(operation.inode);
    case 'sync-all':
    case 'mark':
    case 'unmodelled':
      return null;
  }
}
