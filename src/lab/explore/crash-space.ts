/**
 * All states that one model allows at one crash point, decided piece by piece as somebody looks. Nothing is
 * enumerated here: a look at a directory entry, a size or a block asks the chooser for what is still open, and
 * the answer binds whatever the model's order ties to it. A walk over all answers of the chooser is a walk over
 * all states that differ in what was looked at.
 *
 * Order in two numbers. Of the changes in a stream, one that survives needs all that had returned before it was
 * called: `#keptFrom` is the latest start of a survivor, and what ended before it survives. One that is lost
 * takes along all that was called after it had returned: `#lostUpTo` is the earliest end of a lost one, and what
 * started after it is lost. An undecided change can always be decided either way.
 */

import { assert } from '../../base/assert.ts';
import type { InodeNumber } from '../record/operation.ts';
import type { Change, FileHistory } from '../model/change.ts';
import type { ChangeHistory } from '../model/split-trace.ts';
import type { BlockContent, FileContent } from './content-store.ts';
import type { BlockChoice, OrderChoice } from './content-space.ts';
import { CrashContents, type ContentMark, type DecidedBlock } from './crash-content.ts';
import { InodeSlots } from './inode-slots.ts';
import type { SpaceCache } from './space-cache.ts';
import { UndoMap } from './undo-map.ts';

/** What a choice is about: a change that survives (0) or is lost (1), an order, or a block's outcome. */
export type ChoiceSubject =
  { readonly kind: 'change'; readonly change: Change } | OrderChoice | BlockChoice;

/** Decides what the space leaves open. Option 0 always means: nothing lost here. */
export interface StateChooser {
  choose(count: number, subject: ChoiceSubject): number;
}

/** A place to go back to: see `CrashSpace.mark`. */
export interface SpaceMark {
  readonly decided: number;
  readonly keptFrom: number;
  readonly lostUpTo: number;
  readonly orders: number;
  readonly slots: number;
  readonly contents: ContentMark;
}

const OPEN = 0;
const SURVIVES = 1;
const LOST = 2;

export class CrashSpace {
  readonly history: ChangeHistory;
  /** The power fails when everything up to this time has happened. */
  readonly position: number;
  readonly #plainly: boolean;
  #chooser: StateChooser | null = null;
  readonly #status: Uint8Array;
  #decided: number[] = [];
  #keptFrom = -1;
  #lostUpTo = Infinity;
  /** By change and entry. */
  readonly #orders = new UndoMap<string, number>();
  readonly #contents: CrashContents;
  readonly #slots: InodeSlots;
  readonly #names = new Map<InodeNumber, readonly string[]>();

  /** @param plainly names that show nothing new are decided like any other: the walk is longer, not another. */
  constructor(history: ChangeHistory, position: number, cache: SpaceCache, plainly = false) {
    this.history = history;
    this.position = position;
    this.#plainly = plainly;
    this.#contents = new CrashContents(this, cache);
    this.#slots = new InodeSlots(this);
    this.#status = new Uint8Array(history.changes.length);
  }

