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
import type { BlockEvent, BlockHistory, Change, FileHistory } from '../model/change.ts';
import { BLOCK_BYTES } from '../model/change.ts';
import type { ChangeHistory } from '../model/split-trace.ts';
import type { BlockOutcome } from './block-domain.ts';
import { blockDomain } from './block-domain.ts';
import type { BlockContent, ContentStore, FileContent } from './content-store.ts';

/** What a choice is about: a change that survives (0) or is lost (1), an order, or a block's outcome. */
export type ChoiceSubject =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'order'; readonly change: Change }
  | {
      readonly kind: 'block';
      readonly history: BlockHistory;
      readonly outcomes: readonly BlockOutcome[];
    };

/** Decides what the space leaves open. Option 0 always means: nothing lost here. */
export interface StateChooser {
  choose(count: number, subject: ChoiceSubject): number;
}

const OPEN = 0;
const SURVIVES = 1;
const LOST = 2;

export interface DecidedBlock {
  readonly history: BlockHistory;
  readonly outcomes: readonly BlockOutcome[];
  readonly outcome: BlockOutcome;
}

/** Work that is the same for all crash points and runs over one history. */
export class SpaceCache {
  readonly store: ContentStore;
  readonly #domains = new Map<BlockHistory, Map<string, BlockOutcome[]>>();
  readonly #cut = new Map<Uint8Array, Map<number, BlockContent>>();
  readonly #untouched = new Map<FileHistory, Map<number, Uint8Array>>();

  constructor(store: ContentStore) {
    this.store = store;
  }

  domain(history: BlockHistory, key: string, make: () => BlockOutcome[]): BlockOutcome[] {
    let domains = this.#domains.get(history);
    if (domains === undefined) this.#domains.set(history, (domains = new Map()));
    let domain = domains.get(key);
    if (domain === undefined) domains.set(key, (domain = make()));
    return domain;
  }

  /** A block of a file that was there when recording began and was never written to. */
  untouched(file: FileHistory, from: number): Uint8Array {
    if (from >= file.initialContent.length) return ZERO_BLOCK;
    let blocks = this.#untouched.get(file);
    if (blocks === undefined) this.#untouched.set(file, (blocks = new Map()));
    let bytes = blocks.get(from);
    if (bytes === undefined) {
      bytes = padded(file.initialContent.subarray(from, from + BLOCK_BYTES));
      blocks.set(from, bytes);
    }
    return bytes;
  }

  /** The first `length` bytes of a block, interned. */
  cut(bytes: Uint8Array, length: number): BlockContent {
    let lengths = this.#cut.get(bytes);
    if (lengths === undefined) this.#cut.set(bytes, (lengths = new Map()));
    let content = lengths.get(length);
    if (content === undefined) {
      content = this.store.block(bytes.subarray(0, length));
      lengths.set(length, content);
    }
    return content;
  }
}

const ZERO_BLOCK = new Uint8Array(BLOCK_BYTES);

export class CrashSpace {
  readonly history: ChangeHistory;
  /** The power fails when everything up to this time has happened. */
  readonly position: number;
  readonly #cache: SpaceCache;
  #chooser: StateChooser | null = null;
  readonly #status: Uint8Array;
  #decided: number[] = [];
  #keptFrom = -1;
  #lostUpTo = Infinity;
  readonly #orders = new Map<Change, number>();
  readonly #contents = new Map<InodeNumber, FileContent>();
  readonly #blocks = new Map<BlockHistory, DecidedBlock>();

  constructor(history: ChangeHistory, position: number, cache: SpaceCache) {
    this.history = history;
    this.position = position;
    this.#cache = cache;
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
    this.#blocks.clear();
    this.#chooser = chooser;
  }

  /** Blocks that were looked at and could have held several things. */
  get decidedBlocks(): Iterable<DecidedBlock> {
    return this.#blocks.values();
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
    const needed = this.history.changes[change.follows];
    if (needed !== undefined && this.known(needed) === false) return false;
    return null;
  }

