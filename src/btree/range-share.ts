/**
 * About how much of the file a range of keys takes, from where its bounds stand in the tree: the
 * pages of two ways down are looked at, and no more.
 */

import type { KeyBounds } from '../engine/key-range.ts';
import { META_PAGE, pageCount, rootPage } from './meta-page.ts';
import { cellCount, pageLevel } from './page-format.ts';
import { childAt, searchCells, searchChild } from './slotted-page.ts';

/** Bytes. @throws what `page` throws */
export function rangeShare(page: (number: number) => Uint8Array, bounds: KeyBounds): number {
  const meta = page(META_PAGE);
  const from = bounds.lower === undefined ? 0 : place(page, bounds.lower);
  const to = bounds.upper === undefined ? 1 : place(page, bounds.upper);
  return Math.round(Math.max(0, to - from) * pageCount(meta) * meta.length);
}

/** Where a key stands among all, from 0 to 1. */
function place(page: (number: number) => Uint8Array, key: Uint8Array): number {
  let share = 1;
  let before = 0;
  let current = page(rootPage(page(META_PAGE)));
  for (let level = pageLevel(current); level > 0; level--) {
    const index = searchChild(current, key, 0, key.length);
    share /= cellCount(current);
    before += index * share;
    current = page(childAt(current, index));
  }
  const found = searchCells(current, key, 0, key.length);
  const count = cellCount(current);
  const index = found >= 0 ? found : -1 - found;
  return count === 0 ? before : before + (index / count) * share;
}