  /** Forgets all decisions; the next looks ask this chooser. */
  begin(chooser: StateChooser): void {
    for (const id of this.#decided) this.#status[id] = OPEN;
    this.#decided = [];
    this.#keptFrom = -1;
    this.#lostUpTo = Infinity;
    this.#orders.clear();
    this.#contents.clear();
    this.#slots.clear();
    this.#chooser = chooser;
  }

  /** How far the decisions have come, to go back to. */
  mark(): SpaceMark {
    return {
      decided: this.#decided.length,
      keptFrom: this.#keptFrom,
      lostUpTo: this.#lostUpTo,
      orders: this.#orders.size,
      slots: this.#slots.mark(),
      contents: this.#contents.mark(),
    };
  }

  /** Forgets what was decided since. REQUIRES: no `begin` came between. */
  rewind(mark: SpaceMark): void {
    for (let id = this.#decided.pop(); id !== undefined; id = this.#decided.pop()) {
      if (this.#decided.length < mark.decided) {
        this.#decided.push(id);
        break;
      }
      this.#status[id] = OPEN;
    }
    this.#keptFrom = mark.keptFrom;
    this.#lostUpTo = mark.lostUpTo;
    this.#orders.rewind(mark.orders);
    this.#slots.rewind(mark.slots);
    this.#contents.rewind(mark.contents);
  }

  /** Blocks that were looked at and could have held several things. */
  get decidedBlocks(): Iterable<DecidedBlock> {
    return this.#contents.decidedBlocks;
  }

  /** True, false, or null while it is open. */
  known(change: Change): boolean | null {
    if (change.start > this.position) return false;
    if (change.floorEnd <= this.position) return true;
    const status = this.#status[change.id];
    if (status !== OPEN) return status === SURVIVES;
    if (change.order !== 'free') {
      if (change.start > this.#lostUpTo) return false;
      if (change.order === 'stream' && change.end < this.#keptFrom) return true;
    }
    const needed = this.#neededBy(change);
    if (needed !== undefined && this.known(needed) === false) return false;
    return null;
  }

  survives(change: Change): boolean {
    const known = this.known(change);
    if (known !== null) return known;
    const survives = this.ask(2, { kind: 'change', change }) === 0;
    this.decide(change, survives);
    return survives;
  }

  /** REQUIRES: `known(change)` is null. */
  decide(change: Change, survives: boolean): void {
    this.#status[change.id] = survives ? SURVIVES : LOST;
    this.#decided.push(change.id);
    if (!survives) {
      if (change.order === 'stream') this.#lostUpTo = Math.min(this.#lostUpTo, change.end);
      return;
    }
    if (change.order !== 'free') this.#keptFrom = Math.max(this.#keptFrom, change.start);
    const needed = this.#neededBy(change);
    if (needed !== undefined && this.known(needed) === null) this.decide(needed, true);
  }

  /** What `change` cannot survive without, here and now. */
  #neededBy(change: Change): Change | undefined {
    return change.aloneFrom <= this.position ? undefined : this.history.changes[change.follows];
  }

  /** Whether the stream can have come as far as calls that started at `time`. */
  mayReach(time: number): boolean {
    return time <= this.#lostUpTo;
  }

  /** The stream has come as far as calls that started at `time`. REQUIRES: `mayReach(time)`. */
  require(time: number): void {
    this.#keptFrom = Math.max(this.#keptFrom, time);
  }

  /** Every name that the directory has had, there now or not; always in the same order. */
  candidateNames(directory: InodeNumber): readonly string[] {
    let names = this.#names.get(directory);
    if (names === undefined) {
      const known = new Set<string>(this.history.initialEntries.get(directory)?.keys());
      for (const [name, changes] of this.history.entryChanges.get(directory) ?? []) {
        if (changes.some(({ start }) => start <= this.position)) known.add(name);
      }
      // Names that came last first: the target of a rename settles what its source can be.
      names = [...known].toReversed();
      this.#names.set(directory, names);
    }
    return names;
  }

  /** What the name leads to on the crashed disk; null when there is no such name. */
  entry(directory: InodeNumber, name: string): InodeNumber | null {
    const inode = this.#entry(directory, name);
    return inode === null ? null : this.#slots.shown(inode);
  }

  /** What the entry holds on the crashed disk. */
  #entry(directory: InodeNumber, name: string): InodeNumber | null {
    const changes = this.history.entryChanges.get(directory)?.get(name) ?? [];
    const initial = this.history.initialEntries.get(directory)?.get(name) ?? null;
    const offered: (InodeNumber | null)[] = [];
    for (let index = changes.length - 1; index >= 0; index--) {
      const change = changes[index];
      if (change === undefined) continue;
      const known = this.known(change);
      if (known === false) continue;
      if (known === null && !this.#plainly) {
        const value = effectOn(change, directory, name);
        // What was offered already by a change that binds nothing adds no disk: neither as the value of this
        // change, nor as the one that is left when this change, the last one open, is lost.
        if (change.order === 'free' && offered.includes(value)) {
          this.decide(change, false);
          continue;
        }
        if (offered.includes(initial) && this.#isLastOpen(changes, index)) {
          this.decide(change, true);
        }
        if (this.#isIndependent(change)) offered.push(value);
      }
      if (!this.survives(change)) continue;
      return effectOn(this.#lastInTime(changes, index, change, name), directory, name);
    }
    return initial;
  }

  /** Keeping it binds nothing else: no other entry, and nothing that is still open. */
  #isIndependent(change: Change): boolean {
    if (change.order !== 'free' || change.entries.length !== 1) return false;
    const needed = this.#neededBy(change);
    return needed === undefined || this.known(needed) === true;
  }

  /** Whether every earlier change of the entry is lost. */
  #isLastOpen(changes: readonly Change[], index: number): boolean {
    for (let earlier = index - 1; earlier >= 0; earlier--) {
      const change = changes[earlier];
      if (change !== undefined && this.known(change) !== false) return false;
    }
    return true;
  }

  /** Of changes that overlapped in time, any may have been the last. */
  #lastInTime(changes: readonly Change[], index: number, change: Change, name: string): Change {
    let rivals: Change[] | null = null;
    for (let earlier = index - 1; earlier >= 0; earlier--) {
      const rival = changes[earlier];
      // The parts of one call come one after the other.
      const overlaps = rival?.operation !== change.operation && (rival?.end ?? 0) > change.start;
      if (rival !== undefined && overlaps && this.survives(rival)) {
        (rivals ??= [change]).push(rival);
      }
    }
    if (rivals === null) return change;
    const directory = change.entries.find((effect) => effect.name === name)?.directory ?? 0;
    const entry = `${change.id} ${directory} ${name}`;
    let order = this.#orders.get(entry);
    if (order === undefined) {
      order = this.ask(rivals.length, { kind: 'order', change });
      this.#orders.add(entry, order);
    }
    return rivals[order] ?? change;
  }

