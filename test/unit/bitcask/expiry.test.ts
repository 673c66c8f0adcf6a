/** Entries that expire: gone for every reader, and for good, also with the clock set back. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import type { MergeOptions } from '../../../src/bitcask/bitcask-options.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { stateOfStore } from '../../support/engine-commit.ts';
import { SpyVfs } from '../../support/spy-vfs.ts';

let now = 0;

function open(vfs: Vfs, merge: MergeOptions | false = false): Promise<Engine> {
  return bitcaskKind.open('/store', {
    maxFileSize: 4096,
    preallocateBytes: 0,
    merge,
    timeOfDay: () => now,
    dispatch: new SyncDispatch(vfs),
  });
}

async function put(engine: Engine, key: string, lifetimeMs: number, bytes = 5): Promise<void> {
  const batch = new WriteBatch();
  batch.put(Buffer.from(key), Buffer.alloc(bytes, key), lifetimeMs);
  await engine.write(batch);
}

/** The keys that each way of reading shows. */
async function shown(engine: Engine, keys: readonly string[]): Promise<string[][]> {
  const bytes = keys.map((key) => Buffer.from(key));
  const there = (found: readonly unknown[]): string[] =>
    keys.filter((_, index) => found[index] !== undefined && found[index] !== false);
  return [
    there(bytes.map((key) => engine.getSync(key))),
    there(await Promise.all(bytes.map(async (key) => engine.get(key)))),
    there(await engine.getMany(bytes)),
    there(await Promise.all(bytes.map(async (key) => engine.has(key)))),
    there(bytes.map((key) => engine.hasSync(key))),
    [...stateOfStore(engine).keys()],
  ];
}

test('an entry is there for its life, and gone for every reader when it is over', async () => {
  now = 1000;
  const engine = await open(new MemoryVfs());
  await put(engine, 'a', 500);
  await put(engine, 'b', 0);
  await put(engine, 'c', 500);
  await put(engine, 'c', 0);
  await put(engine, 'd', 0);
  await put(engine, 'd', 500);
  const snapshot = engine.snapshot();
  now = 1499;
  for (const keys of await shown(engine, ['a', 'b', 'c', 'd'])) {
    assert.deepEqual(keys, ['a', 'b', 'c', 'd']);
  }
  now = 1500;
  for (const keys of await shown(engine, ['a', 'b', 'c', 'd'])) assert.deepEqual(keys, ['b', 'c']);
  assert.equal(engine.getSync(Buffer.from('a'), { snapshot }), undefined);
  now = 1100;
  for (const keys of await shown(engine, ['a', 'b', 'c', 'd'])) assert.deepEqual(keys, ['b', 'c']);
  await engine.close();
});

test('what was seen to be gone is gone after a restart with the clock set back, closed or not', async () => {
  for (const closed of [true, false]) {
    now = 1000;
    const memory = new MemoryVfs();
    const engine = await open(memory);
    await put(engine, 'a', 500);
    await put(engine, 'b', 5000);
    now = 2000;
    assert.equal(engine.getSync(Buffer.from('a')), undefined);
    const tree = memory.toTree();
    await engine.close();
    now = 1000;
    const again = await open(closed ? memory : copyWithoutLock(tree));
    for (const keys of await shown(again, ['a', 'b'])) assert.deepEqual(keys, ['b']);
    await again.close();
  }
});

test('one write stores the time for all that has expired by then', async () => {
  now = 1000;
  const spy = new SpyVfs(new MemoryVfs());
  const engine = await open(spy);
  for (const key of ['a', 'b', 'c']) await put(engine, key, 100);
  now = 2000;
  const before = writesOf(spy);
  for (let read = 0; read < 5; read++) {
    for (const key of ['a', 'b', 'c']) assert.equal(engine.getSync(Buffer.from(key)), undefined);
  }
  assert.equal(writesOf(spy) - before, 1);
  await engine.close();
});

test('merging gives back the space of what has expired, and it stays gone', async () => {
  now = 1000;
  const memory = new MemoryVfs();
  const engine = await open(memory);
  await put(engine, 'a', 0, 300);
  await put(engine, 'a', 500, 3000);
  await put(engine, 'b', 0, 10);
  now = 3000;
  await engine.compact();
  assert.equal(engine.stats().entries, 1);
  assert.ok(engine.stats().diskBytes < 1000, `${engine.stats().diskBytes} bytes`);
  await engine.close();
  now = 1000;
  const again = await open(memory);
  for (const keys of await shown(again, ['a', 'b'])) assert.deepEqual(keys, ['b']);
  await again.close();
});

test('a file of which nothing but time has come is merged by call, and in the background when all of it is over', async () => {
  now = 1000;
  const memory = new MemoryVfs();
  const engine = await open(memory);
  for (let index = 0; index < 5; index++) await put(engine, `k${index}`, 500, 100);
  await put(engine, 'stays', 0);
  await engine.compact();
  now = 1600;
  await engine.compact();
  assert.equal(engine.stats().entries, 1, 'by call');
  assert.ok(engine.stats().diskBytes < 150, `${engine.stats().diskBytes} bytes`);
  await engine.close();

  const sessions = await open(new MemoryVfs(), {});
  for (let round = 0; round < 20; round++) {
    for (let index = 0; index < 10; index++) await put(sessions, `s${round}.${index}`, 500, 400);
    now += 600;
    for (let turn = 0; turn < 40; turn++) await new Promise((done) => void setImmediate(done));
  }
  const { entries, diskBytes } = sessions.stats();
  assert.ok(entries !== undefined && entries < 50, `${entries} entries`);
  assert.ok(diskBytes < 30_000, `${diskBytes} bytes`);
  await sessions.close();
});

test('what was seen to be gone stays so when the store is repaired with the clock set back', async () => {
  now = 1000;
  const memory = new MemoryVfs();
  const engine = await open(memory);
  await put(engine, 'a', 500);
  await put(engine, 'b', 0);
  now = 1500;
  assert.equal(engine.getSync(Buffer.from('a')), undefined);
  const left = copyWithoutLock(memory.toTree());
  await engine.close();
  now = 1000;
  for (const lost of [[], ['/store/BITCASK']]) {
    const copy = copyWithoutLock(left.toTree());
    for (const path of lost) copy.unlinkSync(path);
    await bitcaskKind.repair('/store', { dispatch: new SyncDispatch(copy) });
    const repaired = await open(copy);
    for (const keys of await shown(repaired, ['a', 'b'])) assert.deepEqual(keys, ['b']);
    await repaired.close();
  }
});

test('a lifetime that is none is refused', () => {
  const batch = new WriteBatch();
  assert.throws(() => batch.put(Buffer.from('a'), Buffer.from('b'), -1));
});

function copyWithoutLock(tree: ReturnType<MemoryVfs['toTree']>): MemoryVfs {
  const memory = MemoryVfs.fromTree(tree);
  for (const { name } of memory.readDirectorySync('/store')) {
    if (name.startsWith('holdfast-lock')) memory.unlinkSync(`/store/${name}`);
  }
  return memory;
}

function writesOf(spy: SpyVfs): number {
  return spy.calls.filter(({ name }) => name === 'file.write').length;
}
