/**
 * Which write was durable last at a time, which is still pending: asked by the rules for every change, so it
 * is looked up, not searched for. One model; nothing is explored.
 */

import type { InodeNumber, Trace } from '../record/operation.ts';
import { firstNotBelow } from './audit-context.ts';
import type { DurableTimes } from './durable-times.ts';
import type { FileLife } from './file-life.ts';

/** Times at which changes became durable, ascending, and which changes they were. */
interface DurableList {
  readonly times: number[];
  readonly operations: number[];
}

/** Asks about the past of any moment. */
export class DurableOrder {
  readonly #trace: Trace;
  readonly #times: DurableTimes;
  readonly #life: FileLife;
  readonly #writes: DurableList;
  readonly #ofFile = new Map<InodeNumber, DurableList>();

  constructor(trace: Trace, life: FileLife, times: DurableTimes) {
    this.#trace = trace;
    this.#times = times;
    this.#life = life;
    this.#writes = this.#sorted(
      [...trace.operations.keys()].filter((index) => {
        const operation = trace.operations[index];
        return operation?.kind === 'write' && operation.error === undefined;
      }),
    );
  }

  /** Whether another file was written and became durable since this one was last durable. */
  isOtherLater(file: InodeNumber, start: number): boolean {
    const at = firstNotBelow(this.#writes.times, start) - 1;
    const last = this.#trace.operations[this.#writes.operations[at] ?? -1];
    if (last?.kind !== 'write' || last.inode === file) return false;
    const own = this.#changesOf(file).times;
    const since = own[firstNotBelow(own, start) - 1] ?? -1;
    return (this.#writes.times[at] ?? -1) > since;
  }

  /** Whether a write to a file was durable at a time. */
  hasDurableWrite(file: InodeNumber, until: number): boolean {
    const { times, operations } = this.#changesOf(file);
    const isWrite = (change: number): boolean => this.#trace.operations[change]?.kind === 'write';
    const first = operations.findIndex(isWrite);
    return first >= 0 && (times[first] ?? Infinity) < until;
  }

  #changesOf(file: InodeNumber): DurableList {
    const known = this.#ofFile.get(file);
    if (known !== undefined) return known;
    const made = this.#sorted(this.#life.changesOf(file));
    this.#ofFile.set(file, made);
    return made;
  }

  #sorted(changes: readonly number[]): DurableList {
    const durable = (change: number): number => this.#times.dataDurable(change);
    const operations = changes.toSorted((a, b) => durable(a) - durable(b) || a - b);
    return { operations, times: operations.map(durable) };
  }
}

/**
 * Writes to files that are there in the end, as long as they are not durable. Times only go forward: ask with
 * starts that do not fall, and add the writes in between.
 */
export class PendingWrites {
  readonly #life: FileLife;
  readonly #times: DurableTimes;
  /** Of each file: all of its writes, and those to files where what was in a log can be. */
  readonly #all = new Map<InodeNumber, number[]>();
  readonly #lasting = new Map<InodeNumber, number[]>();

  constructor(life: FileLife, times: DurableTimes) {
    this.#life = life;
    this.#times = times;
  }

  /** Adds a write that succeeded. */
  add(inode: InodeNumber, offset: number, index: number): void {
    if (!this.#life.isAlive(inode)) return;
    const isInPlace = offset < this.#life.initialSize(inode);
    push(this.#all, inode, index);
    if (this.#life.isSynced(inode) || isInPlace) push(this.#lasting, inode, index);
  }

  /**
   * The last write that is pending at `start`, came after the change `since`, and is to another file than
   * `gone`: one that is ever synced or is written over, or one that was made after `since`.
   */
  lastBeside(gone: InodeNumber, since: number, start: number): number | null {
    let last = since;
    for (const [inode, all] of this.#all) {
      const lastOfAll = this.#lastPending(all, start);
      if (lastOfAll < 0) {
        this.#all.delete(inode);
        this.#lasting.delete(inode);
      } else if (inode !== gone) {
        const isYounger = this.#life.createdBy(inode) > since;
        const lasting = this.#lasting.get(inode) ?? [];
        last = Math.max(last, isYounger ? lastOfAll : this.#lastPending(lasting, start));
      }
    }
    return last > since ? last : null;
  }

  /** Those at the end that are durable stay so, and are dropped. -1: none is left. */
  #lastPending(writes: number[], start: number): number {
    for (let last = writes.at(-1); last !== undefined; last = writes.at(-1)) {
      if (this.#times.dataDurable(last) >= start) return last;
      writes.pop();
    }
    return -1;
  }
}

function push(lists: Map<InodeNumber, number[]>, inode: InodeNumber, index: number): void {
  const list = lists.get(inode);
  if (list === undefined) lists.set(inode, [index]);
  else list.push(index);
}
