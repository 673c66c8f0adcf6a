/**
 * What a file system gives out again while a crash can still bring back who had it: inodes and blocks where there
 * is no journal, blocks under data=writeback. Nothing orders the directory that names a file, the table that holds its inode, the blocks of its data,
 * and those of the next file that gets the same inode or block; a crash may leave any of them as they were.
 *
 * Notes who can meet whom; what a crash then shows is decided in `explore/inode-slots.ts` and
 * `explore/block-domain.ts`.
 *
 * @see ext4_free_inode and ext4_free_blocks of Linux: with a journal they wait for the commit, the blocks of data only
 *   where the data is not in writeback mode
 */

import type { InodeNumber } from '../record/operation.ts';
import type { BlockHistory, Change } from './change.ts';
import { BLOCK_BYTES } from './change.ts';

/** As many of the last ones that were freed may be given out again: a real allocator has its choice of all. */
const REMEMBERED_MAX = 8;

/** The place in the inode table that one inode has, and who else can be found there. */
export interface InodeSlot {
  /** The change that puts the inode into the table; null for one that was there when recording began. */
  readonly record: Change | null;
  /** Inodes that were freed before this one was made. */
  readonly before: readonly { readonly inode: InodeNumber; readonly start: number }[];
  /** Inodes that were made after this one was freed, with the changes that put them into the table. */
  readonly after: { readonly inode: InodeNumber; readonly record: Change }[];
  /** What choices about the slot are noted under. */
  readonly anchor: Change;
}

interface FreedInode {
  readonly inode: InodeNumber;
  readonly start: number;
  readonly anchor: Change;
}

interface FreedPlace {
  readonly start: number;
  readonly block: BlockHistory;
  /** Events of the block that came before it was freed. */
  readonly events: number;
}

export class ReuseTracker {
  readonly slots: Map<InodeNumber, InodeSlot> = new Map();
  readonly #freedInodes: FreedInode[] = [];
  readonly #freedPlaces: FreedPlace[] = [];

  inodeMade(inode: InodeNumber, record: Change): void {
    const before = this.#freedInodes.filter(({ start }) => start < record.end);
    this.slots.set(inode, { record, before, after: [], anchor: record });
    for (const freed of before) {
      let slot = this.slots.get(freed.inode);
      if (slot === undefined) {
        slot = { record: null, before: [], after: [], anchor: freed.anchor };
        this.slots.set(freed.inode, slot);
      }
      slot.after.push({ inode, record });
    }
  }

  /** The last name of the inode went by `anchor`. */
  inodeFreed(inode: InodeNumber, anchor: Change): void {
    remember(this.#freedInodes, { inode, start: anchor.start, anchor });
  }

  blockFreed(block: BlockHistory, start: number): void {
    const given = block.events.at(-1)?.kind === 'free' ? 1 : 0;
    remember(this.#freedPlaces, { start, block, events: block.events.length - given });
  }

  /** The last event of `block` wrote to it: whoever had that place of the disk may show what it holds now. */
  blockWritten(block: BlockHistory): void {
    const first = block.events.findLastIndex(({ kind }) => kind === 'free') + 1;
    const last = block.events.at(-1);
    if (last === undefined || (first === 0 && block.initial !== null)) return;
    const bytes = new Uint8Array(BLOCK_BYTES);
    for (const event of block.events.slice(first)) bytes.set(event.bytes, event.offset);
    for (const { start, block: place, events } of this.#freedPlaces) {
      if (start >= last.end) continue;
      place.taken.push({ events, start: Math.max(start, last.start), bytes });
    }
  }
}

function remember<Freed>(list: Freed[], freed: Freed): void {
  list.push(freed);
  if (list.length > REMEMBERED_MAX) list.shift();
}
