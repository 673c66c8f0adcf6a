/**
 * What a returned sync puts out of danger, by looking at every change for every sync: slow, and plain to see. The
 * measure for `sync-floor.ts`, which says what the words mean.
 */

import type { InodeNumber, Operation } from '../../src/lab/record/operation.ts';
import { isBefore } from './plain-states.ts';
import type { BlockEvent, Change, EntryEffect } from '../../src/lab/model/change.ts';
import { BLOCK_BYTES } from '../../src/lab/model/change.ts';
import { reachedCache, type ChangeHistory } from '../../src/lab/model/split-trace.ts';

interface SyncEvent {
  readonly inode: InodeNumber;
  readonly scope: 'all' | 'data';
  readonly start: number;
  readonly end: number;
}

/** Fills in every `floorEnd`. @returns the times at which a sync with a floor returned, ascending. */
export function applyPlainFloors(history: ChangeHistory): number[] {
  if (!history.model.syncIsDurable) return [];
  const times = new Set<number>();
  const gaveUp = new Set<BlockEvent>();
  history.trace.operations.forEach((operation, index) => {
    if (operation.kind === 'sync' && operation.error !== undefined) {
      giveUp(history, operation.inode, operation.start, gaveUp);
    }
    if (reachedCache(operation)) giveUpWrite(history, index, gaveUp);
    const end = operation.end;
    if (end === null || operation.error !== undefined) return;
    if (operation.kind === 'sync') {
      const { inode, scope, start } = operation;
      coverSync(history, { inode, scope, start, end }, gaveUp);
    } else if (operation.kind === 'sync-all') {
      coverAll(history, operation.start, end, gaveUp);
    } else if (operation.kind === 'write' && operation.durable !== 'none') {
      coverDurableWrite(history, operation, index, end, gaveUp);
    } else return;
    times.add(end);
  });
  closeUnderFollows(history.changes);
  return [...times].toSorted((a, b) => a - b);
}

function lower(target: { floorEnd: number }, end: number): void {
  if (end < target.floorEnd) target.floorEnd = end;
}

/** Whether the change is of this inode's own metadata, as far as this kind of sync looks. */
function concerns(change: Change, inode: InodeNumber, scope: 'all' | 'data'): boolean {
  if (change.size?.inode === inode || change.block?.inode === inode) return true;
  if (scope === 'all' && change.attribute?.inode === inode) return true;
  return change.entries.some((entry) => entry.directory === inode || entry.inode === inode);
}

function coverSync(history: ChangeHistory, sync: SyncEvent, gaveUp: Set<BlockEvent>): void {
  const { inode, scope, start, end } = sync;
  const isDirectory = history.nodes.get(inode)?.kind === 'directory';
  const { directorySyncBrings, fileSyncBrings } = history.model;
  coverBlocks(history, inode, start, end, gaveUp);
  for (const change of history.changes) {
    if (change.end >= start) continue;
    const own = change.size?.inode === inode || change.block?.inode === inode;
    const attribute = scope === 'all' && change.attribute?.inode === inode;
    const entry = isDirectory && change.entries.some(({ directory }) => directory === inode);
    if (own || attribute || entry || change.record === inode) lower(change, end);
    const removes = entry && history.model.rename === 'by-directory';
    if (removes && movesOut(history, change, inode)) {
      change.aloneFrom = Math.min(change.aloneFrom, start);
    }
  }
  const ofFile = fileSyncBrings === 'names-by-fsync' ? namesBy(scope) : fileSyncBrings;
  const ofDirectory = directorySyncBrings === 'entries-and-names' ? 'names' : directorySyncBrings;
  const brings = isDirectory ? ofDirectory : ofFile;
  if (brings === 'everything') coverAll(history, start, end, gaveUp);
  if (brings === 'names' || brings === 'creation') coverNames(history, sync, brings);
  if (brings === 'stream') {
    coverStream(history, lastMetadataChange(history, sync, isDirectory), end);
  }
}

