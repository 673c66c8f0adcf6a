/**
 * Verifies a store that nobody here has open, without its lock and without a change: the log as it
 * lies there, every page of the tree with its checksum, and all that `tree-check` asks. Not here:
 * the same for an open store (`btree-verify`).
 */

import { CorruptionError } from '../base/errors.ts';
import type { Damage, ProgressOptions, VerifyReport } from '../engine/engine-reports.ts';
import type { BtreeSettings } from './btree-options.ts';
import { pageBytesIn } from './btree-parts.ts';
import { isFreeListPage } from './free-list.ts';
import { PageFile } from './page-file.ts';
import { placesOf } from './repair-tree.ts';
import { StillTree } from './still-tree.ts';
import { TreeWalk } from './tree-check.ts';

/** Pages between two looks at the signal and two reports. */
const STEP_PAGES = 256;
/** Pages that a step of the walk may need at one time, and more. */
const KEPT_PAGES = 64;

/** See `EngineKind.verify`. @throws (rejects) HOLDFAST_FOREIGN, HOLDFAST_FORMAT */
export async function verifyStill(
  settings: BtreeSettings,
  directory: string,
  options: ProgressOptions,
): Promise<VerifyReport> {
  const { vfs } = settings.dispatch;
  const { pages, log } = await placesOf(vfs, directory);
  const handle = await vfs.open(pages, { read: true, noFollow: true });
  try {
    const pageBytes = await pageBytesIn(handle);
    const file = new PageFile(handle, pageBytes, settings.dispatch);
    const tree = new StillTree(file, vfs, log);
    await tree.readLog();
    const { lastSequence } = tree;
    if (lastSequence !== null) file.log = { lastSequence };
    const { census, damage } = await walkStill(tree, options);
    const sound = damage.length === 0;
    return {
      sound,
      files: 1 + tree.logFiles,
      bytes: file.pagesRead * pageBytes + tree.logBytes,
      entries: sound ? census.entries : undefined,
      damage,
    };
  } finally {
    await handle.close();
  }
}

/** Thrown by the source of a walk: the page is read, and the step begins again. */
class NotRead extends Error {
  number = 0;
}

/** Walks a tree to its end, whatever is damaged. */
async function walkStill(
  tree: StillTree,
  options: ProgressOptions,
): Promise<{ readonly census: ReturnType<TreeWalk['census']>; readonly damage: Damage[] }> {
  const notRead = new NotRead('a page is not in memory');
  const kept = new Map<number, Uint8Array>();
  const lists = new Map<number, Uint8Array>();
  const walk = new TreeWalk((number) => {
    const page = tree.overlay.get(number) ?? lists.get(number) ?? kept.get(number);
    if (page !== undefined) return page;
    notRead.number = number;
    throw notRead;
  });
  let more = true;
  for (let steps = 1; more; steps++) {
    try {
      more = walk.step();
    } catch (error) {
      if (error !== notRead) throw error;
      const { number } = notRead;
      try {
        const page = await tree.page(number);
        // The last step asks for the pages of the free list again and again.
        (isFreeListPage(number, page.length) ? lists : kept).set(number, page);
      } catch (failure) {
        if (!(failure instanceof CorruptionError)) throw failure;
        walk.passOver(number, failure.message);
      }
      if (kept.size > KEPT_PAGES) kept.delete(kept.keys().next().value ?? number);
    }
    if (steps % STEP_PAGES === 0) {
      options.signal?.throwIfAborted();
      const total = Math.max(walk.pages, walk.done);
      options.onProgress?.({ phase: 'walking the tree', done: walk.done, total, unit: 'pages' });
    }
  }
  const census = walk.census();
  const { pageBytes, path } = tree.file;
  const damage = [...tree.damage];
  for (const { number, message } of census.faults) {
    damage.push({ path, offset: number * pageBytes, message });
  }
  const done = walk.done;
  options.onProgress?.({ phase: 'walking the tree', done, total: done, unit: 'pages' });
  return { census, damage };
}
