/**
 * What protects pages from being torn: no page goes to its place before it stands in a doublewrite file, durably, and
 * no doublewrite file is written over before the places of its pages are durable. Counted at every write, since a crash
 * shows it only where it tears a page that the log cannot make. And what opening makes of a page that is torn, or old.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { nextTurn } from '../../../src/base/clock.ts';
import { crc32c, maskCrc32c } from '../../../src/base/crc32c.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import type { BtreeOptions } from '../../../src/btree/btree-options.ts';
import { DOUBLE_NAME } from '../../../src/btree/double-write.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { syncRulesFor } from '../../../src/durable/sync-table.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { batchOfLabel, stateOfStore } from '../../support/engine-commit.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { PAGES, PAGE_BYTES, PageOrderVfs, doublePagesOf } from '../../support/page-order-vfs.ts';

const DOUBLE = `/store/${DOUBLE_NAME}`;

function dispatchOf(vfs: Vfs): { readonly dispatch: SyncDispatch } {
  return { dispatch: new SyncDispatch(vfs, syncRulesFor('linux', 'node')) };
}

async function opened(vfs: Vfs, options: BtreeOptions = {}): Promise<Engine> {
  return btreeKind.open('/store', { clock: new ManualClock(), ...options, ...dispatchOf(vfs) });
}

test('pages go to their places behind a durable double, a batch behind the last one', async () => {
  const disk = new MemoryVfs();
  await (await opened(disk)).close();
  const vfs = new PageOrderVfs(disk);
  const engine = await opened(vfs, { checkpoint: { logBytes: 1 }, cacheSize: 1 });
  const all: Promise<void>[] = [];
  for (let round = 0; round < 12; round++) {
    const batch = batchOfLabel(`${round}:k*${99 - round}=${1000 + round},a=${round}`);
    all.push(Promise.resolve(engine.write(batch, 'none')));
    for (let turn = 0; turn <= round; turn++) await nextTurn();
  }
  await Promise.all(all);
  await engine.close();
  assert.deepEqual(vfs.early, []);
  assert.ok(vfs.pages > 100, `${vfs.pages} pages`);
});

test('a thread that never waits has a doublewrite file of its own, with the same order', async () => {
  const disk = new MemoryVfs();
  await (await opened(disk)).close();
  const vfs = new PageOrderVfs(disk);
  const engine = await opened(vfs, { cacheSize: 1 });
  engine.writeSync(batchOfLabel('0:k*960=1300'), 'none');
  engine.writeSync(batchOfLabel('1:k*960=1290'), 'none');
  engine.writeSync(batchOfLabel('2:k*940=1280'), 'none');
  assert.ok(vfs.pages > 400, `${vfs.pages} pages`);
  await engine.close();
  assert.deepEqual(vfs.early, []);
});

/** A store of some leaves, killed when a checkpoint has written the pages of its second commit. */
async function killedAtItsPages(): Promise<MemoryVfs> {
  const disk = new MemoryVfs();
  const engine = await opened(disk);
  await engine.write(batchOfLabel('0:k*200=100'), 'none');
  await engine.close();
  const killable = new KillableVfs(new LockAsideVfs(disk));
  const second = await opened(killable);
  await second.write(batchOfLabel('1:k*200=99'), 'sync');
  const killed = killable.killBehind(({ name, path }) => name === 'file.write' && path === PAGES);
  void second.compact();
  await killed;
  return disk;
}

function overwrite(disk: Vfs, path: string, at: number, bytes: Uint8Array): void {
  const file = disk.openSync(path, { write: true });
  file.writeSync(bytes, 0, bytes.length, at);
  file.closeSync();
}

const TORN = new Uint8Array(512).fill(7);
/** How the values of a store begin, and that it is sound. */
async function valuesIn(disk: Vfs): Promise<string> {
  const verified = await btreeKind.verify('/store', dispatchOf(disk));
  const engine = await opened(disk);
  assert.deepEqual((await engine.verify()).damage, []);
  assert.deepEqual(verified.damage, []);
  const lengths = new Set([...stateOfStore(engine).values()].map((value) => value.length));
  await engine.close();
  return [...lengths].join();
}

