/**
 * File contents of one crash space. Journalled data is what survived, in order; data that is written back by
 * itself is a size and, for each block below it, one outcome of the block's domain (`block-domain.ts`).
 */

import { assert } from '../../base/assert.ts';
import type { BlockEvent, BlockHistory, Change, FileHistory, FreedBlock } from '../model/change.ts';
import { BLOCK_BYTES } from '../model/change.ts';
import type { ChangeHistory } from '../model/split-trace.ts';
import type { BlockDomain, BlockOutcome } from './block-domain.ts';
import { blockDomain } from './block-domain.ts';
import type { BlockContent, ContentStore, FileContent } from './content-store.ts';

/** A block that was looked at and could have held several things. */
export interface DecidedBlock {
  readonly history: BlockHistory;
  /** What a reader could have seen, distinct below the file's size. */
  readonly outcomes: readonly BlockOutcome[];
  readonly outcome: BlockOutcome;
}

/**
 * A new block may show any of the distinct contents that were freed last, up to so many. Real allocators could hand
 * out older ones too; each only repeats the question whether recovery takes somebody's old bytes for its own.
 */
export const FREED_MAX = 8;

/** Lengths that a file can show of a block. */
const PLACES = BLOCK_BYTES + 1;

/** Outcomes of a block, cut to what the file shows of it, each once. */
interface ShownDomain {
  readonly outcomes: readonly BlockOutcome[];
  readonly contents: readonly BlockContent[];
}

/** Work that is the same for all crash points and runs over one history. */
export class SpaceCache {
  readonly store: ContentStore;
  /** False when some block had more outcomes than are told apart. */
  whole = true;
  readonly #domains = new Map<BlockHistory, Map<string, BlockDomain>>();
  readonly #freed = new Map<FreedBlock, BlockContent>();
  readonly #untouched = new Map<FileHistory, Map<number, Uint8Array>>();

  constructor(store: ContentStore) {
    this.store = store;
  }

  domain(history: BlockHistory, key: string, make: () => BlockDomain): readonly BlockOutcome[] {
    let domains = this.#domains.get(history);
    if (domains === undefined) this.#domains.set(history, (domains = new Map()));
    let domain = domains.get(key);
    if (domain === undefined) domains.set(key, (domain = make()));
    this.whole &&= domain.whole;
    return domain.outcomes;
  }

  /** What a freed block held. */
  freed(file: FileHistory, block: FreedBlock): BlockContent {
    let content = this.#freed.get(block);
    if (content === undefined) {
      const bytes = this.untouched(file, block.block * BLOCK_BYTES).slice();
      for (const event of file.blocks.get(block.block)?.events ?? []) {
        if (event.start < block.start) bytes.set(event.bytes, event.offset);
      }
      this.#freed.set(block, (content = this.store.block(bytes)));
    }
    return content;
  }

  /** A block of a file that was there when recording began, as it was then; zeros beyond its end. */
  untouched(file: FileHistory, from: number): Uint8Array {
    let blocks = this.#untouched.get(file);
    if (blocks === undefined) this.#untouched.set(file, (blocks = new Map()));
    let bytes = blocks.get(from);
    if (bytes === undefined) {
      bytes = padded(file.initialContent.subarray(from, from + BLOCK_BYTES));
      blocks.set(from, bytes);
    }
    return bytes;
  }
}

/** The choice of one block's content among several that a reader could see. */
export interface BlockChoice {
  readonly kind: 'block';
  readonly history: BlockHistory;
  readonly outcomes: readonly BlockOutcome[];
}

/** The choice of the order in which calls came that overlapped in time. */
export interface OrderChoice {
  readonly kind: 'order';
  readonly change: Change;
}

/** What contents ask of the space they belong to: a `CrashSpace`. */
export interface ContentSpace {
  readonly history: ChangeHistory;
  /** The power fails when everything up to this time has happened. */
  readonly position: number;
  survives(change: Change): boolean;
  ask(count: number, choice: BlockChoice | OrderChoice): number;
  /** Whether the stream can have come as far as calls that started at `time`. */
  mayReach(time: number): boolean;
  /** It has. REQUIRES: `mayReach(time)`. */
  require(time: number): void;
}

