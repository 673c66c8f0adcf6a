/** Values longer than the cache: written, read, replaced, deleted, and read in an older state. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { PageFile } from '../../../src/btree/page-file.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import { KillableVfs } from '../../support/killable-vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

test('a blocking scan with long values shows the right keys, though pages leave the cache', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await btreeKind.open('/store', { dispatch, cacheSize: 1 << 20 });
  const batch = new WriteBatch();
  const name = (index: number): string => `key ${String(index).padStart(3, '0')}`;
  for (let index = 0; index < 40; index++) {
    batch.put(Buffer.from(name(index)), Buffer.alloc(400_000, index));
  }
  engine.writeSync(batch, 'none');
  await engine.compact();
  const iterator = engine.iterator();
  let index = 0;
  const entry = (keys: Buffer, start: number, end: number, values: Buffer, from: number): void => {
    assert.equal(keys.toString('latin1', start, end), name(index));
    assert.equal(values[from], index++);
  };
  while (iterator.readSync({ entry }, 7, Infinity) > 0);
  iterator.close();
  assert.equal(index, 40);
  for (let one = 0; one < 40; one++) {
    assert.equal(engine.getSync(Buffer.from(name(one)))?.at(-1), one);
  }
  await engine.close();
});

test('a value longer than the cache is replaced and deleted, and older states read it on', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await btreeKind.open('/store', { dispatch, cacheSize: 1 << 20 });
  const key = Buffer.from('long');
  const values = [1, 2, 3].map((byte) => Buffer.alloc(3 << 20, byte));
  const put = (value: Uint8Array): Promise<void> | void =>
    engine.write(WriteBatch.put(key, value), 'none');
  await put(values[0]!);
  await engine.compact();
  const snapshot = engine.snapshot();
  await put(values[1]!);
  engine.writeSync(WriteBatch.put(key, values[2]!), 'none');
  await engine.write(WriteBatch.delete(key), 'none');
  assert.equal(await engine.get(key), undefined);
  await engine.write(WriteBatch.put(Buffer.from('other'), values[1]!), 'none');
  await engine.compact();
  const held = await engine.get(key, { snapshot });
  assert.ok(held?.equals(values[0]!), 'the older state has its value');
  assert.deepEqual((await engine.verify()).damage, []);
  snapshot.release();
  // Of the pages that were given back, those of the next value are made.
  await put(values[0]!);
  const { pageCount: before } = engine.stats().details;
  await engine.write(WriteBatch.delete(key), 'none');
  await put(values[1]!);
  const { pageCount: after } = engine.stats().details;
  assert.equal(after, before);
  assert.ok((await engine.get(key))?.equals(values[1]!));
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});

/** Values of more than 8,192 bytes go ahead of their commit. */
const AHEAD = { aheadBytes: 8192, checkpoint: { logBytes: 1 << 30, ms: 1e9 } };

test('values that go ahead of their commit are read, replaced and deleted, in both forms', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const options = { dispatch, cacheSize: 1 << 20, ...AHEAD };
  let engine = await btreeKind.open('/store', options);
  const value = (byte: number): Buffer => Buffer.alloc(3 << 20, byte);
  const name = (index: number): Buffer => Buffer.from(`key ${index}`);
  for (let index = 0; index < 4; index++) {
    const batch = WriteBatch.put(name(index), value(index));
    if (index % 2 === 0) await engine.write(batch, 'none');
    else engine.writeSync(batch, 'none');
  }
  const { logBytes } = engine.stats().details;
  assert.ok(Number(logBytes) < 1 << 20, `the log has none of their bytes: ${logBytes}`);
  // A blocking call finds one under way, and ends it.
  const under = engine.write(WriteBatch.put(name(0), value(10)), 'none');
  await new Promise((resolve) => void setImmediate(resolve));
  engine.writeSync(WriteBatch.put(name(1), value(11)), 'none');
  assert.ok(engine.getSync(name(0))?.equals(value(10)));
  await under;
  const both = new WriteBatch();
  both.put(name(2), value(12));
  both.delete(name(3));
  both.put(name(4), value(14));
  await engine.write(both, 'none');
  const expected = [10, 11, 12, undefined, 14];
  const check = async (): Promise<void> => {
    for (const [index, byte] of expected.entries()) {
      const found = engine.getSync(name(index));
      if (byte === undefined) assert.equal(found, undefined);
      else assert.ok(found?.equals(value(byte)), `key ${index}`);
    }
    assert.deepEqual((await engine.verify()).damage, []);
  };
  await check();
  await engine.close();
  engine = await btreeKind.open('/store', options);
  await check();
  // What was given back before is used again: the file does not grow.
  const { pageCount: before } = engine.stats().details;
  await engine.write(WriteBatch.put(name(3), value(13)), 'none');
  expected[3] = 13;
  await check();
  assert.equal(engine.stats().details['pageCount'], before);
  await engine.close();
});