/** Whether the change removes the old name of a file that was moved into another directory. */
function movesOut(history: ChangeHistory, change: Change, directory: InodeNumber): boolean {
  const moved = history.changes[change.follows];
  return moved !== undefined && !moved.entries.some((entry) => entry.directory === directory);
}

/** A datasync looks at creation and size only: a later name of the file is not its business. */
function namesBy(scope: 'all' | 'data'): 'names' | 'creation' {
  return scope === 'all' ? 'names' : 'creation';
}

/** The names of the inode, and of the new directories above them, with what these names lead to. */
function coverNames(
  history: ChangeHistory,
  { inode, start, end }: SyncEvent,
  which: 'names' | 'creation',
): void {
  for (const change of history.changes) {
    if (change.end >= start || change.floorEnd <= end) continue;
    if (change.record === inode) lower(change, end);
    const entry = change.entries.find((effect) => effect.inode === inode);
    if (entry === undefined) continue;
    const made = history.trace.operations[change.operation]?.kind === 'create';
    if (which === 'creation' && !made) continue;
    lower(change, end);
    coverNames(history, { inode: entry.directory, scope: 'all', start, end }, 'creation');
    if (which === 'names') coverDisplaced(history, entry, start, end);
  }
}

/** A name that was another inode's on the disk brings that one, as it was named until the name was taken from it. */
function coverDisplaced(
  history: ChangeHistory,
  { directory, name, inode }: EntryEffect,
  start: number,
  end: number,
): void {
  const isOfName = (effect: EntryEffect): boolean =>
    effect.directory === directory && effect.name === name;
  const changes = history.changes.filter(({ entries }) => entries.some(isOfName));
  const durable = changes.findLastIndex(({ floorEnd }) => floorEnd <= start);
  const effect = changes[durable]?.entries.find(isOfName);
  const first = history.initialEntries.get(directory)?.get(name) ?? null;
  const holder = effect === undefined ? first : effect.inode;
  const taken = changes[durable + 1];
  if (holder === null || holder === inode || taken === undefined) return;
  for (const change of history.changes) {
    const named = change.entries.find(
      (other) => other.directory === directory && other.inode === holder,
    );
    if (named === undefined || change.operation > taken.operation) continue;
    if (change.end >= start || change.floorEnd <= end) continue;
    lower(change, end);
    coverDisplaced(history, named, start, end);
  }
}

/** The last change that makes this sync commit the journal, or null when there is none. */
function lastMetadataChange(
  history: ChangeHistory,
  sync: SyncEvent,
  isDirectory: boolean,
): Change | null {
  let last: Change | null = null;
  for (const change of history.changes) {
    if (change.end >= sync.start || !concerns(change, sync.inode, sync.scope)) continue;
    // A new name for an old file changes nothing that fdatasync of the file looks at.
    const onlyNamed = change.entries.length > 0 && !isDirectory && sync.scope === 'data';
    if (onlyNamed && history.trace.operations[change.operation]?.kind !== 'create') continue;
    last = change;
  }
  return last;
}

/** The stream up to and with `last`: whatever had returned before `last` was called. */
function coverStream(history: ChangeHistory, last: Change | null, end: number): void {
  if (last === null) return;
  lower(last, end);
  for (const change of history.changes) {
    const sameCall = change.operation === last.operation && change.id < last.id;
    if (change.order === 'stream' && (change.end < last.start || sameCall)) lower(change, end);
  }
}

function coverAll(
  history: ChangeHistory,
  start: number,
  end: number,
  gaveUp: Set<BlockEvent>,
): void {
  for (const change of history.changes) if (change.end < start) lower(change, end);
  for (const inode of history.files.keys()) coverBlocks(history, inode, start, end, gaveUp);
}

