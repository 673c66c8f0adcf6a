/**
 * What a returned sync puts out of danger, change by change: `floorEnd` becomes the time at which the first sync
 * that covers the change returned. A sync covers only what had returned before it was called.
 *
 * `'stream'` (ext4, XFS): syncing an inode commits the journal up to the last metadata change of that inode, so
 * everything that had entered the stream before comes along; what came later does so only by luck, which is no
 * floor. fdatasync looks at creation and size only: a rename or chmod of the file does not make it commit.
 * Other files' delayed sizes are not in the stream yet and are not covered.
 * @see fs/ext4/fsync.c and fs/jbd2 of Linux (i_sync_tid, i_datasync_tid); fs/xfs/xfs_file.c (xfs_fsync_seq)
 *
 * A failed sync covers nothing, and leaves the pages clean: what had been written to the file before is not
 * written again by a later sync, unless the same block is written to again.
 * @see Rebello et al., "Can Applications Recover from fsync Failures?", USENIX ATC 2020
 */

import type { InodeNumber, Operation } from '../record/operation.ts';
import type { BlockEvent, Change, Coming, EntryEffect } from './change.ts';
import { BLOCK_BYTES } from './change.ts';
import { FloorIndex, movesOut } from './floor-index.ts';
import { reachedCache, type ChangeHistory } from './split-trace.ts';

interface SyncEvent {
  readonly inode: InodeNumber;
  readonly scope: 'all' | 'data';
  readonly start: number;
  readonly end: number;
}

/**
 * Fills in every `floorEnd`.
 * @param changes an index of the history, for who wants to know how much was looked at
 * @returns the times at which a sync with a floor returned, ascending
 */
