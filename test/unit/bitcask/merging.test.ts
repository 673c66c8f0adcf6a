/** When files are merged, what is left of them, and who may go on reading them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import type { BitcaskOptions } from '../../../src/bitcask/bitcask-options.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Progress } from '../../../src/engine/engine-reports.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { batchOfLabel, stateOfStore } from '../../support/engine-commit.ts';

/** What begins no merge by itself: a test lowers what it is about. */
const NEVER = {
  fragmentationTrigger: 100,
  deadBytesTrigger: 1e9,
  fragmentationThreshold: 100,
  deadBytesThreshold: 1e9,
  smallFileBytes: 0,
};

function open(memory: MemoryVfs, options: BitcaskOptions = {}): Promise<Engine> {
  const dispatch = new SyncDispatch(memory);
  return bitcaskKind.open('/store', {
    maxFileSize: 4096,
    preallocateBytes: 0,
    sync: 'none',
    ...options,
    dispatch,
  });
}

/** Commits, and lets the store make its next log after each: none gets longer than it has to. */
async function write(engine: Engine, ...changes: string[]): Promise<void> {
  for (const change of changes) {
    await engine.write(batchOfLabel(`c:${change}`));
    for (let turn = 0; turn < 20; turn++) await turnOfLoop();
  }
}

function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** The data files that the directory has. */
function filesOf(memory: MemoryVfs): string[] {
  const names = memory.readDirectorySync('/store').map(({ name }) => name);
  return names.filter((name) => name.endsWith('.data')).toSorted();
}

function detail(engine: Engine, name: string): number {
  return Number(engine.stats().details[name]);
}

/** Waits for a merge in the background. */
async function merged(engine: Engine, count: number): Promise<boolean> {
  for (let turn = 0; turn < 400; turn++) {
    if (detail(engine, 'mergeCount') >= count) return true;
    await turnOfLoop();
  }
  return false;
}

test('a file of which enough entries are dead is merged in the background', async () => {
  for (const [fragmentationTrigger, expected] of [
    [60, true],
    [90, false],
  ] as const) {
    const memory = new MemoryVfs();
    const merge = { ...NEVER, fragmentationTrigger, fragmentationThreshold: 40 };
    const engine = await open(memory, { merge });
    // Eight of ten entries of the first file are dead.
    await write(engine, 'k*8=100,a=1000,b=1000', 'k*8-', 'c=3000', 'd=3000');
    assert.equal(await merged(engine, 1), expected, `a trigger of ${fragmentationTrigger} %`);
    assert.equal(filesOf(memory).includes('0000000001.data'), !expected);
    assert.deepEqual([...stateOfStore(engine).keys()], ['a', 'b', 'c', 'd']);
    await engine.close();
  }
});

test('a file with enough dead bytes is merged, and files below the threshold are left alone', async () => {
  const memory = new MemoryVfs();
  const merge = { ...NEVER, deadBytesTrigger: 2000, deadBytesThreshold: 500 };
  const engine = await open(memory, { merge });
  await write(engine, 'a=1500,b=1500', 'c=3000', 'd=3000');
  const before = engine.stats().diskBytes;
  assert.equal(await merged(engine, 1), false, 'nothing is dead yet');
  // The second file stays as it is; the first is dead.
  await write(engine, 'a=10,b=10', 'e=3500');
  assert.equal(await merged(engine, 1), true);
  const files = filesOf(memory);
  assert.ok(!files.includes('0000000001.data'), files.join());
  assert.ok(files.includes('0000000002.data'), files.join());
  assert.ok(engine.stats().diskBytes < before + 3700 - 2500, 'its space has come back');
  await engine.close();
});