  survives(change: Change): boolean {
    const known = this.known(change);
    if (known !== null) return known;
    const survives = this.#ask(2, { kind: 'change', change }) === 0;
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
    const needed = this.history.changes[change.follows];
    if (needed !== undefined && this.known(needed) === null) this.decide(needed, true);
  }

  /** Every name that the directory has had, there now or not; always in the same order. */
  candidateNames(directory: InodeNumber): Iterable<string> {
    const names = new Set<string>(this.history.initialEntries.get(directory)?.keys());
    for (const name of this.history.entryChanges.get(directory)?.keys() ?? []) names.add(name);
    return names;
  }

  /** What the entry holds on the crashed disk; null when there is no such name. */
  entry(directory: InodeNumber, name: string): InodeNumber | null {
    const changes = this.history.entryChanges.get(directory)?.get(name) ?? [];
    for (let index = changes.length - 1; index >= 0; index--) {
      const change = changes[index];
      if (change === undefined || !this.survives(change)) continue;
      return effectOn(this.#lastInTime(changes, index, change), directory, name);
    }
    return this.history.initialEntries.get(directory)?.get(name) ?? null;
  }

  /** Of changes that overlapped in time, any may have been the last. */
  #lastInTime(changes: readonly Change[], index: number, change: Change): Change {
    const rivals: Change[] = [change];
    for (let earlier = index - 1; earlier >= 0; earlier--) {
      const rival = changes[earlier];
      if (rival !== undefined && rival.end > change.start && this.survives(rival)) {
        rivals.push(rival);
      }
    }
    if (rivals.length === 1) return change;
    let order = this.#orders.get(change);
    if (order === undefined) {
      order = this.#ask(rivals.length, { kind: 'order', change });
      this.#orders.set(change, order);
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
    let content = this.#contents.get(inode);
    if (content === undefined) {
      const file = this.history.files.get(inode);
      assert(file !== undefined, `inode ${inode} is a file`);
      const journalled = this.history.model.data === 'stream';
      content = journalled ? this.#journalledContent(file) : this.#ownContent(file);
      this.#contents.set(inode, content);
    }
    return content;
  }

  #ask(count: number, subject: ChoiceSubject): number {
    assert(this.#chooser !== null, 'begin() comes before the first look');
    return this.#chooser.choose(count, subject);
  }

  /** Data in the stream: what survived, in order. Asked from the last on, because it settles the others. */
  #journalledContent(file: FileHistory): FileContent {
    const kept: Change[] = [];
    for (let index = file.changes.length - 1; index >= 0; index--) {
      const change = file.changes[index];
      if (change !== undefined && this.survives(change)) kept.push(change);
    }
    kept.reverse();
    const bytes = contentAfter(file.initialContent, kept);
    const parts: BlockContent[] = [];
    for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
      parts.push(this.#cache.store.block(bytes.subarray(from, from + BLOCK_BYTES)));
    }
    return this.#cache.store.file(parts);
  }

  #ownContent(file: FileHistory): FileContent {
    let sizeChange: Change | null = null;
    for (let index = file.changes.length - 1; index >= 0; index--) {
      const change = file.changes[index];
      if (change === undefined || !this.survives(change)) continue;
      sizeChange = change;
      break;
    }
    const size = sizeChange?.size?.bytes ?? file.initialContent.length;
    const parts: BlockContent[] = [];
    for (let from = 0; from < size; from += BLOCK_BYTES) {
      const length = Math.min(size - from, BLOCK_BYTES);
      const history = file.blocks.get(from / BLOCK_BYTES);
      const bytes =
        history === undefined
          ? this.#cache.untouched(file, from)
          : this.#block(history, sizeChange).outcome.bytes;
      parts.push(this.#cache.cut(bytes, length));
    }
    return this.#cache.store.file(parts);
  }

