/**
 * The changes and block events of a history by the inode that a sync looks at, so that a sync looks only at what no
 * earlier one has settled. What a sync covers is decided in `sync-floor.ts`; this only leaves out what cannot change.
 *
 * Settled: syncs are taken in the order of their starts, and a floor only sinks. What has a floor at or before the start
 * of a sync cannot be lowered by it, nor by any later one.
 */

import type { InodeNumber } from '../record/operation.ts';
import type { BlockEvent, Change } from './change.ts';
import type { ChangeHistory } from './split-trace.ts';

interface Timed {
  readonly start: number;
  readonly floorEnd: number;
}

/** Things in order of their starts, of which the settled ones at the front are looked at no more. */
class Pending<T extends Timed> {
  readonly #items: T[] = [];
  readonly #isSettled: (item: T, start: number) => boolean;
  #head = 0;

  constructor(isSettled: (item: T, start: number) => boolean) {
    this.#isSettled = isSettled;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** Calls `visit` with each that is not settled at `start`, in order, as long as it is `wanted`. @returns how many */
  visit(start: number, wanted: (item: T) => boolean, visit: (item: T) => void): number {
    const items = this.#items;
    const left: T[] = [];
    let at = this.#head;
    for (; at < items.length; at++) {
      const item = items[at];
      if (item === undefined || !wanted(item)) break;
      visit(item);
      if (!this.#isSettled(item, start)) left.push(item);
    }
    const visited = at - this.#head;
    this.#head = at - left.length;
    left.forEach((item, index) => (items[this.#head + index] = item));
    return visited;
  }
}

/** An event with the others of its block. */
interface PlacedEvent extends Timed {
  readonly events: readonly BlockEvent[];
  /** Its place among them. */
  readonly at: number;
}

export class FloorIndex {
  readonly #all = new Pending<Change>(isCovered);
  readonly #stream = new Pending<Change>(isCovered);
  readonly #own = new Map<InodeNumber, Pending<Change>>();
  readonly #within = new Map<InodeNumber, Pending<Change>>();
  /** All of them, in order: by whose content or attributes they are, by the directory, by what is named. */
  readonly #ownAll = new Map<InodeNumber, Change[]>();
  readonly #withinAll = new Map<InodeNumber, Change[]>();
  readonly #named = new Map<InodeNumber, Change[]>();
  readonly #events = new Map<InodeNumber, Pending<PlacedEvent>>();
  readonly #allEvents = new Pending<PlacedEvent>(isCovered);
  /** When an entry needs no other look by a sync of its directory. */
  readonly #isDone: (change: Change, start: number) => boolean;
  #visited = 0;

  constructor(history: ChangeHistory) {
    const waits = (change: Change): boolean =>
      change.aloneFrom === Infinity &&
      change.entries.some(({ directory }) => movesOut(history, change, directory));
    // A sync of a directory also ends the waiting of a removal for its move: it must have been there once.
    this.#isDone =
      history.model.rename === 'by-directory'
        ? (change, start) => isCovered(change, start) && !waits(change)
        : isCovered;
    for (const change of history.changes) this.#add(change);
    const all: PlacedEvent[] = [];
    for (const { inode, blocks } of history.files.values()) {
      const placed = [...blocks.values()].flatMap(({ events }) =>
        events.map((event, at) => placedEvent(event, events, at)),
      );
      const pending = new Pending<PlacedEvent>(isCovered);
      for (const one of placed.toSorted((a, b) => a.start - b.start)) pending.push(one);
      this.#events.set(inode, pending);
      for (const one of placed) all.push(one);
    }
    for (const one of all.toSorted((a, b) => a.start - b.start)) this.#allEvents.push(one);
  }

  /** Changes and events looked at so far: the work that was done. */
  get visited(): number {
    return this.#visited;
  }

  /** Those not settled that began by `start`: of anything. */
  visitAll(start: number, visit: (change: Change) => void): void {
    this.#visited += this.#all.visit(start, (change) => change.start <= start, visit);
  }

  /** As `visitAll`, of the content, size, attributes or record of one inode. */
  visitOwn(inode: InodeNumber, start: number, visit: (change: Change) => void): void {
    const pending = this.#own.get(inode);
    this.#visited += pending?.visit(start, (change) => change.start <= start, visit) ?? 0;
  }

  /** As `visitAll`, of the entries of one directory. */
  visitWithin(directory: InodeNumber, start: number, visit: (change: Change) => void): void {
    const pending = this.#within.get(directory);
    this.#visited += pending?.visit(start, (change) => change.start <= start, visit) ?? 0;
  }

  /** Those not settled in the stream with an id up to `idMax`. */
  visitStream(start: number, idMax: number, visit: (change: Change) => void): void {
    this.#visited += this.#stream.visit(start, ({ id }) => id <= idMax, visit);
  }

  /** The changes that give the inode a name, or put it into the table; few for any inode. */
  namesOf(inode: InodeNumber): readonly Change[] {
    const changes = this.#named.get(inode) ?? [];
    this.#visited += changes.length;
    return changes;
  }

  /** The last change that began by `start` and is `wanted`: of the inode itself, of entries in it, of its names. */
  last(inode: InodeNumber, start: number, wanted: (change: Change) => boolean): Change | null {
    let last: Change | null = null;
    for (const list of [this.#ownAll, this.#withinAll, this.#named]) {
      const found = this.#lastOf(list.get(inode) ?? [], start, wanted);
      if (found !== null && (last === null || found.id > last.id)) last = found;
    }
    return last;
  }

  /** The blocks of a file, or of all files, with events that are not settled and began by `start`, and the first of these. */
  blocksOf(inode: InodeNumber | 'all', start: number): Map<readonly BlockEvent[], number> {
    const blocks = new Map<readonly BlockEvent[], number>();
    const pending = inode === 'all' ? this.#allEvents : this.#events.get(inode);
    const wanted = (one: PlacedEvent): boolean => one.start <= start;
    const visit = ({ events, at }: PlacedEvent): void => {
      if (!blocks.has(events)) blocks.set(events, at);
    };
    this.#visited += pending?.visit(start, wanted, visit) ?? 0;
    return blocks;
  }

  #lastOf(
    list: readonly Change[],
    start: number,
    wanted: (change: Change) => boolean,
  ): Change | null {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((list[middle]?.start ?? Infinity) <= start) low = middle + 1;
      else high = middle;
    }
    for (let at = low - 1; at >= 0; at--) {
      const change = list[at];
      this.#visited += 1;
      if (change !== undefined && wanted(change)) return change;
    }
    return null;
  }

  #add(change: Change): void {
    this.#all.push(change);
    if (change.order === 'stream') this.#stream.push(change);
    const own = [change.size?.inode, change.block?.inode, change.attribute?.inode, change.record];
    for (const inode of new Set(own)) {
      if (inode === undefined || inode === null) continue;
      pendingOf(this.#own, inode, isCovered).push(change);
      listOf(this.#ownAll, inode).push(change);
    }
    for (const directory of new Set(change.entries.map((entry) => entry.directory))) {
      pendingOf(this.#within, directory, this.#isDone).push(change);
      listOf(this.#withinAll, directory).push(change);
    }
    const named = [...change.entries.map((entry) => entry.inode), change.record];
    for (const inode of new Set(named)) if (inode !== null) listOf(this.#named, inode).push(change);
  }
}

function isCovered({ floorEnd }: Timed, start: number): boolean {
  return floorEnd <= start;
}

/** Whether the change removes the old name of a file that was moved into another directory. */
export function movesOut(history: ChangeHistory, change: Change, directory: InodeNumber): boolean {
  const moved = history.changes[change.follows];
  return moved !== undefined && !moved.entries.some((entry) => entry.directory === directory);
}

function placedEvent(event: BlockEvent, events: readonly BlockEvent[], at: number): PlacedEvent {
  return {
    events,
    at,
    start: event.start,
    get floorEnd() {
      return event.floorEnd;
    },
  };
}

function pendingOf(
  lists: Map<InodeNumber, Pending<Change>>,
  inode: InodeNumber,
  isSettled: (change: Change, start: number) => boolean,
): Pending<Change> {
  let list = lists.get(inode);
  if (list === undefined) {
    list = new Pending<Change>(isSettled);
    lists.set(inode, list);
  }
  return list;
}

function listOf(lists: Map<InodeNumber, Change[]>, inode: InodeNumber): Change[] {
  let list = lists.get(inode);
  if (list === undefined) {
    list = [];
    lists.set(inode, list);
  }
  return list;
}
