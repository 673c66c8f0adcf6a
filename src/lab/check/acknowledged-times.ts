/**
 * From when on a change counts as acknowledged: a mark that starts after that time vouches for it. For a program
 * that does one thing after the other this is the end of the call: whatever it did before it spoke, it spoke of.
 *
 * A program that does several things at once says "a is saved" while b is half done. If it goes on to sync b, that
 * mark was not about b. So where calls overlap shortly before a change, or between it and the sync that later
 * covers it, the change counts only from the end of that sync on. A change that is never synced counts from its
 * own end in any case, and so does one that a program without overlapping calls syncs too late: that is the fault
 * to be found.
 */

import type { InodeNumber, Operation, SyncOperation, Trace } from '../record/operation.ts';

/** "Shortly before" reaches back over so many marks: the flows of a program take turns in speaking. */
const MARKS_BACK = 8;

export class AcknowledgedTimes {
  readonly #marks: readonly number[];
  readonly #starts: readonly number[];
  /** How many of the first n operations overlap another one. */
  readonly #overlapping: readonly number[];
  readonly #syncs = new Map<InodeNumber, SyncOperation[]>();
  readonly #syncAlls: Operation[] = [];

  constructor(trace: Trace) {
    const operations = trace.operations.filter(isFileCall);
    this.#starts = operations.map(({ start }) => start);
    this.#overlapping = countOverlapping(operations);
    this.#marks = trace.operations.filter(({ kind }) => kind === 'mark').map(({ start: at }) => at);
    for (const operation of operations) {
      if (operation.error !== undefined || operation.end === null) continue;
      if (operation.kind === 'sync-all') this.#syncAlls.push(operation);
      if (operation.kind !== 'sync') continue;
      const known = this.#syncs.get(operation.inode);
      if (known === undefined) this.#syncs.set(operation.inode, [operation]);
      else known.push(operation);
    }
  }

  /**
   * The time after which a mark vouches for the operation; Infinity for a call that never returned.
   * @param syncedBy the inode whose sync makes it durable: the file for contents, the directory for names
   */
  of(operation: Operation, syncedBy: InodeNumber): number {
    const { start, end } = operation;
    if (end === null) return Infinity;
    if (operation.kind === 'write' && operation.durable !== 'none') return end;
    const own = firstAfter(this.#syncs.get(syncedBy) ?? [], end);
    const general = firstAfter(this.#syncAlls, end);
    const sync = own !== null && (general === null || own.start < general.start) ? own : general;
    if (sync === null || sync.end === null) return end;
    const marksBefore = lowerBound(this.#marks, start);
    const from = this.#marks[marksBefore - MARKS_BACK] ?? -Infinity;
    return this.#overlapsBetween(from, sync.start) ? sync.end : end;
  }

  #overlapsBetween(from: number, to: number): boolean {
    const first = lowerBound(this.#starts, from);
    const last = lowerBound(this.#starts, to + 1e-9);
    return (this.#overlapping[last] ?? 0) > (this.#overlapping[first] ?? 0);
  }
}

function isFileCall(operation: Operation): boolean {
  const { kind } = operation;
  return kind !== 'mark' && kind !== 'close' && kind !== 'unmodelled';
}

function countOverlapping(operations: readonly Operation[]): number[] {
  const overlapping = operations.map(() => false);
  let latest = -1;
  let latestEnd = -Infinity;
  operations.forEach((operation, index) => {
    if (operation.start < latestEnd) {
      overlapping[index] = true;
      overlapping[latest] = true;
    }
    const end = operation.end ?? Infinity;
    if (end < latestEnd) return;
    latest = index;
    latestEnd = end;
  });
  let count = 0;
  return [0, ...overlapping.map((flag) => (count += flag ? 1 : 0))];
}

function firstAfter<T extends Operation>(operations: readonly T[], time: number): T | null {
  let low = 0;
  let high = operations.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((operations[middle]?.start ?? Infinity) > time) high = middle;
    else low = middle + 1;
  }
  return operations[low] ?? null;
}

/** Index of the first number that is not below `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Infinity) >= value) high = middle;
    else low = middle + 1;
  }
  return low;
}
