/**
 * A tree without a log and without a disk, for tests of the pages: every change is one record,
 * which is kept, so that redo can be compared with what it repeats.
 */

import assert from 'node:assert/strict';

import { FreeList } from '../../src/btree/free-list.ts';
import { makeEmptyTree } from '../../src/btree/new-tree.ts';
import { OverflowReader } from '../../src/btree/overflow.ts';
import { PageCache } from '../../src/btree/btree-page-cache.ts';
import { PageFile } from '../../src/btree/page-file.ts';
import { pagePosition, setPagePosition, formatPage } from '../../src/btree/page-format.ts';
import { PageVersions } from '../../src/btree/page-versions.ts';
import { Pager } from '../../src/btree/pager.ts';
import type { RedoChange } from '../../src/btree/redo-record.ts';
import { visitRedo } from '../../src/btree/redo-record.ts';
import { SpillFile } from '../../src/btree/spill-file.ts';
import { TreeWalk } from '../../src/btree/tree-check.ts';
import type { TreeCensus } from '../../src/btree/tree-check.ts';
import { NOW, TreeReader } from '../../src/btree/tree-reader.ts';
import { TreeWriter } from '../../src/btree/tree-writer.ts';
import { ValuePlacer } from '../../src/btree/value-placer.ts';
import type { PlacerLog } from '../../src/btree/value-placer.ts';
import { Poison } from '../../src/durable/poison.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';

/** Nothing is placed ahead of its record here. */
const NO_LOG: PlacerLog = {
  lastSequence: 0,
  durableSequence: 0,
  check: () => undefined,
  sync: () => Promise.resolve(),
  syncSync: () => {},
};

/** A tree whose pages are all in memory. */
export class TreeRig {
  readonly pager: Pager;
  readonly freeList: FreeList;
  readonly writer: TreeWriter;
  readonly reader: TreeReader;
  readonly versions: PageVersions;
  readonly records: Uint8Array[] = [];

  constructor(pageBytes: number = 4096) {
    const vfs = new MemoryVfs();
    const handle = vfs.openSync('/pages', { read: true, write: true, create: true });
    const file = new PageFile(handle, pageBytes, new SyncDispatch(vfs));
    const cache = new PageCache(pageBytes, 2 ** 40);
    const spill = new SpillFile(vfs, '/spill', pageBytes);
    this.versions = new PageVersions(cache, spill, 2 ** 40);
    this.pager = new Pager(file, cache, this.versions, spill);
    this.freeList = new FreeList(this.pager);
    const placer = new ValuePlacer(this.pager, this.freeList, NO_LOG, new Poison('/'), Infinity);
    this.writer = new TreeWriter(this.pager, this.freeList, placer);
    this.reader = new TreeReader(this.pager);
    this.commit(() => makeEmptyTree(this.pager));
  }

  /** Sequence number of the last record. */
  get sequence(): number {
    return this.records.length;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    const bytes = new Uint8Array([...key, ...value]);
    this.commit(() => this.writer.put(bytes, 0, key.length, key.length, bytes.length));
  }

  delete(key: Uint8Array): void {
    this.commit(() => this.writer.delete(key, 0, key.length));
  }

  get(key: Uint8Array, state: number = NOW): Buffer | undefined {
    const found = this.reader.get(key, state);
    if (!(found instanceof OverflowReader)) return found;
    return found.read((number) => this.page(number, state));
  }

  page(number: number, state: number = NOW): Uint8Array {
    return state === NOW ? this.pager.view(number) : this.pager.viewAt(number, state);
  }

  /** Makes one record of what `change` does, and shows it to readers. */
  commit(change: () => void): void {
    this.pager.beginRecord();
    change();
    this.writer.finish();
    this.records.push(this.pager.endRecord(this.sequence + 1).slice());
    this.pager.publish();
  }

  census(state: number = NOW): TreeCensus {
    const walk = new TreeWalk((number) => this.page(number, state));
    while (walk.step());
    return walk.census();
  }

  assertSound(): void {
    assert.deepEqual(this.census().faults, []);
  }

  /** Replays records from the beginning and compares every page that is in use. */
  assertRedoGivesTheSame(): void {
    const pages = new Map<number, Uint8Array>();
    this.records.forEach((record, index) => {
      const put = (number: number, change: RedoChange): void => {
        let page = pages.get(number);
        if (page === undefined) {
          page = new Uint8Array(this.pager.pageBytes);
          formatPage(page, number, 0, 0);
          pages.set(number, page);
        }
        change.put(page);
        setPagePosition(page, index + 1);
      };
      const base = (number: number, position: number | null): void => {
        const page = pages.get(number);
        assert.ok(page !== undefined, `page ${number} is changed before it is made`);
        assert.equal(position, pagePosition(page), `what page ${number} is changed on`);
      };
      visitRedo(record, { image: put, base, change: put });
    });
    this.pager.cache.forEach(({ number, data }) => {
      const page = pages.get(number);
      assert.ok(page !== undefined, `no record has page ${number}`);
      assert.equal(pagePosition(page), pagePosition(data), `position of page ${number}`);
      assert.ok(Buffer.compare(page, data) === 0, `page ${number} is another after redo`);
    });
  }
}