  #block(history: BlockHistory, sizeChange: Change | null): DecidedBlock {
    const { events } = history;
    let first = 0;
    let end = events.findIndex((event) => event.start > this.position);
    if (end < 0) end = events.length;
    for (let index = end - 1; index >= 0; index--) {
      const event = events[index];
      if (event?.kind !== 'free') continue;
      const change = this.history.changes[event.byChange];
      if (change !== undefined && this.survives(change)) {
        first = index + 1;
        break;
      }
      end = index;
    }
    const issued = events.slice(first, end);
    const fresh = first > 0 || history.initial === null;
    const required = (event: BlockEvent): boolean =>
      event.floorEnd <= this.position || this.#sizeRequires(event, history, sizeChange);
    const flags = issued.map((event) => (required(event) ? '1' : '0')).join('');
    const freed = fresh ? this.#freedContents() : [];
    const key = `${first} ${end} ${flags} ${freed.length}`;
    const outcomes = this.#cache.domain(history, key, () => {
      const view = { history, events: issued, fresh, required, freed };
      if (issued.length > 0) return blockDomain(view, this.history.model);
      // A hole, or a block that nobody wrote to: there is nothing to lose.
      return [{ kind: 'newest', bytes: fresh ? ZERO_BLOCK : padded(history.initial) }];
    });
    const index =
      outcomes.length === 1 ? 0 : this.#ask(outcomes.length, { kind: 'block', history, outcomes });
    const outcome = outcomes[index];
    assert(outcome !== undefined, 'the chooser picks one of the outcomes');
    const decided = { history, outcomes, outcome };
    if (outcomes.length > 1) this.#blocks.set(history, decided);
    return decided;
  }

  #sizeRequires(event: BlockEvent, history: BlockHistory, sizeChange: Change | null): boolean {
    const { dataBeforeSize } = this.history.model;
    if (dataBeforeSize === 'none' || sizeChange === null) return false;
    if (sizeChange.order !== 'late' && sizeChange.order !== 'stream') return false;
    if (dataBeforeSize === 'all') return event.operation <= sizeChange.operation;
    const lastByte = (sizeChange.size?.bytes ?? 0) - 1;
    const bySize = Math.floor(lastByte / BLOCK_BYTES) === history.block;
    return bySize && event.operation === sizeChange.operation;
  }

  /** Contents that were given back before the crash, newest of each block, for models that show them. */
  #freedContents(): Uint8Array[] {
    if (!this.history.model.unwritten.includes('freed')) return [];
    const contents: Uint8Array[] = [];
    for (const { start, inode, block } of this.history.freed) {
      if (start > this.position) continue;
      const file = this.history.files.get(inode);
      const history = file?.blocks.get(block);
      const bytes = new Uint8Array(BLOCK_BYTES);
      if (history === undefined) {
        if (file !== undefined) bytes.set(this.#cache.untouched(file, block * BLOCK_BYTES));
      } else {
        if (history.initial !== null) bytes.set(history.initial);
        for (const event of history.events) {
          if (event.start < start) bytes.set(event.bytes, event.offset);
        }
      }
      contents.push(bytes);
    }
    return contents;
  }
}

function effectOn(change: Change, directory: InodeNumber, name: string): InodeNumber | null {
  const effect = change.entries.find(
    (entry) => entry.directory === directory && entry.name === name,
  );
  assert(effect !== undefined, 'a change listed under an entry has an effect on it');
  return effect.inode;
}

function padded(bytes: Uint8Array | null): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  if (bytes !== null) block.set(bytes);
  return block;
}

/** The bytes of a file after these changes, in order. */
function contentAfter(initial: Uint8Array, changes: readonly Change[]): Uint8Array {
  let bytes = initial;
  for (const { size, block } of changes) {
    const length = size?.bytes ?? bytes.length;
    const next = new Uint8Array(length);
    next.set(bytes.subarray(0, length));
    if (block !== null) next.set(block.bytes, block.block * BLOCK_BYTES + block.offset);
    bytes = next;
  }
  return bytes;
}