export class CrashContents {
  readonly #space: ContentSpace;
  readonly #cache: SpaceCache;
  readonly #decided = new Map<number, FileContent>();
  readonly #blocks = new Map<BlockHistory, DecidedBlock>();
  /** While contents are counted: the product of the outcomes of the blocks that were looked at. */
  #asked: bigint | null = null;
  // What follows does not depend on decisions and outlives them.
  readonly #shown = new Map<BlockHistory, Map<number, ShownDomain>>();
  readonly #whole = new Map<FileHistory, Map<number, BlockContent[]>>();

  constructor(space: ContentSpace, cache: SpaceCache) {
    this.#space = space;
    this.#cache = cache;
  }

  get decidedBlocks(): Iterable<DecidedBlock> {
    return this.#blocks.values();
  }

  clear(): void {
    this.#decided.clear();
    this.#blocks.clear();
  }

  of(file: FileHistory): FileContent {
    let content = this.#decided.get(file.inode);
    if (content === undefined) {
      const journalled = this.#space.history.model.data === 'stream';
      content = journalled ? this.#journalled(file) : this.#own(file);
      this.#decided.set(file.inode, content);
    }
    return content;
  }

  /** The product over the blocks below the size. */
  count(file: FileHistory): bigint {
    if (this.#space.history.model.data === 'stream') return 1n;
    this.#asked = 1n;
    this.#own(file);
    const count = this.#asked;
    this.#asked = null;
    return count;
  }

  /** What survived, in order. Asked from the last on, because in a stream it settles the others. */
  #journalled(file: FileHistory): FileContent {
    const kept: Change[] = [];
    for (let index = file.changes.length - 1; index >= 0; index--) {
      const change = file.changes[index];
      if (change !== undefined && this.#space.survives(change)) kept.push(change);
    }
    const inIssueOrder = kept.toReversed();
    const applied = this.#inSomeOrder(inIssueOrder);
    let known = this.#whole.get(file);
    if (known === undefined) this.#whole.set(file, (known = new Map()));
    // Survivors of a file are closed under its order, except among overlapping calls.
    const isPrefix = kept.length === 0 || kept[0]?.id === file.changes[kept.length - 1]?.id;
    const plain = isPrefix && applied === inIssueOrder;
    let parts = plain ? known.get(kept.length) : undefined;
    if (parts === undefined) {
      parts = this.#partsOf(contentAfter(file.initialContent, applied));
      if (plain) known.set(kept.length, parts);
    }
    return this.#cache.store.file(parts);
  }

  /** Calls that overlapped may have come in any order: each is asked before how many of them it came. */
  #inSomeOrder(changes: readonly Change[]): readonly Change[] {
    const collided = changes.some((change, index) =>
      changes.slice(0, index).some((one) => overlaps(one, change) && this.#collide(one, change)),
    );
    if (!collided) return changes;
    const order: Change[] = [];
    let moved = false;
    for (const change of changes) {
      const passable = order.length - 1 - order.findLastIndex((one) => !overlaps(one, change));
      const passed = passable === 0 ? 0 : this.#space.ask(passable + 1, { kind: 'order', change });
      moved ||= passed > 0;
      order.splice(order.length - passed, 0, change);
    }
    return moved ? order : changes;
  }

  /** Whether it shows which of the two came last. */
  #collide(a: Change, b: Change): boolean {
    if (a.block === null || b.block === null) return true;
    if (a.block.block !== b.block.block) return false;
    const { offset: startA, bytes: bytesA } = a.block;
    const { offset: startB, bytes: bytesB } = b.block;
    return startA < startB + bytesB.length && startB < startA + bytesA.length;
  }