test('a full disk refuses a value ahead of its commit, and its pages are free again', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const engine = await btreeKind.open('/store', { dispatch, ...AHEAD });
  const put = (name: string, byte: number): Promise<void> | void =>
    engine.write(WriteBatch.put(Buffer.from(name), Buffer.alloc(1 << 20, byte)), 'none');
  await put('a', 1);
  const { pageCount: before } = engine.stats().details;
  // Room for half of the next one.
  vfs.capacityBytes = engine.stats().diskBytes + (1 << 19);
  await assert.rejects(Promise.resolve(put('b', 2)), { code: 'ENOSPC' });
  assert.throws(
    () => engine.writeSync(WriteBatch.put(Buffer.from('b'), Buffer.alloc(1 << 20, 2)), 'none'),
    { code: 'ENOSPC' },
  );
  vfs.capacityBytes = Infinity;
  assert.equal(engine.stats().details['pageCount'], before);
  assert.ok(!engine.hasSync(Buffer.from('b')));
  await put('b', 3);
  assert.equal(engine.getSync(Buffer.from('b'))?.at(-1), 3);
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});

test('a page that the log speaks of is not used ahead of a commit before the next checkpoint', async () => {
  const memory = new MemoryVfs();
  let vfs = new KillableVfs(new LockAsideVfs(memory));
  const open = (): Promise<Engine> =>
    btreeKind.open('/store', { dispatch: new SyncDispatch(vfs), ...AHEAD });
  let engine = await open();
  const change = (value: Uint8Array | null): Promise<void> | void => {
    const batch = new WriteBatch();
    for (let index = 100; index < 200; index++) {
      if (value === null) batch.delete(Buffer.from(`k${index}`));
      else batch.put(Buffer.from(`k${index}`), value);
    }
    return engine.write(batch, 'sync');
  };
  await change(Buffer.alloc(100));
  await change(null);
  const long = Buffer.alloc(20_000, 7);
  await engine.write(WriteBatch.put(Buffer.from('long'), long), 'sync');
  vfs.kill();
  vfs = new KillableVfs(new LockAsideVfs(memory));
  engine = await open();
  assert.ok(engine.getSync(Buffer.from('long'))?.equals(long));
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});

test('a page that came back and was given again in one commit is one that the log speaks of', async () => {
  const memory = new MemoryVfs();
  let vfs = new KillableVfs(new LockAsideVfs(memory));
  const open = (): Promise<Engine> =>
    btreeKind.open('/store', { dispatch: new SyncDispatch(vfs), ...AHEAD });
  let engine = await open();
  const logged = Buffer.alloc(8000, 1);
  const name = (key: string): Buffer => Buffer.from(key);
  await engine.write(WriteBatch.put(name('a'), logged), 'sync');
  await engine.compact();
  const both = WriteBatch.put(name('a'), Buffer.alloc(10));
  both.put(name('b'), logged);
  await engine.write(both, 'sync');
  await engine.write(WriteBatch.delete(name('b')), 'sync');
  const long = Buffer.alloc(20_000, 7);
  await engine.write(WriteBatch.put(name('long'), long), 'sync');
  vfs.kill();
  vfs = new KillableVfs(new LockAsideVfs(memory));
  engine = await open();
  assert.deepEqual((await engine.verify()).damage, []);
  assert.ok(engine.getSync(name('long'))?.equals(long));
  await engine.close();
});

test('a page that is being read is not used ahead of a commit: its old bytes would come back', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const engine = await btreeKind.open('/store', { dispatch, cacheSize: 1 << 20, ...AHEAD });
  const long = (byte: number): Buffer => Buffer.alloc(200_000, byte);
  const name = (index: number): Buffer => Buffer.from(`key ${index}`);
  for (let round = 0; round < 30; round++) {
    engine.writeSync(WriteBatch.put(name(round), long(round)), 'none');
    const deleting = engine.write(WriteBatch.delete(name(round)), 'none');
    for (let turn = 0; turn < round; turn++) await Promise.resolve();
    engine.writeSync(WriteBatch.put(Buffer.from('other'), long(100 + round)), 'none');
    engine.writeSync(WriteBatch.put(Buffer.from('same'), long(50 + round)), 'none');
    await deleting;
    await new Promise((resolve) => void setImmediate(resolve));
    assert.ok(engine.getSync(Buffer.from('same'))?.equals(long(50 + round)), `round ${round}`);
    assert.ok(engine.getSync(Buffer.from('other'))?.equals(long(100 + round)), `round ${round}`);
  }
  await engine.close();
});

test('one page that had to be waited for sends few of those behind it to the thread pool', async (t) => {
  const directory = temporaryDirectory(t);
  const clock = new ManualClock();
  const open = (): Promise<Engine> => {
    return btreeKind.open(directory, {
      dispatch: new SyncDispatch(nodeVfs),
      clock,
      cacheSize: 1 << 20,
    });
  };
  const writer = await open();
  const key = Buffer.from('long');
  const value = Buffer.alloc(8 << 20, 7);
  await writer.write(WriteBatch.put(key, value), 'none');
  await writer.close();
  const engine = await open();
  const { read, readSync } = PageFile.prototype;
  t.after(() => Object.assign(PageFile.prototype, { read, readSync }));
  let [now, later, turns] = [0, 0, 0];
  PageFile.prototype.read = function (...page): Promise<void> {
    later++;
    return read.apply(this, page);
  };
  PageFile.prototype.readSync = function (...page): void {
    now++;
    if (now === 100) clock.pass(10);
    readSync.apply(this, page);
  };
  const turning = setInterval(() => turns++, 0);
  t.after(() => clearInterval(turning));
  const found = await engine.get(key);
  assert.ok(found?.equals(value));
  assert.ok(now > 2000 && later > 0 && later < 50, `${now} at once, ${later} later`);
  assert.ok(turns > 0, 'others had their turn');
  await engine.close();
});