export function applyFloors(
  history: ChangeHistory,
  changes: FloorIndex = new FloorIndex(history),
): number[] {
  if (!history.model.syncIsDurable) return [];
  const times = new Set<number>();
  const gaveUp = new Set<BlockEvent>();
  const given = { history, changes, gaveUp };
  history.trace.operations.forEach((operation, index) => {
    if (operation.kind === 'sync' && operation.error !== undefined) {
      giveUp(history, operation.inode, operation.start, gaveUp);
    }
    if (reachedCache(operation)) giveUpWrite(history, index, gaveUp);
    const end = operation.end;
    if (end === null || operation.error !== undefined) return;
    if (operation.kind === 'sync') {
      const { inode, scope, start } = operation;
      coverSync(given, { inode, scope, start, end });
    } else if (operation.kind === 'sync-all') {
      coverAll(given, operation.start, end);
    } else if (operation.kind === 'write' && operation.durable !== 'none') {
      coverDurableWrite(given, operation, index, end);
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

/** What every sync needs to know. */
interface Given {
  readonly history: ChangeHistory;
  readonly changes: FloorIndex;
  readonly gaveUp: ReadonlySet<BlockEvent>;
}

function coverSync(given: Given, sync: SyncEvent): void {
  const { history, changes } = given;
  const { inode, scope, start, end } = sync;
  const isDirectory = history.nodes.get(inode)?.kind === 'directory';
  const { directorySyncBrings, fileSyncBrings } = history.model;
  coverBlocks(given, inode, start, end);
  changes.visitOwn(inode, start, (change) => {
    if (change.end >= start) return;
    const own = change.size?.inode === inode || change.block?.inode === inode;
    const attribute = scope === 'all' && change.attribute?.inode === inode;
    if (own || attribute || change.record === inode) lower(change, end);
  });
  if (isDirectory) {
    changes.visitWithin(inode, start, (change) => {
      if (change.end >= start) return;
      lower(change, end);
      // The removal of a moved file's old name, when this is the directory that it was moved out of.
      if (history.model.rename === 'by-directory' && movesOut(history, change, inode)) {
        change.aloneFrom = Math.min(change.aloneFrom, start);
      }
    });
  }
  const ofFile = fileSyncBrings === 'names-by-fsync' ? namesBy(scope) : fileSyncBrings;
  const ofDirectory = directorySyncBrings === 'entries-and-names' ? 'names' : directorySyncBrings;
  const brings = isDirectory ? ofDirectory : ofFile;
  if (brings === 'everything') coverAll(given, start, end);
  if (brings === 'names' || brings === 'creation') coverNames(given, sync, brings);
  if (brings === 'stream') {
    coverStream(given, lastMetadataChange(given, sync, isDirectory), start, end);
  }
}

/** A datasync looks at creation and size only: a later name of the file is not its business. */
function namesBy(scope: 'all' | 'data'): 'names' | 'creation' {
  return scope === 'all' ? 'names' : 'creation';
}

/** The names of the inode, and of the new directories above them, with what these names lead to. */
function coverNames(
  given: Given,
  { inode, start, end }: SyncEvent,
  which: 'names' | 'creation',
): void {
  const { history, changes } = given;
  for (const change of changes.namesOf(inode)) {
    if (change.end >= start || change.floorEnd <= end) continue;
    if (change.record === inode) lower(change, end);
    const entry = change.entries.find((effect) => effect.inode === inode);
    if (entry === undefined) continue;
    const made = history.trace.operations[change.operation]?.kind === 'create';
    if (which === 'creation' && !made) continue;
    lower(change, end);
    coverNames(given, { inode: entry.directory, scope: 'all', start, end }, 'creation');
    if (which === 'names') coverDisplaced(given, entry, start, end);
  }
}

/**
 * A name that comes along, and that was another inode's on the disk, brings that inode too, or replay of the log would
 * leave it without a name: what took the name from it, and what had named it in that directory before. What was done
 * with it after that may be lost, because a commit in between leaves nothing for the log to do.
 *
 * @see btrfs_check_ref_name_override and log_conflicting_inodes in fs/btrfs/tree-log.c of Linux; xfstests generic/342
 */
function coverDisplaced(
  given: Given,
  { directory, name, inode }: EntryEffect,
  start: number,
  end: number,
): void {
  const { history } = given;
  const changes = history.entryChanges.get(directory)?.get(name) ?? [];
  const effectOn = (change: Change): InodeNumber | null =>
    change.entries.find((effect) => effect.directory === directory && effect.name === name)
      ?.inode ?? null;
  const durable = changes.findLastIndex(({ floorEnd }) => floorEnd <= start);
  const before = changes[durable];
  const holder =
    before === undefined
      ? (history.initialEntries.get(directory)?.get(name) ?? null)
      : effectOn(before);
  if (holder === null || holder === inode) return;
  const taken = changes[durable + 1];
  if (taken === undefined) return;
  for (const change of given.changes.namesOf(holder)) {
    if (change.operation > taken.operation || change.end >= start) continue;
    if (change.floorEnd <= end) continue;
    const named = change.entries.find(
      (effect) => effect.directory === directory && effect.inode === holder,
    );
    if (named === undefined) continue;
    lower(change, end);
    coverDisplaced(given, named, start, end);
  }
}

/** The last change that makes this sync commit the journal, or null when there is none. */
function lastMetadataChange(
  { history, changes }: Given,
  sync: SyncEvent,
  isDirectory: boolean,
): Change | null {
  return changes.last(sync.inode, sync.start, (change) => {
    if (change.end >= sync.start || !concerns(change, sync.inode, sync.scope)) return false;
    // A new name for an old file changes nothing that fdatasync of the file looks at.
    const onlyNamed = change.entries.length > 0 && !isDirectory && sync.scope === 'data';
    return !onlyNamed || history.trace.operations[change.operation]?.kind === 'create';
  });
}

/** The stream up to and with `last`: whatever had returned before `last` was called. */
function coverStream({ changes }: Given, last: Change | null, start: number, end: number): void {
  if (last === null) return;
  lower(last, end);
  changes.visitStream(start, last.id, (change) => {
    const sameCall = change.operation === last.operation && change.id < last.id;
    if (change.end < last.start || sameCall) lower(change, end);
  });
}

function coverAll(given: Given, start: number, end: number): void {
  given.changes.visitAll(start, (change) => {
    if (change.end < start) lower(change, end);
  });
  coverBlocks(given, 'all', start, end);
}

function coverBlocks(
  { changes, gaveUp }: Given,
  inode: InodeNumber | 'all',
  start: number,
  end: number,
): void {
  for (const [events, first] of changes.blocksOf(inode, start)) {
    // A page is written as a whole: one dirty event takes the given-up ones before it along.
    let dirty = -1;
    for (let index = first; (events[index]?.start ?? Infinity) < start; index++) {
      const event = events[index];
      if (event !== undefined && event.end < start && !gaveUp.has(event)) dirty = index;
    }
    for (let index = first; index <= dirty; index++) {
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
  given: Given,
  operation: Extract<Operation, { kind: 'write' }>,
  index: number,
  end: number,
): void {
  const { history, changes } = given;
  const { inode, offset, length, durable } = operation;
  const settled = history.order.settled.get(index);
  const start = settled?.start ?? operation.start;
  const isEarlier = (one: Coming): boolean =>
    one.end < start || settled?.after.includes(one.operation) === true;
  for (const [events, first] of changes.blocksOf(inode, start)) {
    // A page is written as a whole, with what other calls had left in it.
    let own = -1;
    for (let at = first; (events[at]?.start ?? Infinity) <= start; at++) {
      if (events[at]?.operation === index) own = at;
    }
    for (const event of events.slice(first, own + 1)) {
      if (event.operation === index || isEarlier(event)) lower(event, end);
    }
  }
  const reach = Math.ceil((offset + length) / BLOCK_BYTES) * BLOCK_BYTES;
  const isBrought = (change: Change): boolean => {
    if (change.operation !== index && !isEarlier(change)) return false;
    const sized =
      change.size?.inode === inode && (change.order !== 'late' || change.size.bytes <= reach);
    const attribute = durable === 'all' && change.attribute?.inode === inode;
    return sized || attribute || change.operation === index || change.record === inode;
  };
  changes.visitOwn(inode, start, (change) => {
    if (isBrought(change)) lower(change, end);
  });
  const { fileSyncBrings } = history.model;
  const brings = fileSyncBrings === 'names-by-fsync' ? namesBy('data') : fileSyncBrings;
  if (brings === 'everything') coverAll(given, start, end);
  if (brings === 'stream') coverStream(given, changes.last(inode, start, isBrought), start, end);
  if (brings === 'names' || brings === 'creation') {
    coverNames(given, { inode, scope: 'all', start, end }, brings);
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