  #partsOf(bytes: Uint8Array): BlockContent[] {
    const parts: BlockContent[] = [];
    for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
      parts.push(this.#cache.store.block(bytes.subarray(from, from + BLOCK_BYTES)));
    }
    return parts;
  }

  #own(file: FileHistory): FileContent {
    const sizeChange = this.#sizeChange(file);
    const size = sizeChange?.size?.bytes ?? file.initialContent.length;
    const parts: BlockContent[] = [];
    for (let from = 0; from < size; from += BLOCK_BYTES) {
      const length = Math.min(size - from, BLOCK_BYTES);
      const history = file.blocks.get(from / BLOCK_BYTES);
      if (history === undefined) {
        const bytes = this.#cache.untouched(file, from);
        parts.push(this.#cache.store.cut(bytes, length));
      } else parts.push(this.#block(history, sizeChange, length));
    }
    return this.#cache.store.file(parts);
  }

  /** The change that the file's size comes from; null for the size that it had at the start. */
  #sizeChange({ changes }: FileHistory): Change | null {
    let last: Change | null = null;
    let longest: Change | null = null;
    for (let index = changes.length - 1; index >= 0; index--) {
      const change = changes[index];
      if (change === undefined) continue;
      if (last === null || longest === null) {
        if (this.#space.survives(change)) last = longest = change;
      } else if (mayOutgrow(this.#space.history, change, last)) {
        const longer = (change.size?.bytes ?? 0) > (longest.size?.bytes ?? 0);
        if (longer && this.#space.survives(change)) longest = change;
      }
    }
    return longest;
  }

  #block(history: BlockHistory, sizeChange: Change | null, length: number): BlockContent {
    const { events } = history;
    let first = 0;
    let end = events.length;
    for (let index = end - 1; index >= 0; index--) {
      const event = events[index];
      if (event === undefined || event.start > this.#space.position) end = index;
      else if (event.kind === 'free') {
        const change = this.#space.history.changes[event.byChange];
        if (change !== undefined && this.#space.survives(change)) {
          first = index + 1;
          break;
        }
        end = index;
      }
    }
    const bound = this.#space.history.model.dataBeforeSize === 'none' ? null : sizeChange;
    const all = this.#shownDomain(history, first, end, bound, length);
    const domain = this.#space.history.model.dataNeedsStream ? this.#reachable(all) : all;
    let index = 0;
    if (domain.contents.length > 1) {
      const { outcomes } = domain;
      if (this.#asked !== null) this.#asked *= BigInt(outcomes.length);
      index = this.#space.ask(outcomes.length, { kind: 'block', history, outcomes });
      const outcome = outcomes[index];
      assert(outcome !== undefined, 'the chooser picks one of the outcomes');
      this.#blocks.set(history, { history, outcomes, outcome });
    }
    const needs = domain.outcomes[index]?.needs ?? -1;
    if (this.#space.history.model.dataNeedsStream) this.#space.require(needs);
    const content = domain.contents[index];
    assert(content !== undefined, 'a block can hold something');
    return content;
  }

  /** Copy on write: a block shows only if the stream had come as far as the write that made it. */
  #reachable(domain: ShownDomain): ShownDomain {
    const open = domain.outcomes.map(({ needs }) => this.#space.mayReach(needs));
    if (open.every(Boolean)) return domain;
    return {
      outcomes: domain.outcomes.filter((_, index) => open[index]),
      contents: domain.contents.filter((_, index) => open[index]),
    };
  }

  #shownDomain(
    history: BlockHistory,
    first: number,
    end: number,
    sizeChange: Change | null,
    length: number,
  ): ShownDomain {
    let domains = this.#shown.get(history);
    if (domains === undefined) this.#shown.set(history, (domains = new Map()));
    const { events } = history;
    const epoch = first * (events.length + 1) + end;
    const bound = (sizeChange?.id ?? -1) + 1;
    const key = (epoch * (this.#space.history.changes.length + 1) + bound) * PLACES + length;
    let domain = domains.get(key);
    if (domain === undefined) {
      const all = this.#domain(history, first, end, sizeChange);
      const shown = new Map<BlockContent, BlockOutcome>();
      for (const outcome of all) {
        const content = this.#cache.store.cut(outcome.bytes, length);
        const known = shown.get(content);
        if (known === undefined || outcome.needs < known.needs) shown.set(content, outcome);
      }
      domain = { outcomes: [...shown.values()], contents: [...shown.keys()] };
      domains.set(key, domain);
    }
    return domain;
  }

  #domain(
    history: BlockHistory,
    first: number,
    end: number,
    sizeChange: Change | null,
  ): readonly BlockOutcome[] {
    const issued = history.events.slice(first, end);
    const fresh = (first > 0 || history.initial === null) && !this.#isReserved(history);
    const floored = (event: BlockEvent): boolean => event.floorEnd <= this.#space.position;
    const required = (event: BlockEvent): boolean =>
      floored(event) ||
      this.#sizeRequires(event, history, sizeChange, fresh && event === issued[0]);
    const flags = issued.map((event) => (required(event) ? '1' : '0')).join('');
    const contents = fresh ? this.#freedContents() : [];
    const freed = contents.map(({ bytes }) => bytes);
    const freedIds = contents.map(({ id }) => id).join('+');
    const initial = first > 0 ? null : history.initial;
    return this.#cache.domain(history, `${first} ${end} ${flags} ${fresh} ${freedIds}`, () => {
      const view = { history, initial, events: issued, fresh, required, floored, freed };
      if (issued.length > 0) return blockDomain(view, this.#space.history.model);
      // A hole, or a block that nobody wrote to: there is nothing to lose.
      const bytes = padded(initial ?? new Uint8Array(0));
      return { outcomes: [{ kind: 'newest', bytes, needs: -1 }], whole: true };
    });
  }

  /** Blocks that fallocate gave and a sync made last read as zeros until something else is written. */
  #isReserved({ inode, block }: BlockHistory): boolean {
    const reserved = this.#space.history.files.get(inode)?.reserved ?? [];
    return reserved.some(({ from, to, byChange }) => {
      const change = this.#space.history.changes[byChange];
      const lasts = change !== undefined && change.floorEnd <= this.#space.position;
      return lasts && from <= block * BLOCK_BYTES && to > block * BLOCK_BYTES;
    });
  }

  /** `allocates`: the write is the one that made the file take a new block of the disk. */
  #sizeRequires(
    event: BlockEvent,
    history: BlockHistory,
    sizeChange: Change | null,
    allocates: boolean,
  ): boolean {
    const { dataBeforeSize } = this.#space.history.model;
    if (sizeChange?.size == null || sizeChange.order === 'free') return false;
    if (dataBeforeSize === 'all') return event.operation <= sizeChange.operation;
    if (dataBeforeSize === 'new-blocks') {
      return allocates && event.operation <= sizeChange.operation;
    }
    const lastBlock = Math.floor((sizeChange.size.bytes - 1) / BLOCK_BYTES);
    return lastBlock === history.block && event.operation === sizeChange.operation;
  }

  /** The distinct contents that were given back last before the crash, for models that show them. */
  #freedContents(): BlockContent[] {
    const { model, freed, files } = this.#space.history;
    if (!model.unwritten.includes('freed')) return [];
    const contents = new Set<BlockContent>();
    for (let index = freed.length - 1; index >= 0 && contents.size < FREED_MAX; index--) {
      const block = freed[index];
      const file = block === undefined ? undefined : files.get(block.inode);
      if (block === undefined || file === undefined) continue;
      if (block.start > this.#space.position) continue;
      contents.add(this.#cache.freed(file, block));
    }
    return [...contents];
  }
}

function padded(bytes: Uint8Array): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(bytes);
  return block;
}

/** Of writes that overlapped, the longest decides, in whichever order they came. */
export function mayOutgrow(history: ChangeHistory, earlier: Change, last: Change): boolean {
  const { operations } = history.trace;
  return (
    overlaps(earlier, last) &&
    operations[earlier.operation]?.kind === 'write' &&
    operations[last.operation]?.kind === 'write'
  );
}

/** Parts of one call do not overlap each other: they come one after the other. */
function overlaps(a: Change | undefined, b: Change): boolean {
  return a !== undefined && a.operation !== b.operation && a.end > b.start;
}

/** The bytes of a file after these changes, in this order. */
function contentAfter(initial: Uint8Array, changes: readonly Change[]): Uint8Array {
  let bytes = initial;
  for (const { size, block } of changes) {
    // A change with bytes never makes a file shorter, whatever came before it.
    const room = Math.max(bytes.length, size?.bytes ?? 0);
    const length = block === null ? (size?.bytes ?? bytes.length) : room;
    const next = new Uint8Array(length);
    next.set(bytes.subarray(0, length));
    if (block !== null) {
      const at = Math.min(block.block * BLOCK_BYTES + block.offset, length);
      next.set(block.bytes.subarray(0, length - at), at);
    }
    bytes = next;
  }
  return bytes;
}