  mode(inode: InodeNumber): number {
    const changes = this.history.attributeChanges.get(inode) ?? [];
    for (let index = changes.length - 1; index >= 0; index--) {
      const change = changes[index];
      if (change?.attribute?.field !== 'mode' || !this.survives(change)) continue;
      return Number.parseInt(change.attribute.value, 8);
    }
    return this.history.nodes.get(inode)?.mode ?? 0;
  }

  content(inode: InodeNumber): FileContent {
    return this.#contents.of(this.#file(inode));
  }

  /** Decides the size of a file and nothing else of it; null where its data is journalled with its size. */
  size(inode: InodeNumber): number | null {
    return this.#contents.sizeOf(this.#file(inode));
  }

  /** Decides one block of a file of which `size` is a number; it ends with the file. */
  block(inode: InodeNumber, block: number): BlockContent {
    return this.#contents.blockOf(this.#file(inode), block);
  }

  #file(inode: InodeNumber): FileHistory {
    const file = this.history.files.get(inode);
    assert(file !== undefined, `inode ${inode} is a file`);
    return file;
  }

  /** How many contents the file can have with the sizes and truncations decided so far; the newest if open. */
  contentCount(file: FileHistory): bigint {
    return this.#contents.count(file);
  }

  /** The chooser's answer. @internal for the parts of a space only. */
  ask(count: number, subject: ChoiceSubject): number {
    assert(this.#chooser !== null, 'begin() comes before the first look');
    return this.#chooser.choose(count, subject);
  }
}

function effectOn(change: Change, directory: InodeNumber, name: string): InodeNumber | null {
  const effect = change.entries.find(
    (entry) => entry.directory === directory && entry.name === name,
  );
  assert(effect !== undefined, 'a change listed under an entry has an effect on it');
  return effect.inode;
}
