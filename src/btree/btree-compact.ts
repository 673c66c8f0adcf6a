/** Gives the free end of the file back, and what the log holds twice. */

import type { ProgressOptions } from '../engine/engine-reports.ts';
import type { BtreeParts } from './btree-parts.ts';

export async function compactBtree(parts: BtreeParts, options: ProgressOptions): Promise<void> {
  const { commits, freeList, checkpointer } = parts;
  options.signal?.throwIfAborted();
  await commits.change(() => freeList.shrink());
  await checkpointer.checkpoint();
  options.onProgress?.({ phase: 'giving free pages back', done: 1, total: 1, unit: 'files' });
}
