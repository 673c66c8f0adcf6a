/**
 * Many cursors as one, in the order of internal keys. After a seek for a direction it moves in that
 * direction only.
 */

import { CURSOR } from './entry-cursor.ts';
import type { CursorState, EntryCursor } from './entry-cursor.ts';
import { compareInternal } from './internal-key.ts';

export class MergingCursor implements EntryCursor {
  readonly #children: readonly EntryCursor[];
  #current: EntryCursor | null = null;
  /** The best of the others: while the current one is before it, nobody else is asked. */
  #second: EntryCursor | null = null;
  #forward = true;
  state: CursorState = CURSOR.end;

  constructor(children: readonly EntryCursor[]) {
    this.#children = children;
  }

  get keyBytes(): Uint8Array {
    return this.#current!.keyBytes;
  }

  get keyStart(): number {
    return this.#current!.keyStart;
  }

  get keyEnd(): number {
    return this.#current!.keyEnd;
  }

  get valueBytes(): Uint8Array {
    return this.#current!.valueBytes;
  }

  get valueStart(): number {
    return this.#current!.valueStart;
  }

  get valueEnd(): number {
    return this.#current!.valueEnd;
  }

  seekToFirst(): void {
    this.#forward = true;
    for (const child of this.#children) child.seekToFirst();
    this.#settle();
  }

  seekToLast(): void {
    this.#forward = false;
    for (const child of this.#children) child.seekToLast();
    this.#settle();
  }

  seek(target: Uint8Array, length: number): void {
    this.#forward = true;
    for (const child of this.#children) child.seek(target, length);
    this.#settle();
  }

  seekBefore(target: Uint8Array, length: number): void {
    this.#forward = false;
    for (const child of this.#children) child.seekBefore(target, length);
    this.#settle();
  }

  next(): void {
    const current = this.#current!;
    current.next();
    this.#afterMove(current);
  }

  previous(): void {
    const current = this.#current!;
    current.previous();
    this.#afterMove(current);
  }

  resume(): void {
    if (this.state !== CURSOR.blocked) return;
    for (const child of this.#children) child.resume();
    this.#settle();
  }

  #afterMove(current: EntryCursor): void {
    if (current.state === CURSOR.entry) {
      if (this.#second === null || this.#isBefore(current, this.#second)) return;
    }
    this.#settle();
  }

  /** Finds the current child and the one after it; blocked when any child is. */
  #settle(): void {
    let first: EntryCursor | null = null;
    let second: EntryCursor | null = null;
    for (const child of this.#children) {
      const { state } = child;
      if (state === CURSOR.blocked) {
        this.state = CURSOR.blocked;
        return;
      }
      if (state === CURSOR.end) continue;
      if (first === null || this.#isBefore(child, first)) {
        second = first;
        first = child;
      } else if (second === null || this.#isBefore(child, second)) {
        second = child;
      }
    }
    this.#current = first;
    this.#second = second;
    this.state = first === null ? CURSOR.end : CURSOR.entry;
  }

  #isBefore(a: EntryCursor, b: EntryCursor): boolean {
    const order = compareInternal(
      a.keyBytes,
      a.keyStart,
      a.keyEnd,
      b.keyBytes,
      b.keyStart,
      b.keyEnd,
    );
    return this.#forward ? order < 0 : order > 0;
  }
}