test('a delete stays as long as a file before it holds the key, and then goes', async () => {
  const memory = new MemoryVfs();
  const merge = { ...NEVER, deadBytesTrigger: 2000, deadBytesThreshold: 2000 };
  const engine = await open(memory, { merge });
  await write(engine, 'old=10,x=3000', 'old-,a=3000', 'a=5,b=3000', 'c=3000');
  assert.equal(await merged(engine, 1), true, 'the second file, which has the delete, is merged');
  assert.ok(filesOf(memory).includes('0000000001.data'), 'the file with the put is not');
  await engine.close();
  // Without hints, what the files say is all there is.
  for (const { name } of memory.readDirectorySync('/store')) {
    if (name.endsWith('.hint')) memory.unlinkSync(`/store/${name}`);
  }
  const again = await open(memory, { merge: false });
  assert.equal(again.getSync(Buffer.from('old')), undefined, 'the delete was merged, and counts');
  await write(again, 'x-,a-,b-,c-');
  await again.compact();
  assert.equal(again.stats().entries, 0);
  await again.close();
  assert.deepEqual(filesOf(memory), [], 'no delete has anything left to hide');
});

test('a file that was merged stays while a snapshot reads it, and goes with it', async () => {
  const memory = new MemoryVfs();
  const engine = await open(memory, { merge: false });
  await write(engine, 'a=900,b=900');
  const snapshot = engine.snapshot();
  await write(engine, 'a=10,b-');
  await engine.compact();
  assert.equal(detail(engine, 'retiredFileCount'), 1);
  assert.equal(engine.getSync(Buffer.from('b'), { snapshot })?.length, 900);
  assert.equal(engine.getSync(Buffer.from('a'), { snapshot })?.length, 900);
  assert.ok(filesOf(memory).includes('0000000001.data'));
  snapshot.release();
  assert.equal(detail(engine, 'retiredFileCount'), 0);
  await engine.close();
  assert.ok(!filesOf(memory).includes('0000000001.data'));
});

test('a state that is held for ever keeps the files of its time, and none that were made after it', async () => {
  const memory = new MemoryVfs();
  const engine = await open(memory, { merge: false });
  await write(engine, 'a=900,b=900');
  const snapshot = engine.snapshot();
  for (let round = 0; round < 5; round++) {
    const shared = engine.iterator({ snapshot });
    await write(engine, `a=3000`, `a=${3000 + round},c=${round}`);
    await engine.compact();
    shared.close();
    assert.ok(detail(engine, 'retiredFileCount') <= 2, 'what is new and dead is gone');
    assert.ok(engine.stats().diskBytes < 20_000);
  }
  assert.equal(engine.getSync(Buffer.from('a'), { snapshot })?.length, 900);
  assert.equal(engine.getSync(Buffer.from('b'), { snapshot })?.length, 900);
  // A later one keeps what is of its own time.
  const later = engine.snapshot();
  await write(engine, 'a=10,c=10');
  await engine.compact();
  assert.equal(engine.getSync(Buffer.from('a'), { snapshot: later })?.length, 3004);
  snapshot.release();
  assert.equal(engine.getSync(Buffer.from('a'), { snapshot: later })?.length, 3004);
  later.release();
  assert.equal(detail(engine, 'retiredFileCount'), 0);
  await engine.close();
});

test('merging by call tells how far it is, and a signal ends it with nothing changed', async () => {
  const memory = new MemoryVfs();
  const engine = await open(memory, { merge: false });
  for (let round = 0; round < 6; round++) await write(engine, `k*9=${300 + round}`);
  const files = filesOf(memory);
  const stop = new AbortController();
  const stopping = engine.compact(undefined, {
    signal: stop.signal,
    onProgress: () => stop.abort(new Error('enough')),
  });
  await assert.rejects(stopping, { message: 'enough' });
  assert.deepEqual(filesOf(memory).slice(0, files.length - 1), files.slice(0, -1));
  assert.equal(detail(engine, 'mergeCount'), 0);
  const seen: Progress[] = [];
  await engine.compact(undefined, { onProgress: (progress) => seen.push(progress) });
  assert.ok(seen.length >= 2);
  for (const [index, { done, total, unit }] of seen.entries()) {
    assert.equal(unit, 'bytes');
    assert.ok(done >= (seen[index - 1]?.done ?? 0) && done <= total);
  }
  assert.equal(seen.at(-1)?.done, seen.at(-1)?.total);
  assert.ok(detail(engine, 'deadBytes') <= filesOf(memory).length * 32, 'only headers are left');
  await engine.close();
});
