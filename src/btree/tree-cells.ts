/**
 * Cells on their way from page to page: in arrays of bytes, with what is asked of them when pages are
 * filled. Not here: cells in a page (`slotted-page`), and which page they go to (`tree-splice`).
 */

import { assert } from '../base/assert.ts';
import { putVarint32, varintLength } from '../base/coding.ts';
import { putUint32 } from './page-format.ts';
import { CHILD_BYTES, CellCursor, SLOT_BYTES } from './slotted-page.ts';

/** A cell in an array of bytes that does not change meanwhile. */
export interface Cell {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly keyStart: number;
  readonly keyEnd: number;
}

/** The key of the first cell of a branch page. */
export const NO_KEY: Uint8Array = new Uint8Array(0);

/** A cell that leads every key from its own on to a page. */
export function branchCell(key: Uint8Array, keyStart: number, keyEnd: number, child: number): Cell {
  const length = keyEnd - keyStart;
  const bytes = new Uint8Array(varintLength(length) + length + CHILD_BYTES);
  const start = putVarint32(bytes, 0, length);
  bytes.set(key.subarray(keyStart, keyEnd), start);
  putUint32(bytes, start + length, child);
  return { bytes, start: 0, end: bytes.length, keyStart: start, keyEnd: start + length };
}

/** The cell as the first of a branch page. */
export function withoutKey(cell: Cell): Cell {
  return cell.keyStart === cell.keyEnd ? cell : branchCell(NO_KEY, 0, 0, childOf(cell));
}

/** The page that a cell of a branch page leads to. */
export function childOf(cell: Cell): number {
  const cursor = new CellCursor();
  cursor.read(cell.bytes, cell.start, false);
  return cursor.child;
}

/** The index that parts cells into halves of bytes as equal as can be. */
export function middleOf(cells: readonly Cell[], total: number): number {
  let before = 0;
  for (let index = 0; index < cells.length; index++) {
    const { start, end } = cells[index]!;
    const length = end - start + SLOT_BYTES;
    if (before + length > total / 2) {
      // The cell across the middle goes to the side that has less without it.
      const goesLeft = before < total - before - length;
      return Math.max(1, goesLeft ? index + 1 : index);
    }
    before += length;
  }
  return cells.length - 1;
}

/** The shortest key above all of the left and not above any of the right. */
export function separatorOf(
  left: readonly Cell[],
  right: readonly Cell[],
  level: number,
): { readonly bytes: Uint8Array; readonly start: number; readonly end: number } {
  const before = left.at(-1);
  const [after] = right;
  assert(before !== undefined && after !== undefined, 'both sides of a split have cells');
  const { bytes, keyStart: start, keyEnd } = after;
  if (level > 0) return { bytes, start, end: keyEnd };
  let at = 0;
  const common = Math.min(before.keyEnd - before.keyStart, keyEnd - start);
  while (at < common && before.bytes[before.keyStart + at] === bytes[start + at]) at++;
  assert(start + at < keyEnd, 'keys stand in their order');
  return { bytes, start, end: start + at + 1 };
}