function coverBlocks(
  history: ChangeHistory,
  inode: InodeNumber,
  start: number,
  end: number,
  gaveUp: Set<BlockEvent>,
): void {
  const file = history.files.get(inode);
  if (file === undefined) return;
  for (const { events } of file.blocks.values()) {
    // A page is written as a whole: one dirty event takes the given-up ones before it along.
    const dirty = events.findLastIndex((event) => event.end < start && !gaveUp.has(event));
    for (let index = 0; index <= dirty; index++) {
      const event = events[index];
      if (event !== undefined && event.end < start) lower(event, end);
    }
  }
}

function giveUp(
  history: ChangeHistory,
  inode: InodeNumber,
  start: number,
  gaveUp: Set<BlockEvent>,
): void {
  const file = history.files.get(inode);
  if (file === undefined) return;
  for (const { events } of file.blocks.values()) {
    for (const event of events) {
      if (event.end < start && event.floorEnd > start) gaveUp.add(event);
    }
  }
}

/** A durable write whose sync failed: the pages that it touched are clean, with all that was dirty in them. */
function giveUpWrite(history: ChangeHistory, index: number, gaveUp: Set<BlockEvent>): void {
  for (const file of history.files.values()) {
    for (const { events } of file.blocks.values()) {
      const last = events.findLastIndex(({ operation }) => operation === index);
      for (const event of events.slice(0, last + 1)) {
        if (event.floorEnd === Infinity) gaveUp.add(event);
      }
    }
  }
}

/**
 * O_DSYNC and O_SYNC: the write's own bytes, and what it takes to find them again: its size, the sizes that earlier
 * calls gave the file up to there, the truncations that had given its blocks another place. O_SYNC also brings the
 * attributes. With the last of these comes the stream, as in an fsync.
 */
function coverDurableWrite(
  history: ChangeHistory,
  operation: Extract<Operation, { kind: 'write' }>,
  index: number,
  end: number,
  gaveUp: Set<BlockEvent>,
): void {
  const { inode, offset, length, durable } = operation;
  const start = history.order.settled.get(index)?.start ?? operation.start;
  const own = { operation: index, start, end };
  const isEarlier = (one: BlockEvent | Change): boolean => isBefore(one, own, history.trace);
  for (const { events } of history.files.get(inode)?.blocks.values() ?? []) {
    // A page is written as a whole, with what other calls had left in it.
    const last = events.findLastIndex(({ operation: from }) => from === index);
    for (const event of events.slice(0, last + 1)) {
      if (event.operation === index || isEarlier(event)) lower(event, end);
    }
  }
  const reach = Math.ceil((offset + length) / BLOCK_BYTES) * BLOCK_BYTES;
  let last: Change | null = null;
  for (const change of history.changes) {
    if (change.operation !== index && !isEarlier(change)) continue;
    const sized =
      change.size?.inode === inode && (change.order !== 'late' || change.size.bytes <= reach);
    const attribute = durable === 'all' && change.attribute?.inode === inode;
    const isOwn = change.operation === index || change.record === inode;
    if (!sized && !attribute && !isOwn) continue;
    lower(change, end);
    last = change;
  }
  const { fileSyncBrings } = history.model;
  const brings = fileSyncBrings === 'names-by-fsync' ? namesBy('data') : fileSyncBrings;
  if (brings === 'everything') coverAll(history, start, end, gaveUp);
  if (brings === 'stream') coverStream(history, last, end);
  if (brings === 'names' || brings === 'creation') {
    coverNames(history, { inode, scope: 'all', start, end }, brings);
  }
}

/** What a covered change needs is covered with it. */
function closeUnderFollows(changes: readonly Change[]): void {
  for (let index = changes.length - 1; index >= 0; index--) {
    const change = changes[index];
    if (change === undefined || change.aloneFrom !== Infinity) continue;
    const needed = changes[change.follows];
    if (needed !== undefined) lower(needed, change.floorEnd);
  }
}
