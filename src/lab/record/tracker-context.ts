/**
 * What the parts of the namespace tracker share: the state that a call changes, a call under way, and an
 * operation that has no place in time yet. Types only, and the way from a path to a name in the root.
 */

import type { OpenFile, ProcessState } from './descriptor-table.ts';
import type { Operation, WriteOperation } from './operation.ts';
import type { Resolution, ShadowFile, ShadowNode, ShadowTree } from './shadow-tree.ts';
import type { PathAt, SystemCall, WriteCall } from './system-call.ts';
import type { TraceSink } from './trace-sink.ts';

/** An operation before it has its place in time. */
export type TimelessOperation = Operation extends infer One
  ? One extends Operation
    ? Omit<One, 'start' | 'end' | 'thread' | 'stack'>
    : never
  : never;

export interface CallOrigin {
  /** Which process; what `addProcess` or `fork` was given. */
  readonly process: number;
  /** As in `Operation.thread`. */
  readonly thread: number;
  /** As in `Operation.stack`. */
  readonly stack: number;
}

/** A call between its start and its end. */
export interface PendingCall {
  readonly call: SystemCall;
  readonly origin: CallOrigin;
  readonly process: ProcessState;
  readonly start: number;
  /** What the call's descriptor meant when it started: it may be closed, and used again, before the call ends. */
  readonly file: OpenFile | undefined;
}

export interface TrackerContext {
  readonly tree: ShadowTree;
  readonly sink: TraceSink;
  /** Changes outside the root that were seen and left out. */
  ignoredOutside: number;
}

/** Where a path leads for the process that named it. */
export function lookUpPath(
  tracker: TrackerContext,
  pending: PendingCall,
  at: PathAt,
  followLast: boolean,
): Resolution {
  const { process } = pending;
  if (at.directory === undefined || at.path.startsWith('/')) {
    return tracker.tree.resolve(process.directory.location, at.path, followLast);
  }
  const base = process.get(at.directory);
  if (base === undefined) return { place: 'outside', path: at.path };
  if (base.node === null) return tracker.tree.resolve(base.outsidePath, at.path, followLast);
  if (base.node.kind !== 'directory') return { place: 'nowhere', missing: at.path };
  return tracker.tree.resolve(base.node, at.path, followLast);
}

/** Where a write goes. On Linux a positioned one to an appending descriptor appends too. @see pwrite(2), BUGS */
export function placeOfWrite(
  file: OpenFile,
  node: ShadowFile,
  call: WriteCall,
): Pick<WriteOperation, 'offset' | 'append'> {
  if (call.append ?? file.append) return { offset: node.size, append: true };
  return { offset: call.position ?? file.offset };
}

/** For people: the path from the root. */
export function pathIn(
  tracker: TrackerContext,
  found: Extract<Resolution, { place: 'inside' }>,
): string {
  const directory = tracker.tree.pathOf(found.directory);
  return directory === '.' ? found.name : `${directory}/${found.name}`;
}

/**
 * A thing that a call proves to be there although no recorded call made it: some change was missed, which is
 * said, and the thing is taken in so that what follows can be told.
 */
export function adopt(
  tracker: TrackerContext,
  found: Extract<Resolution, { place: 'inside' }>,
  node: ShadowNode,
  what = 'a change that was not recorded',
): TimelessOperation[] {
  tracker.tree.attach(found.directory, found.name, node);
  const path = pathIn(tracker, found);
  return [
    { kind: 'unmodelled', what: `${what}: ${path}`, path },
    {
      kind: 'create',
      directory: found.directory.inode,
      name: found.name,
      inode: node.inode,
      node: node.kind,
      mode: node.kind === 'file' ? 0o644 : 0o755,
      ...(node.kind === 'symlink' ? { target: node.target } : {}),
      path,
    },
  ];
}
