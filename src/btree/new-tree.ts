/** The pages of an empty tree: the meta page, the first free-list page, and a leaf as its root. */

import { freeListPageOf, setUsed } from './free-list.ts';
import { META_PAGE, formatMetaPage, setPageCount, setRootPage } from './meta-page.ts';
import { PAGE_KIND } from './page-format.ts';
import type { Pager } from './pager.ts';

/** Makes an empty tree in the record being made. REQUIRES: no page is in memory or in the file. */
export function makeEmptyTree(pager: Pager): void {
  const meta = pager.fresh(META_PAGE, PAGE_KIND.meta, 0);
  pager.cache.pin(meta);
  formatMetaPage(meta.data);
  const freeList = pager.fresh(freeListPageOf(META_PAGE, pager.pageBytes), PAGE_KIND.freeList, 0);
  pager.cache.pin(freeList);
  const root = pager.fresh(freeList.number + 1, PAGE_KIND.leaf, 0);
  setRootPage(meta.data, root.number);
  setPageCount(meta.data, root.number + 1);
  for (const { number } of [meta, freeList, root]) setUsed(freeList.data, number, true);
}
