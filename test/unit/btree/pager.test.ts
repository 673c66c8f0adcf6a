/** Pages on their way into memory, of which something else becomes meanwhile; and room beside those that stay. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ReadSpeed } from '../../../src/base/read-speed.ts';
import { PageCache, PageFrame } from '../../../src/btree/btree-page-cache.ts';
import { PageFile } from '../../../src/btree/page-file.ts';
import { PAGE_KIND, formatPage, sealPage } from '../../../src/btree/page-format.ts';
import { PageVersions } from '../../../src/btree/page-versions.ts';
import { PageMissing, Pager } from '../../../src/btree/pager.ts';
import { SpillFile } from '../../../src/btree/spill-file.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { LateCallsVfs } from '../../support/late-calls-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const PAGE_BYTES = 4096;
const PAGES = 300;

interface Parts {
  readonly vfs: LateCallsVfs;
  readonly pager: Pager;
}

/** A file of leaves, and the least cache. */
function pagerOf(speed?: ReadSpeed): Parts {
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
  return { vfs, pager: new Pager(pages, cache, versions, spill, speed) };
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

function missing(number: number): PageMissing {
  return Object.assign(new PageMissing(), { number });
}

test('a call that answers later brings pages on its own thread as long as they come quickly', async () => {
  const clock = new ManualClock();
  const { vfs, pager } = pagerOf(new ReadSpeed(clock));
  assert.equal(pager.bringNow(missing(1)), true);
  assert.ok(pager.cache.peek(1) !== undefined);
  vfs.inject({ kind: 'EIO', calls: ['file.read'] });
  assert.equal(pager.bringNow(missing(2)), false, 'a failure is for the one that waits to tell');
  const slow = pager.file.readSync.bind(pager.file);
  pager.file.readSync = (number, page) => {
    clock.pass(10);
    slow(number, page);
  };
  assert.equal(pager.bringNow(missing(3)), true);
  assert.equal(pager.bringNow(missing(4)), false, 'the page before had to be waited for');
  for (let number = 4; number < 20; number++) await pager.bring({ number, version: undefined });
  assert.equal(pager.bringNow(missing(20)), true, 'it is tried again');
});

test('a page that goes is not looked for among those with changes', (t) => {
  const cache = new PageCache(PAGE_BYTES, 1000 * PAGE_BYTES);
  let looks = 0;
  const evictable = Object.getOwnPropertyDescriptor(PageFrame.prototype, 'evictable')!;
  t.after(() => Object.defineProperty(PageFrame.prototype, 'evictable', evictable));
  Object.defineProperty(PageFrame.prototype, 'evictable', {
    get(this: PageFrame) {
      looks++;
      return evictable.get!.call(this) as boolean;
    },
  });
  const changed = Array.from({ length: 900 }, (_, number) => {
    const frame = cache.add(number, cache.takeBuffer());
    frame.dirty = true;
    return frame;
  });
  for (let number = 1000; number < 6000; number++) cache.add(number, cache.takeBuffer());
  assert.equal(cache.count, 1000);
  assert.ok(changed.every(({ number }) => cache.peek(number) !== undefined));
  assert.ok(looks < 2 * 5000 + 900, `${looks} looks for 4,900 pages that went`);
  for (const frame of changed) {
    frame.dirty = false;
    cache.unpark(frame);
  }
  for (let number = 6000; number < 8000; number++) cache.add(number, cache.takeBuffer());
  assert.ok(
    changed.every(({ number }) => cache.peek(number) === undefined),
    'they go again',
  );
});
