/** Scans: values are read many at a time, whatever the order in which they were written. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { EntryIterator } from '../../../src/engine/entry-iterator.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { nodeVfs } from '../../../src/vfs/node-vfs.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { SpyVfs } from '../../support/spy-vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const ENTRIES = 3000;

function open(vfs: Vfs, directory: string): Promise<Engine> {
  const dispatch = new SyncDispatch(vfs);
  const maxFileSize = 64 << 10;
  return bitcaskKind.open(directory, { dispatch, maxFileSize, merge: false, cacheSize: 0 });
}

function keyOf(number: number): Buffer {
  return Buffer.from(`k${String(number).padStart(6, '0')}`);
}

/** Mostly short, some empty, some longer than what is read at once. */
function valueOf(number: number, long: boolean): Buffer {
  const length = long && number % 500 === 7 ? 700_000 : (number * 37) % 300;
  return Buffer.alloc(length, number);
}

/** A closed store of many keys, written in random order. */
async function fill(vfs: Vfs, directory: string, long: boolean): Promise<void> {
  const engine = await open(vfs, directory);
  const random = new Prng(5);
  const left = Array.from({ length: ENTRIES }, (_, number) => number);
  while (left.length > 0) {
    const batch = new WriteBatch();
    for (let count = 0; count < 50 && left.length > 0; count++) {
      const [number = 0] = left.splice(random.below(left.length), 1);
      batch.put(keyOf(number), valueOf(number, long));
    }
    await engine.write(batch, 'none');
  }
  await engine.close();
}

/** Reads to the end; gives the numbers of the entries, whose values must be right. */
async function numbersOf(
  iterator: EntryIterator,
  long: boolean,
  atOnce: number = 1000,
): Promise<number[]> {
  const numbers: number[] = [];
  const entry = (k: Buffer, kFrom: number, kTo: number, v: Buffer, from: number, to: number) => {
    const number = Number(k.toString('latin1', kFrom + 1, kTo));
    numbers.push(number);
    assert.ok(v.subarray(from, to).equals(valueOf(number, long)), `value of ${number}`);
  };
  while ((await iterator.read({ entry }, atOnce, 1 << 20)) > 0);
  return numbers;
}

const ALL = Array.from({ length: ENTRIES }, (_, number) => number);

test('a scan reads values that lie in disorder in few calls, both ways', async () => {
  const memory = new LockAsideVfs(new MemoryVfs());
  await fill(memory, '/store', false);
  const spy = new SpyVfs(memory);
  const engine = await open(spy, '/store');
  for (const reverse of [false, true]) {
    spy.calls.length = 0;
    const numbers = await numbersOf(engine.iterator({ reverse, fillCache: false }), false);
    assert.deepEqual(numbers, reverse ? ALL.toReversed() : ALL);
    const reads = spy.names.filter((name) => name === 'file.read').length;
    assert.ok(reads > 0 && reads < ENTRIES / 50, `${reads} reads`);
    assert.ok(!spy.names.includes('file.read+'), 'nothing is read on the calling thread');
  }
  await engine.close();
});

test('ranges, limits, seeks and long values are right, on the machine’s files too', async (t) => {
  const directory = `${temporaryDirectory(t)}/store`;
  await fill(nodeVfs, directory, true);
  const engine = await open(nodeVfs, directory);
  assert.deepEqual(await numbersOf(engine.iterator(), true), ALL);
  assert.deepEqual(await numbersOf(engine.iterator({ reverse: true }), true, 3), ALL.toReversed());
  const range = { gt: keyOf(100), lte: keyOf(1200) };
  assert.deepEqual(await numbersOf(engine.iterator(range), true), ALL.slice(101, 1201));
  assert.deepEqual(await numbersOf(engine.iterator({ limit: 777 }), true), ALL.slice(0, 777));
  const iterator = engine.iterator();
  for (const to of [2000, 10, 1500]) {
    iterator.seek(keyOf(to));
    let next = to;
    const entry = (keys: Buffer, start: number, end: number): void => {
      assert.deepEqual(keys.subarray(start, end), keyOf(next++));
    };
    for (let read = 0; read < 5; read++) await iterator.read({ entry }, 100, Infinity);
    assert.ok(next > to);
  }
  await engine.close();
});

test('entries that cannot be read together are read alone, and the error is of the right one', async () => {
  const memory = new LockAsideVfs(new MemoryVfs());
  await fill(memory, '/store', false);
  const spy = new SpyVfs(memory);
  const engine = await open(spy, '/store');
  spy.refuse('file.read', 'EIO', 2);
  assert.deepEqual(await numbersOf(engine.iterator(), false), ALL);
  const iterator = engine.iterator();
  spy.refuse('file.read', 'EIO', Infinity);
  const entry = (): void => assert.fail('nothing can be read');
  await assert.rejects(async () => iterator.read({ entry }, 10, Infinity), { code: 'EIO' });
  await assert.rejects(async () => iterator.read({ entry }, 10, Infinity), { code: 'EIO' });
  await engine.close().catch(() => 'its lock cannot be read either');
});

test('an iterator that is closed while it reads ends the read, and the store can be closed', async () => {
  const memory = new LockAsideVfs(new MemoryVfs());
  await fill(memory, '/store', false);
  const spy = new SpyVfs(memory);
  const engine = await open(spy, '/store');
  const iterator = engine.iterator();
  const release = spy.hold('file.read');
  const entry = (): void => assert.fail('the iterator is closed');
  const read = (async () => iterator.read({ entry }, 1000, Infinity))();
  iterator.close();
  const closed = assert.rejects(read, { code: 'HOLDFAST_CLOSED' });
  release();
  await closed;
  await engine.close();
});
