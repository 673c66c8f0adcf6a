/** Pages on their way into memory, of which something else becomes meanwhile; and room beside those that stay. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PageCache } from '../../../src/btree/btree-page-cache.ts';
import { PageFile } from '../../../src/btree/page-file.ts';
import { PAGE_KIND, formatPage, sealPage } from '../../../src/btree/page-format.ts';
import { PageVersions } from '../../../src/btree/page-versions.ts';
import { Pager } from '../../../src/btree/pager.ts';
import { SpillFile } from '../../../src/btree/spill-file.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { LateCallsVfs } from '../../support/late-calls-vfs.ts';

const PAGE_BYTES = 4096;
const PAGES = 300;

interface Parts {
  readonly vfs: LateCallsVfs;
  readonly pager: Pager;
}

/** A file of leaves, and the least cache. */
function pagerOf(): Parts {
  const vfs = new LateCallsVfs(new MemoryVfs(), ({ name }) => name === 'file.read');
  const file = vfs.openSync('/pages', { read: true, write: true, create: true });
  const page = new Uint8Array(PAGE_BYTES);
  for (let number = 0; number < PAGES; number++) {
    formatPage(page, number, PAGE_KIND.leaf, 0);
    sealPage(page);
    file.writeSync(page, 0, PAGE_BYTES, number * PAGE_BYTES);
  }
  const cache = new PageCache(PAGE_BYTES, 1);
  const spill = new SpillFile(vfs, '/spill', PAGE_BYTES);
  const versions = new PageVersions(cache, spill, PAGE_BYTES * 64);
  const pages = new PageFile(file, PAGE_BYTES, new SyncDispatch(vfs));
  return { vfs, pager: new Pager(pages, cache, versions, spill) };
}

test('beside pages that stay, however many, there is room for those that one change needs', async () => {
  const { pager } = pagerOf();
  for (let number = 0; number < 200; number++) {
    const page = pager.cache.takeBuffer();
    formatPage(page, number, PAGE_KIND.freeList, 0);
    pager.cache.pin(pager.adopt(number, page, false));
  }
  const numbers = Array.from({ length: 40 }, (_, index) => 200 + index);
  for (const number of numbers) await pager.bring({ number, version: undefined });
  for (const number of numbers) assert.ok(pager.cache.peek(number) !== undefined, `page ${number}`);
});

test('a read of a page that was given anew meanwhile, written and let go brings nothing back', async () => {
  const { vfs, pager } = pagerOf();
  const reached = vfs.hold();
  const bringing = pager.bring({ number: 7, version: undefined });
  await reached;
  pager.beginRecord();
  const frame = pager.fresh(7, PAGE_KIND.overflow, 0);
  pager.endRecord(1);
  pager.publish();
  pager.markClean(frame);
  pager.cache.drop(frame);
  vfs.release();
  await bringing;
  assert.equal(pager.cache.peek(7), undefined);
});

test('a read that fails is no failure of a page that came in another way meanwhile', async () => {
  const { vfs, pager } = pagerOf();
  const reached = vfs.hold();
  vfs.inject({ kind: 'EIO', calls: ['file.read'] });
  const bringing = pager.bring({ number: 7, version: undefined });
  await reached;
  const there = pager.bringing(() => pager.view(7));
  vfs.release();
  await bringing;
  assert.equal(pager.view(7), there);
});