test('pages that are torn in their places are put back, and for good', async () => {
  const disk = await killedAtItsPages();
  const pages = [...doublePagesOf(disk, DOUBLE).keys()];
  assert.ok(pages.length > 5, `${pages.length} pages`);
  for (const number of pages) overwrite(disk, PAGES, number * PAGE_BYTES + 1024, TORN);
  assert.equal(await valuesIn(new LockAsideVfs(disk)), '99');
  overwrite(disk, DOUBLE, 0, TORN);
  assert.equal(await valuesIn(new LockAsideVfs(disk)), '99');
});

test('a torn page that stands nowhere else is damage, for opening and for verify', async () => {
  const disk = await killedAtItsPages();
  const [number] = [...doublePagesOf(disk, DOUBLE).keys()].slice(-1);
  overwrite(disk, PAGES, number! * PAGE_BYTES + 1024, TORN);
  overwrite(disk, DOUBLE, 0, TORN);
  const damage = { code: 'HOLDFAST_CORRUPTION', path: PAGES, offset: number! * PAGE_BYTES };
  const { damage: found } = await btreeKind.verify('/store', dispatchOf(disk));
  assert.ok(found.some(({ offset }) => offset === damage.offset));
  await assert.rejects(opened(new LockAsideVfs(disk)), damage);
});

test('a repair reads torn pages of the doublewrite file, and keeps that', async () => {
  const disk = await killedAtItsPages();
  const double = Buffer.from(readWholeFileSync(disk, DOUBLE));
  for (const number of doublePagesOf(disk, DOUBLE).keys()) {
    if (number > 0) overwrite(disk, PAGES, number * PAGE_BYTES + 1024, TORN);
  }
  const report = await btreeKind.repair('/store', dispatchOf(new LockAsideVfs(disk)));
  assert.deepEqual(report.damage, []);
  assert.equal(report.savedEntries, 200);
  const kept = `/store/lost/btree-1/${DOUBLE_NAME}`;
  assert.ok(report.keptAside.includes(kept));
  assert.ok(double.equals(readWholeFileSync(disk, kept)));
  assert.equal(await valuesIn(new LockAsideVfs(disk)), '99');
});

test('a page that a write to its place has missed is not built upon', async () => {
  const disk = new MemoryVfs();
  const engine = await opened(disk);
  await engine.write(batchOfLabel('0:k*200=100'), 'none');
  await engine.compact();
  const before = Buffer.from(readWholeFileSync(disk, PAGES));
  await engine.write(batchOfLabel('1:k*200=99'), 'none');
  await engine.close();
  const killable = new KillableVfs(new LockAsideVfs(disk));
  const second = await opened(killable);
  await second.write(batchOfLabel('2:k*200=98'), 'sync');
  killable.kill();
  overwrite(disk, PAGES, 3 * PAGE_BYTES, before.subarray(3 * PAGE_BYTES, 4 * PAGE_BYTES));
  await assert.rejects(opened(new LockAsideVfs(disk)), {
    code: 'HOLDFAST_CORRUPTION',
    path: PAGES,
  });
});

test('a batch of before the last checkpoint is of no meaning', async () => {
  const disk = await killedAtItsPages();
  const old = Buffer.from(readWholeFileSync(disk, DOUBLE));
  const engine = await opened(new LockAsideVfs(disk));
  await engine.write(batchOfLabel('2:k*200=97'), 'none');
  await engine.close();
  overwrite(disk, DOUBLE, 0, old);
  const number = Math.max(...doublePagesOf(disk, DOUBLE).keys());
  assert.equal(await valuesIn(new LockAsideVfs(disk)), '97');
  overwrite(disk, PAGES, number * PAGE_BYTES + 1024, TORN);
  const { damage } = await btreeKind.verify('/store', dispatchOf(disk));
  assert.ok(damage.some(({ offset }) => offset === number * PAGE_BYTES));
});

test('a doublewrite file of a newer version is refused', async () => {
  const disk = await killedAtItsPages();
  const double = Buffer.from(readWholeFileSync(disk, DOUBLE));
  const count = double.readUInt32LE(20);
  double.writeUInt32LE(2, 12);
  double.writeUInt32LE(maskCrc32c(crc32c(double, 12, 32 + 8 * count)), 8);
  overwrite(disk, DOUBLE, 0, double);
  await assert.rejects(opened(new LockAsideVfs(disk)), { code: 'HOLDFAST_FORMAT' });
});
