/**
 * File contents of one crash space. Journalled data is what survived, in order; data that is written back by
 * itself is a size and, for each block below it, one outcome of the block's domain (`block-domain.ts`).
 */

import { assert } from '../../base/assert.ts';
import type { BlockEvent, BlockHistory, Change, FileHistory } from '../model/change.ts';
import { BLOCK_BYTES } from '../model/change.ts';
import type { BlockOutcome } from './block-domain.ts';
import { blockDomain } from './block-domain.ts';
import type { ContentSpace } from './content-space.ts';
import type { BlockContent, FileContent } from './content-store.ts';
import { JournalledContents, mayOutgrow } from './journalled-content.ts';
import { padded, type SpaceCache } from './space-cache.ts';
import { UndoMap } from './undo-map.ts';

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

/** How much was decided: each a number of entries, in the order in which they came. */
export interface ContentMark {
  readonly decided: number;
  readonly blocks: number;
  readonly sizes: number;
  readonly shown: number;
}

export class CrashContents {
  readonly #space: ContentSpace;
  readonly #cache: SpaceCache;
  readonly #journalled: JournalledContents;
  readonly #decided = new UndoMap<number, FileContent>();
  readonly #blocks = new UndoMap<BlockHistory, DecidedBlock>();
  readonly #sizes = new UndoMap<FileHistory, Change | null>();
  readonly #shownBlocks = new UndoMap<BlockHistory, BlockContent>();
  /** While contents are counted: the product of the outcomes of the blocks that were looked at. */
  #asked: bigint | null = null;
  // What follows does not depend on decisions and outlives them.
  readonly #shown = new Map<BlockHistory, Map<number, ShownDomain>>();

  constructor(space: ContentSpace, cache: SpaceCache) {
    this.#space = space;
    this.#cache = cache;
    this.#journalled = new JournalledContents(space, cache.store);
  }

  get decidedBlocks(): Iterable<DecidedBlock> {
    return this.#blocks.values();
  }

  clear(): void {
    this.#decided.clear();
    this.#blocks.clear();
    this.#sizes.clear();
    this.#shownBlocks.clear();
  }

  mark(): ContentMark {
    return {
      decided: this.#decided.size,
      blocks: this.#blocks.size,
      sizes: this.#sizes.size,
      shown: this.#shownBlocks.size,
    };
  }

  rewind(mark: ContentMark): void {
    this.#decided.rewind(mark.decided);
    this.#blocks.rewind(mark.blocks);
    this.#sizes.rewind(mark.sizes);
    this.#shownBlocks.rewind(mark.shown);
  }

  of(file: FileHistory): FileContent {
    let content = this.#decided.get(file.inode);
    if (content === undefined) {
      content = this.#isJournalled ? this.#journalled.of(file) : this.#own(file);
      this.#decided.add(file.inode, content);
    }
    return content;
  }

  /** The size alone; null where data is journalled with it, so that a part of a file is no smaller question. */
  sizeOf(file: FileHistory): number | null {
    return this.#isJournalled ? null : this.#sizeIn(file, this.#sizeChange(file));
  }

  /** One block up to the end of the file. REQUIRES: `sizeOf(file)` is a number, and the block is below it. */
  blockOf(file: FileHistory, block: number): BlockContent {
    const sizeChange = this.#sizeChange(file);
    const from = block * BLOCK_BYTES;
    const length = Math.min(this.#sizeIn(file, sizeChange) - from, BLOCK_BYTES);
    assert(length > 0, 'a block that is read begins below the size');
    return this.#part(file, from, sizeChange, length);
  }

  get #isJournalled(): boolean {
    return this.#space.history.model.data === 'stream';
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

  #own(file: FileHistory): FileContent {
    const sizeChange = this.#sizeChange(file);
    const size = this.#sizeIn(file, sizeChange);
    const parts: BlockContent[] = [];
    for (let from = 0; from < size; from += BLOCK_BYTES) {
      parts.push(this.#part(file, from, sizeChange, Math.min(size - from, BLOCK_BYTES)));
    }
    return this.#cache.store.file(parts);
  }

  #sizeIn(file: FileHistory, sizeChange: Change | null): number {
    return sizeChange?.size?.bytes ?? file.initialContent.length;
  }

  #part(file: FileHistory, from: number, sizeChange: Change | null, length: number): BlockContent {
    const history = file.blocks.get(from / BLOCK_BYTES);
    if (history === undefined) {
      return this.#cache.store.cut(this.#cache.untouched(file, from), length);
    }
    if (this.#asked !== null) return this.#block(history, sizeChange, length);
    let content = this.#shownBlocks.get(history);
    if (content === undefined) {
      content = this.#block(history, sizeChange, length);
      this.#shownBlocks.add(history, content);
    }
    return content;
  }

  /** The change that the file's size comes from; null for the size that it had at the start. */
  #sizeChange(file: FileHistory): Change | null {
    if (this.#asked !== null) return this.#findSizeChange(file);
    let change = this.#sizes.get(file);
    if (change === undefined) {
      change = this.#findSizeChange(file);
      this.#sizes.add(file, change);
    }
    return change;
  }

  #findSizeChange({ changes }: FileHistory): Change | null {
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
      this.#blocks.add(history, { history, outcomes, outcome });
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
    const taken = history.taken.filter(
      ({ events, start }) => first <= events && start <= this.#space.position,
    );
    const key = `${first} ${end} ${flags} ${fresh} ${freedIds} ${taken.length}`;
    return this.#cache.domain(history, key, () => {
      const view = { history, initial, events: issued, fresh, required, floored, freed };
      // A hole, or a block that nobody wrote to: there is nothing to lose.
      const untouched = padded(initial ?? new Uint8Array(0));
      const { outcomes, whole } =
        issued.length > 0
          ? blockDomain(view, this.#space.history.model)
          : { outcomes: [{ kind: 'newest', bytes: untouched, needs: -1 } as const], whole: true };
      const others = taken.map(({ bytes }) => ({ kind: 'garbage', bytes, needs: -1 }) as const);
      return { outcomes: [...outcomes, ...others], whole };
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
    const { model, order } = this.#space.history;
    const { dataBeforeSize } = model;
    const { turns } = order;
    if (sizeChange?.size == null || sizeChange.order === 'free') return false;
    const inTime = (turns[event.operation] ?? 0) <= (turns[sizeChange.operation] ?? 0);
    if (dataBeforeSize === 'all') return inTime;
    if (dataBeforeSize === 'new-blocks') return allocates && inTime;
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
