/** The way from the root to a leaf, for a writer: the frames, and where each hangs in its parent. */

import { assert } from '../base/assert.ts';
import { META_PAGE, rootPage } from './meta-page.ts';
import type { PageFrame } from './btree-page-cache.ts';
import { PAGE_KIND, cellCount, pageKind, pageLevel } from './page-format.ts';
import type { Pager } from './pager.ts';
import { childAt, searchChild } from './slotted-page.ts';
import { damagedTree } from './tree-damage.ts';

export class TreePath {
  /** By level: the leaf is at 0. */
  readonly frames: PageFrame[] = [];
  /** By level: the index of the page's cell in its parent. */
  readonly indexes: number[] = [];
  readonly #pager: Pager;

  constructor(pager: Pager) {
    this.#pager = pager;
  }

  /** Level of the root. */
  get height(): number {
    return this.frames.length - 1;
  }

  /** Goes to the leaf that a key belongs to. @throws PageMissing; nothing was changed then */
  descend(key: Uint8Array, keyStart: number, keyEnd: number): void {
    const { frames, indexes } = this;
    let number = rootPage(this.#pager.frame(META_PAGE).data);
    let frame = this.#pager.frame(number);
    const height = pageLevel(frame.data);
    // Setting it to what it is takes time, too.
    if (frames.length !== height + 1) frames.length = indexes.length = height + 1;
    frames[height] = frame;
    indexes[height] = 0;
    for (let level = height; level > 0; level--) {
      if (pageKind(frame.data) !== PAGE_KIND.branch || pageLevel(frame.data) !== level) {
        throw damagedTree(this.#pager, number, `a branch page of level ${level}`, frame.data);
      }
      const index = searchChild(frame.data, key, keyStart, keyEnd);
      number = childAt(frame.data, index);
      frame = this.#pager.frame(number);
      frames[level - 1] = frame;
      indexes[level - 1] = index;
    }
    if (pageKind(frame.data) !== PAGE_KIND.leaf) {
      throw damagedTree(this.#pager, number, 'a leaf page', frame.data);
    }
  }

  frame(level: number): PageFrame {
    const frame = this.frames[level];
    assert(frame !== undefined, 'a path has a page at each of its levels');
    return frame;
  }

  /** Index of the page of a level in its parent. */
  index(level: number): number {
    return this.indexes[level]!;
  }

  /** Whether the page of a level is the last of that level. */
  isRightMost(level: number): boolean {
    for (let above = level + 1; above <= this.height; above++) {
      if (this.index(above - 1) < cellCount(this.frame(above).data) - 1) return false;
    }
    return true;
  }

  /** Index in the parent of the page that the page of a level joins with; -1 when it is alone. */
  siblingIndex(level: number): number {
    const index = this.index(level);
    if (index + 1 < cellCount(this.frame(level + 1).data)) return index + 1;
    return index - 1;
  }

  /** Number of that page. */
  sibling(level: number): number {
    return childAt(this.frame(level + 1).data, this.siblingIndex(level));
  }
}
