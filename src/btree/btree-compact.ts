/**
 * Gives the space of deleted entries back while reading and writing go on: pages move to the front
 * of the file, leaf by leaf in the order of the keys, and the free end of the file is cut. Every
 * step is a commit of its own, so that a crash leaves a whole tree at any point.
 */

import { compareRanges } from '../base/bytes.ts';
import type { ProgressOptions } from '../engine/engine-reports.ts';
import type { KeyBounds } from '../engine/key-range.ts';
import type { BtreeParts } from './btree-parts.ts';
import { META_PAGE, entryCount } from './meta-page.ts';
import { TreeMover } from './tree-mover.ts';

/** Steps between two looks at the signal and two reports. */
const STEPS = 64;
const FIRST_KEY = new Uint8Array(0);

/** REQUIRES: bounds that are not empty. `goOn` is called between the steps, and throws to end it. */
export async function compactBtree(
  parts: BtreeParts,
  bounds: KeyBounds | null,
  options: ProgressOptions,
  goOn: () => void = () => {},
): Promise<void> {
  const { commits, freeList, checkpointer, pager, writer } = parts;
  options.signal?.throwIfAborted();
  const mover = new TreeMover(writer);
  let from = 0;
  await commits.change(() => {
    from = freeList.used();
  });
  const upper = bounds?.upper;
  let key: Uint8Array | null = bounds?.lower ?? FIRST_KEY;
  let steps = 0;
  for (;;) {
    const current: Uint8Array | null = key;
    if (current === null || (upper !== undefined && !isBelow(current, upper))) break;
    await commits.change(() => {
      key = mover.step(current, from);
    });
    mover.committed();
    goOn();
    if (++steps % STEPS > 0) continue;
    options.signal?.throwIfAborted();
    const total = Math.max(steps + 1, entryCount(pager.view(META_PAGE)));
    options.onProgress?.({ phase: 'moving pages', done: steps, total, unit: 'pages' });
  }
  await commits.change(() => freeList.shrink());
  await checkpointer.checkpoint();
  options.onProgress?.({ phase: 'moving pages', done: steps, total: steps, unit: 'pages' });
}

function isBelow(key: Uint8Array, upper: Uint8Array): boolean {
  return compareRanges(key, 0, key.length, upper, 0, upper.length) < 0;
}
