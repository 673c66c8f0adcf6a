/** Figures of a store that nobody here has open, as recovery would have it. Takes no lock and changes nothing. */

import type { EngineStats } from '../engine/engine-reports.ts';
import type { BtreeSettings } from './btree-options.ts';
import { pageBytesIn } from './btree-parts.ts';
import { filesOf } from './btree-stats.ts';
import { META_PAGE, entryCount, pageCount, rootPage } from './meta-page.ts';
import { PageFile } from './page-file.ts';
import { pageLevel } from './page-format.ts';
import { placesOf } from './repair-tree.ts';
import { StillTree } from './still-tree.ts';

/**
 * See `EngineKind.stats`. Of the pages, only the meta page and the root are read, and the log: it
 * has what they do not. Where it is damaged, what a reader would see is not known, and not told.
 * @throws (rejects) HOLDFAST_CORRUPTION, HOLDFAST_FOREIGN, HOLDFAST_FORMAT
 */
export async function statsOfStill(
  settings: BtreeSettings,
  directory: string,
): Promise<EngineStats> {
  const { vfs } = settings.dispatch;
  const { pages, log } = await placesOf(vfs, directory);
  const handle = await vfs.open(pages, { read: true, noFollow: true });
  try {
    const pageBytes = await pageBytesIn(handle);
    const tree = new StillTree(new PageFile(handle, pageBytes, settings.dispatch), vfs, log);
    await tree.readLog();
    const isKnown = tree.damage.length === 0;
    const meta = await tree.page(META_PAGE);
    const { files, bytes } = filesOf(vfs, directory);
    return {
      engine: 'btree',
      files,
      diskBytes: bytes,
      memoryBytes: 0,
      entries: isKnown ? entryCount(meta) : undefined,
      snapshots: 0,
      details: isKnown ? await figures(tree, meta) : { pageBytes },
    };
  } finally {
    await handle.close();
  }
}

async function figures(tree: StillTree, meta: Uint8Array): Promise<EngineStats['details']> {
  return {
    pageBytes: meta.length,
    pageCount: pageCount(meta),
    height: pageLevel(await tree.page(rootPage(meta))) + 1,
  };
}
