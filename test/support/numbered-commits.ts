/** Commits that follow from their number, and the state of a store that has so many of them. */

import type { WriteBatch } from '../../src/engine/write-batch.ts';
import { textBatch } from './lsm-stores.ts';

const KEYS = 97;

/** Commit `number`, counted from 1: sets `last` to it, and sets one key and removes another. */
export function numberedBatch(number: number): WriteBatch {
  const { put, removed } = changesOf(number);
  return textBatch({ [removed]: undefined, [put]: valueOf(number), last: String(number) });
}

/** All entries after commits 1 to `count`, in order. */
export function numberedState(count: number): [string, string][] {
  const state = new Map<string, string>();
  // What is older has been overwritten or removed.
  for (let number = Math.max(1, count - KEYS * KEYS); number <= count; number++) {
    const { put, removed } = changesOf(number);
    state.delete(removed);
    state.set(put, valueOf(number));
  }
  if (count > 0) state.set('last', String(count));
  return [...state].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function changesOf(number: number): { readonly put: string; readonly removed: string } {
  return { put: `k${(number * 31) % KEYS}`, removed: `k${(number * 17 + 5) % KEYS}` };
}

function valueOf(number: number): string {
  return `${number}/`.repeat(1 + ((number * 7) % 90));
}
