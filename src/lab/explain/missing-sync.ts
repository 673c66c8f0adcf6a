/**
 * Which sync would have kept what a crash took: for every lost change the weakest sync whose floor contains it
 * (`fdatasync` of its file for bytes and sizes, `fsync` for attributes, `fsync` of the directory for names),
 * right after the last call that it has to cover and before what contradicts the loss.
 */

import type { CrashSpace } from '../explore/crash-space.ts';
import type { CrashState } from '../explore/crash-state.ts';
import type { Change } from '../model/change.ts';
import type { ChangeHistory } from '../model/split-trace.ts';
import type { InodeNumber, Operation, Trace } from '../record/operation.ts';
import { ROOT_INODE } from '../record/operation.ts';
import type { SyncInsertion } from './insert-sync.ts';

/** A thing to sync and the operations whose loss the state shows. */
interface SyncSubject {
  readonly inode: InodeNumber;
  readonly scope: 'all' | 'data';
  readonly operations: readonly number[];
}

/** Operations whose effect the state lost, in order of time. */
export function lostOperations(history: ChangeHistory, state: CrashState): number[] {
  const operations = new Set<number>();
  for (const subject of lostSubjects(history, state)) {
    for (const operation of subject.operations) operations.add(operation);
  }
  return [...operations].toSorted((a, b) => a - b);
}

/** Syncs that would have kept something. Indexes are those of `history.trace`. */
export interface Proposals {
  /** One for each thing that lost something, as late as one sync can cover it. */
  readonly first: readonly SyncInsertion[];
  /** One after each call that was lost: for losses that show before the later ones were made. */
  readonly each: readonly SyncInsertion[];
}

export function proposeSyncs(
  history: ChangeHistory,
  state: CrashState,
  space: CrashSpace,
): Proposals {
  const limit = contradictionStart(history.trace, state.position);
  const first: SyncInsertion[] = [];
  const each: SyncInsertion[] = [];
  for (const { inode, scope, operations } of lostSubjects(history, state)) {
    const last = lastToCover(history, inode, Math.max(...operations), limit, space);
    if (last !== null)
      first.push({ inode, scope, after: last, path: pathAt(history, inode, last) });
    for (const after of operations) {
      if (history.trace.operations[after]?.end === null) continue;
      each.push({ inode, scope, after, path: pathAt(history, inode, after) });
    }
  }
  return { first, each };
}

/** What the thing was called when the operation was made. */
function pathAt(history: ChangeHistory, inode: InodeNumber, index: number): string {
  const operation = history.trace.operations[index];
  const named = operation !== undefined && 'inode' in operation && operation.inode === inode;
  return named && operation.path !== '' ? operation.path : pathOf(history, inode);
}

/** The start of the call whose happening makes the loss visible: the last one at the crash. */
function contradictionStart(trace: Trace, position: number): number {
  let start = Infinity;
  let latest = -1;
  for (const operation of trace.operations) {
    const time =
      operation.end !== null && operation.end <= position ? operation.end : operation.start;
    if (time <= position && time > latest) {
      latest = time;
      start = operation.start;
    }
  }
  return start;
}

function lostSubjects(history: ChangeHistory, state: CrashState): SyncSubject[] {
  const subjects = new Map<
    string,
    { inode: number; scope: 'all' | 'data'; operations: number[] }
  >();
  const add = (inode: number, scope: 'all' | 'data', operation: number): void => {
    const key = `${inode} ${scope}`;
    const known = subjects.get(key);
    if (known === undefined) subjects.set(key, { inode, scope, operations: [operation] });
    else known.operations.push(operation);
  };
  for (const id of state.lost) {
    const change = history.changes[id];
    if (change !== undefined) addLostChange(change, add);
  }
  for (const { inode, block } of state.blocks) {
    const events = history.files.get(inode)?.blocks.get(block)?.events ?? [];
    for (const event of events) {
      if (event.start > state.position || event.floorEnd <= state.position) continue;
      add(inode, 'data', event.operation);
    }
  }
  return [...subjects.values()];
}

function addLostChange(
  change: Change,
  add: (inode: number, scope: 'all' | 'data', operation: number) => void,
): void {
  const ofFile = change.size?.inode ?? change.block?.inode;
  if (ofFile !== undefined) add(ofFile, 'data', change.operation);
  if (change.attribute !== null) add(change.attribute.inode, 'all', change.operation);
  if (change.record !== null) add(change.record, 'all', change.operation);
  const directories = new Set(change.entries.map(({ directory }) => directory));
  for (const directory of directories) add(directory, 'all', change.operation);
}

/**
 * The last call on this inode that returned before the contradiction: one sync after it covers all of them.
 * For a directory it is the lost call itself, because later calls in it may be of another matter.
 */
function lastToCover(
  history: ChangeHistory,
  inode: InodeNumber,
  lastLost: number,
  limit: number,
  space: CrashSpace,
): number | null {
  const { operations } = history.trace;
  let last: number | null = null;
  operations.forEach((operation, index) => {
    if (
      operation.end === null ||
      operation.error !== undefined ||
      operation.start > space.position
    ) {
      return;
    }
    const covers = index === lastLost || (index > lastLost && changesFile(operation, inode));
    if (covers && (operation.end < limit || index === lastLost)) last = index;
  });
  return last;
}

function changesFile(operation: Operation, inode: InodeNumber): boolean {
  switch (operation.kind) {
    case 'write':
    case 'truncate':
    case 'allocate':
    case 'attribute':
      return operation.inode === inode;
    default:
      return false;
  }
}

/** A sync of the same thing that is there but does not cover the change. */
export function misplacedSync(trace: Trace, insertion: SyncInsertion): number | null {
  const after = trace.operations[insertion.after];
  const index = trace.operations.findIndex(
    (operation) =>
      operation.kind === 'sync' &&
      operation.inode === insertion.inode &&
      operation.error === undefined &&
      after !== undefined &&
      (operation.start > (after.end ?? Infinity) ||
        (operation.start > after.start && operation.start < (after.end ?? Infinity))),
  );
  return index < 0 ? null : index;
}

/** A name that the inode had at some time, relative to the root. */
export function pathOf(history: ChangeHistory, inode: InodeNumber): string {
  if (inode === ROOT_INODE) return '.';
  const parts: string[] = [];
  let current = inode;
  for (let depth = 0; depth < 64 && current !== ROOT_INODE; depth++) {
    const place = placeOf(history, current);
    if (place === null) return '(a file without a name)';
    parts.unshift(place.name);
    current = place.directory;
  }
  return parts.join('/');
}

function placeOf(
  history: ChangeHistory,
  inode: InodeNumber,
): { directory: InodeNumber; name: string } | null {
  for (const change of history.changes) {
    for (const { directory, name, inode: named } of change.entries) {
      if (named === inode) return { directory, name };
    }
  }
  for (const [directory, names] of history.initialEntries) {
    for (const [name, named] of names) if (named === inode) return { directory, name };
  }
  return null;
}
