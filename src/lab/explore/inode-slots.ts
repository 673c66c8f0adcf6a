/**
 * What a name leads to on a file system that gives inodes out again at once: not always the inode that the program
 * saw there. The table may still hold the last owner of the place, or nothing (the repair then removes the name), or
 * already somebody who came later.
 */

import type { InodeNumber } from '../record/operation.ts';
import type { Change } from '../model/change.ts';
import type { InodeSlot } from '../model/reuse.ts';
import type { ChangeHistory } from '../model/split-trace.ts';
import type { OrderChoice } from './content-space.ts';
import { UndoMap } from './undo-map.ts';

/** What slots ask of the space they belong to: a `CrashSpace`. */
export interface SlotSpace {
  readonly history: ChangeHistory;
  /** The power fails when everything up to this time has happened. */
  readonly position: number;
  known(change: Change): boolean | null;
  survives(change: Change): boolean;
  decide(change: Change, survives: boolean): void;
  ask(count: number, choice: OrderChoice): number;
}

export class InodeSlots {
  readonly #space: SlotSpace;
  readonly #shown = new UndoMap<InodeNumber, InodeNumber | null>();

  constructor(space: SlotSpace) {
    this.#space = space;
  }

  clear(): void {
    this.#shown.clear();
  }

  /** How far the decisions have come, to go back to. */
  mark(): number {
    return this.#shown.size;
  }

  /** Forgets what was decided since. */
  rewind(mark: number): void {
    this.#shown.rewind(mark);
  }

  /** What a name of `inode` leads to; null when the repair removes the name. */
  shown(inode: InodeNumber): InodeNumber | null {
    const slot = this.#space.history.slots.get(inode);
    if (slot === undefined) return inode;
    let shown = this.#shown.get(inode);
    if (shown === undefined) {
      shown = this.#choose(inode, slot);
      this.#shown.add(inode, shown);
    }
    return shown;
  }

  #choose(inode: InodeNumber, { record, before, after, anchor }: InodeSlot): InodeNumber | null {
    const { position } = this.#space;
    const made = record === null || this.#space.survives(record);
    const ownOrNone = made ? inode : null;
    const owners = made ? [] : before.filter(({ start }) => start <= position);
    const takers = after.filter((taker) => taker.record.start <= position);
    const count = 1 + owners.length + takers.length;
    // The count depends on nothing that was decided elsewhere, so that a noted choice means the same again.
    const taken = count === 1 ? 0 : this.#space.ask(count, { kind: 'order', change: anchor });
    if (taken === 0) return ownOrNone;
    const owner = owners[taken - 1];
    if (owner !== undefined) return this.#isStillItself(owner.inode) ? owner.inode : ownOrNone;
    const taker = takers[taken - 1 - owners.length];
    return taker !== undefined && this.#space.survives(taker.record) ? taker.inode : ownOrNone;
  }

  /** Two names of one place show the same: the last owner is found there only if nobody else is. */
  #isStillItself(inode: InodeNumber): boolean {
    const shown = this.#shown.get(inode);
    if (shown !== undefined) return shown === inode;
    const record = this.#space.history.slots.get(inode)?.record;
    if (record !== null && record !== undefined && !this.#space.survives(record)) return false;
    this.#shown.add(inode, inode);
    return true;
  }
}
