/**
 * Contents of files whose data is journalled: what survived, in order. There is nothing to decide but which changes
 * survive, and among calls that overlapped in time the order in which they came.
 */

import type { Change, FileHistory } from '../model/change.ts';
import { BLOCK_BYTES, cameBefore } from '../model/change.ts';
import type { ChangeHistory } from '../model/split-trace.ts';
import type { ContentSpace } from './content-space.ts';
import type { BlockContent, ContentStore, FileContent } from './content-store.ts';

export class JournalledContents {
  readonly #space: ContentSpace;
  readonly #store: ContentStore;
  /** By the number of survivors, where they are the first ones: it does not depend on decisions. */
  readonly #whole = new Map<FileHistory, Map<number, BlockContent[]>>();

  constructor(space: ContentSpace, store: ContentStore) {
    this.#space = space;
    this.#store = store;
  }

  /** What survived, in order. Asked from the last on, because in a stream it settles the others. */
  of(file: FileHistory): FileContent {
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
    return this.#store.file(parts);
  }

  /** Calls that overlapped may have come in any order: each is asked before how many of them it came. */
  #inSomeOrder(changes: readonly Change[]): readonly Change[] {
    const collided = changes.some((change, index) =>
      changes.slice(0, index).some((one) => overlaps(one, change) && collide(one, change)),
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

  #partsOf(bytes: Uint8Array): BlockContent[] {
    const parts: BlockContent[] = [];
    for (let from = 0; from < bytes.length; from += BLOCK_BYTES) {
      parts.push(this.#store.block(bytes.subarray(from, from + BLOCK_BYTES)));
    }
    return parts;
  }
}

/** Whether it shows which of the two came last. */
function collide(a: Change, b: Change): boolean {
  if (a.block === null || b.block === null) return true;
  if (a.block.block !== b.block.block) return false;
  const { offset: startA, bytes: bytesA } = a.block;
  const { offset: startB, bytes: bytesB } = b.block;
  return startA < startB + bytesB.length && startB < startA + bytesA.length;
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

/** Whether `b`, issued later, can have come first. Parts of one call come one after the other. */
function overlaps(a: Change | undefined, b: Change): boolean {
  return a !== undefined && a.operation !== b.operation && !cameBefore(a, b);
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
