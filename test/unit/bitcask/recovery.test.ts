/** What opening makes of a store that was not closed, of hints, and of what is no store of this version. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crc32c } from '../../../src/base/crc32c.ts';
import { CorruptionError } from '../../../src/base/errors.ts';
import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import type { BitcaskOptions } from '../../../src/bitcask/bitcask-options.ts';
import { HintReader } from '../../../src/bitcask/hint-file.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { ForwardingVfs } from '../../../src/vfs/forwarding-vfs.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../../src/vfs/transfer.ts';
import type { VfsCall } from '../../../src/vfs/vfs-call.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { batchOfLabel, stateOfStore } from '../../support/engine-commit.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { SpyVfs } from '../../support/spy-vfs.ts';

const LOG = '/store/0000000001.data';

function open(vfs: Vfs, options: BitcaskOptions = {}): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs));
  return bitcaskKind.open('/store', {
    maxFileSize: 4096,
    preallocateBytes: 0,
    ...options,
    dispatch,
  });
}

/** The disk of a store whose process ended without closing it, after these commits. */
async function left(...commits: [changes: string, policy: 'sync' | 'none'][]): Promise<MemoryVfs> {
  const memory = new MemoryVfs();
  const engine = await open(memory, { merge: false });
  for (const [changes, policy] of commits) {
    await engine.write(batchOfLabel(`c:${changes}`), policy);
    // The next log is made, so that none gets longer than it has to.
    for (let turn = 0; turn < 20; turn++) await new Promise((done) => void setImmediate(done));
  }
  const tree = memory.toTree();
  await engine.close();
  return MemoryVfs.fromTree(tree);
}

function sizeOf(vfs: Vfs, path: string): number {
  return readWholeFileSync(vfs, path).length;
}

function truncate(vfs: Vfs, path: string, length: number): void {
  const file = vfs.openSync(path, { write: true });
  file.truncateSync(length);
  file.closeSync();
}

function overwrite(vfs: Vfs, path: string, offset: number, ...bytes: number[]): void {
  const file = vfs.openSync(path, { write: true, create: true });
  writeFullySync(file, Uint8Array.from(bytes), offset);
  file.closeSync();
}

test('a torn tail is cut and reported, once', async () => {
  const memory = await left(['a=10', 'sync'], ['b=100', 'none'], ['c=100', 'none']);
  const size = sizeOf(memory, LOG);
  truncate(memory, LOG, size - 30);
  const engine = await open(memory);
  assert.deepEqual([...stateOfStore(engine).keys()], ['a', 'b']);
  assert.equal(engine.recovery.clean, false);
  const [dropped, ...others] = engine.recovery.dropped;
  assert.deepEqual(others, []);
  assert.equal(dropped?.path, LOG);
  assert.equal(dropped.bytes, size - 30 - dropped.offset);
  assert.ok(dropped.bytes > 0);
  await engine.close();
  const again = await open(memory);
  assert.deepEqual(again.recovery.dropped, []);
  assert.equal(again.recovery.clean, true);
  assert.deepEqual([...stateOfStore(again).keys()], ['a', 'b']);
  await again.close();
});

test('a batch of which the end is torn off is not there at all', async () => {
  const memory = await left(['a=10', 'sync'], ['b=100,c=100,d=100', 'none']);
  truncate(memory, LOG, sizeOf(memory, LOG) - 1);
  const engine = await open(memory);
  assert.deepEqual([...stateOfStore(engine).keys()], ['a']);
  // Its space is not counted among the entries, and nothing of it comes back.
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
  const again = await open(memory);
  assert.deepEqual([...stateOfStore(again).keys()], ['a']);
  await again.close();
});

test('damage before an entry that says it was durable is an error that names the place', async () => {
  const memory = await left(['a=10', 'sync'], ['b=100', 'sync'], ['c=100', 'sync']);
  overwrite(memory, LOG, 60, 1, 2, 3);
  await assert.rejects(open(memory), {
    code: 'HOLDFAST_CORRUPTION',
    path: LOG,
    offset: 32,
  });
  // A later log says so too.
  const rotated = await left(['a=3000', 'sync'], ['b=3000', 'none'], ['c=3000', 'sync']);
  const second = '/store/0000000002.data';
  truncate(rotated, second, sizeOf(rotated, second) - 10);
  await assert.rejects(open(rotated), { code: 'HOLDFAST_CORRUPTION', path: second });
});

test('verify of a store that was not closed sees in its logs what opening sees', async () => {
  const verify = async (vfs: Vfs): Promise<{ sound: boolean; entries: number | undefined }> => {
    const report = await bitcaskKind.verify('/store', { dispatch: new SyncDispatch(vfs) });
    return { sound: report.sound, entries: report.entries };
  };
  const make = (): Promise<MemoryVfs> =>
    left(['a=100', 'sync'], ['b=100', 'sync'], ['c=100,d=100', 'none']);
  assert.deepEqual(await verify(await make()), { sound: true, entries: 4 });
  const torn = await make();
  truncate(torn, LOG, sizeOf(torn, LOG) - 1);
  assert.deepEqual(await verify(torn), { sound: true, entries: 2 });
  const damaged = await make();
  overwrite(damaged, LOG, 60, 1, 2, 3);
  assert.equal((await verify(damaged)).sound, false);
  await assert.rejects(open(damaged), { code: 'HOLDFAST_CORRUPTION' });
  // A later log says that the end of the one before was durable.
  const rotated = await left(['a=3000', 'sync'], ['b=3000', 'none'], ['c=3000', 'sync']);
  assert.deepEqual(await verify(rotated), { sound: true, entries: 3 });
  const second = '/store/0000000002.data';
  truncate(rotated, second, sizeOf(rotated, second) - 10);
  assert.equal((await verify(rotated)).sound, false);
});

/** Calls `hook` after each read of a data file that is longer than a header. */
class BetweenReads extends ForwardingVfs {
  hook: (() => Promise<void>) | null = null;

  override async intercept<T>(call: VfsCall, run: (call: VfsCall) => Promise<T>): Promise<T> {
    const result = await run(call);
    const isData = call.name === 'file.read' && call.path.endsWith('.data');
    if (isData && typeof result === 'number' && result > 32) await this.hook?.();
    return result;
  }
}

for (const { name, value, room, policy, atOnce } of [
  { name: 'one log', value: 100, room: 1 << 16, policy: 'sync', atOnce: 3 },
  { name: 'one log after the other', value: 20_000, room: 1 << 16, policy: 'none', atOnce: 1 },
] as const) {
  test(`verify of a store that is being written, ${name}, sees no damage where there is none`, async () => {
    const memory = new MemoryVfs();
    const options = { merge: false, maxFileSize: room, preallocateBytes: room } as const;
    const engine = await open(memory, options);
    const put = async (key: string, how: 'sync' | 'none' = policy): Promise<void> => {
      await engine.write(batchOfLabel(`c:${key}=${value}`), how);
      for (let turn = 0; turn < 20; turn++) await new Promise((done) => void setImmediate(done));
    };
    await put('a', 'sync');
    await put('b', 'sync');
    const vfs = new BetweenReads(memory);
    let writes = 0;
    vfs.hook = async () => {
      for (let times = 0; times < atOnce && writes < 9; times++)
        await put('cdefghijk'[writes++] ?? 'z');
    };
    const verify = (): ReturnType<typeof bitcaskKind.verify> =>
      bitcaskKind.verify('/store', { dispatch: new SyncDispatch(vfs) });
    assert.deepEqual((await verify()).damage, []);
    assert.ok(writes > 1, String(writes));
    // And what is damaged is damaged, whatever is written behind it.
    overwrite(memory, LOG, 60, 1, 2, 3);
    writes = 0;
    const [found] = (await verify()).damage;
    assert.equal(found?.path, LOG);
    await engine.close();
  });
}

test('a store opens through its hints without reading data, and without them just the same', async () => {
  const memory = await left(['k*8=300', 'sync'], ['k*3-,a=3000', 'sync'], ['k*2=5', 'sync']);
  await (await open(memory, { merge: false })).close();
  const tree = memory.toTree();
  const dataRead = async (change: (vfs: MemoryVfs) => void): Promise<number> => {
    const copy = MemoryVfs.fromTree(tree);
    change(copy);
    const spy = new SpyVfs(copy);
    const engine = await open(spy, { merge: false });
    const reads = spy.calls.filter(
      ({ name, path }) => name === 'file.read' && path.endsWith('.data'),
    ).length;
    assert.deepEqual([...stateOfStore(engine).keys()].toSorted(), expectedKeys);
    assert.deepEqual((await engine.verify()).damage, []);
    await engine.close();
    return reads;
  };
  const expectedKeys = ['a', 'k0', 'k1', 'k3', 'k4', 'k5', 'k6', 'k7'];
  const hints = memory.readDirectorySync('/store').filter(({ name }) => name.endsWith('.hint'));
  const files = memory.readDirectorySync('/store').filter(({ name }) => name.endsWith('.data'));
  assert.equal(hints.length, files.length);
  // One read for the header of each file.
  assert.equal(await dataRead(() => undefined), files.length);
  for (const { name } of hints) {
    const path = `/store/${name}`;
    assert.ok((await dataRead((vfs) => vfs.unlinkSync(path))) > files.length, 'missing');
    assert.ok((await dataRead((vfs) => overwrite(vfs, path, 50, 255))) > files.length, 'damaged');
    assert.ok((await dataRead((vfs) => truncate(vfs, path, 40))) > files.length, 'short');
    const other = hints.find((hint) => hint.name !== name)?.name ?? '';
    const foreign = readWholeFileSync(memory, `/store/${other}`);
    const put = (vfs: MemoryVfs): void => {
      truncate(vfs, path, 0);
      overwrite(vfs, path, 0, ...foreign);
    };
    assert.ok((await dataRead(put)) > files.length, "another file's");
  }
});

/** The file that a hint says it is of. */
function bindingOf(hint: Buffer): { number: number; length: number; fingerprint: number } {
  return {
    number: Number(hint.readBigUInt64LE(12)),
    length: Number(hint.readBigUInt64LE(20)),
    fingerprint: hint.readUInt32LE(28),
  };
}

function changed(bytes: Buffer, at: number, value: number): Buffer {
  bytes[at] = value;
  return bytes;
}

test('a hint that lies is told by verify, and gives no wrong value', async () => {
  const memory = await left(['a=10,b=20,c=5', 'sync'], ['b=30', 'sync']);
  await (await open(memory, { merge: false })).close();
  const name = memory.readDirectorySync('/store').find((each) => each.name.endsWith('.hint'))!.name;
  const path = `/store/${name}`;
  const good = readWholeFileSync(memory, path);
  // Records of `a`, `b` and `c`, each of ten bytes and the key.
  const lies: readonly [string, (bytes: Buffer) => Buffer][] = [
    ['another place', (bytes) => changed(bytes, 44, bytes[44]! + 1)],
    ['another length', (bytes) => changed(bytes, 48, bytes[48]! + 8)],
    ['another key', (bytes) => changed(bytes, 65, 0x78)],
    ['no delete', (bytes) => changed(changed(bytes, 48, 0), 50, 1)],
    [
      'a record left out',
      (bytes) => changed(Buffer.concat([bytes.subarray(0, 66), bytes.subarray(77)]), 32, 2),
    ],
    ['far away', (bytes) => changed(bytes, 47, 255)],
    ['no key', (bytes) => changed(bytes, 52, 255)],
  ];
  assert.equal(good.length, 44 + 3 * 11 + 4);
  for (const [what, lie] of lies) {
    const copy = MemoryVfs.fromTree(memory.toTree());
    const bytes = lie(Buffer.from(good));
    bytes.writeUInt32LE(crc32c(bytes, 0, bytes.length - 4), bytes.length - 4);
    truncate(copy, path, 0);
    overwrite(copy, path, 0, ...bytes);
    const counts = HintReader.open(bytes, bindingOf(bytes)) !== null;
    const { damage } = await bitcaskKind.verify('/store', { dispatch: new SyncDispatch(copy) });
    assert.deepEqual(
      damage.map((each) => each.path),
      counts ? [path] : [],
      what,
    );
    const engine = await open(copy, { merge: false });
    for (const [key, length] of [
      ['a', 10],
      ['b', 30],
      ['c', 5],
    ] as const) {
      try {
        const value = engine.getSync(Buffer.from(key));
        if (!counts) assert.equal(value?.length, length, what);
      } catch (error) {
        assert.ok(counts && error instanceof CorruptionError, `${what}: ${String(error)}`);
      }
    }
    await engine.close();
  }
});

test('a merge takes nothing away that a hint which lies would hide', async () => {
  const memory = await left(['a=10,b=20,c=5', 'sync'], ['b=30', 'sync']);
  await (await open(memory, { merge: false })).close();
  const name = memory.readDirectorySync('/store').find((each) => each.name.endsWith('.hint'))!.name;
  const path = `/store/${name}`;
  // The record of `c` is one of `x`.
  const bytes = changed(Buffer.from(readWholeFileSync(memory, path)), 76, 0x78);
  bytes.writeUInt32LE(crc32c(bytes, 0, bytes.length - 4), bytes.length - 4);
  overwrite(memory, path, 0, ...bytes);
  const engine = await open(memory, { merge: false });
  const isTold = (error: unknown): boolean =>
    error instanceof CorruptionError && error.path === path;
  await assert.rejects(engine.compact(), isTold);
  await engine.close();
  memory.unlinkSync(path);
  const again = await open(memory, { merge: false });
  await again.compact();
  assert.deepEqual([...stateOfStore(again).keys()], ['a', 'b', 'c']);
  await again.close();
});

test('a batch that the log has no room for is whole in the next one', async () => {
  const memory = await left(['a=3000', 'none'], ['b=900,c=900,d=900', 'none']);
  const second = '/store/0000000002.data';
  assert.ok(sizeOf(memory, LOG) < 4096);
  truncate(memory, second, sizeOf(memory, second) - 1);
  const engine = await open(memory, { merge: false });
  assert.deepEqual([...stateOfStore(engine).keys()], ['a']);
  await engine.close();
});

test('an empty value is a value, also after opening again', async () => {
  const memory = await left(['a=0,b=5', 'sync'], ['b=0', 'sync']);
  const engine = await open(memory);
  assert.deepEqual(
    [...stateOfStore(engine)],
    [
      ['a', ''],
      ['b', ''],
    ],
  );
  await engine.close();
});

test('what is no store of this version is refused, and stays as it is', async () => {
  const sound = await left(['a=3000', 'sync'], ['b=3000', 'sync']);
  const cases: readonly [string, (vfs: MemoryVfs) => void, object][] = [
    ['a newer data file', (vfs) => overwrite(vfs, LOG, 8, 2), { code: 'HOLDFAST_FORMAT' }],
    ['no manifest', (vfs) => vfs.unlinkSync('/store/BITCASK'), { path: '/store/BITCASK' }],
    ['a short manifest', (vfs) => truncate(vfs, '/store/BITCASK', 20), { path: '/store/BITCASK' }],
    ['an empty manifest', (vfs) => truncate(vfs, '/store/BITCASK', 0), { path: '/store/BITCASK' }],
    ['a missing file', (vfs) => vfs.unlinkSync(LOG), { path: LOG, found: 'no file' }],
    ['a short file', (vfs) => truncate(vfs, LOG, 100), { path: LOG }],
  ];
  for (const [name, change, expected] of cases) {
    const memory = MemoryVfs.fromTree(sound.toTree());
    change(memory);
    const before = memory.toTree();
    const code = 'code' in expected ? {} : { code: 'HOLDFAST_CORRUPTION' };
    await assert.rejects(open(memory), { ...code, ...expected }, name);
    assert.deepEqual(memory.toTree(), before, `${name}: nothing has changed`);
  }
  const foreign = new MemoryVfs();
  foreign.mkdirSync('/store');
  overwrite(foreign, '/store/CURRENT', 0, 65);
  await assert.rejects(open(foreign), { code: 'HOLDFAST_FOREIGN' });
});

test('what is too large is refused, and a store that is closed answers nothing', async () => {
  const engine = await open(new MemoryVfs());
  const batch = new WriteBatch();
  batch.put(Buffer.alloc(65_536), Buffer.from('value'));
  await assert.rejects(async () => engine.write(batch), { code: 'HOLDFAST_TOO_LARGE' });
  assert.throws(() => engine.writeSync(batch), { code: 'HOLDFAST_TOO_LARGE' });
  await engine.write(batchOfLabel('c:a=10'));
  assert.deepEqual([...stateOfStore(engine).keys()], ['a']);
  await engine.close();
  assert.throws(() => engine.getSync(Buffer.from('a')), { code: 'HOLDFAST_CLOSED' });
  await assert.rejects(async () => engine.write(batchOfLabel('c:b=10')), {
    code: 'HOLDFAST_CLOSED',
  });
});

test('a batch of more than is written again at once is whole after two crashes', async () => {
  const memory = new MemoryVfs();
  const options = { maxFileSize: 64 << 20, merge: false } as const;
  const engine = await open(memory, options);
  const lengths = Array.from({ length: 1500 }, (_, number) => (number === 700 ? 6 << 20 : 6000));
  const batch = new WriteBatch();
  for (const [number, length] of lengths.entries()) {
    batch.put(Buffer.from(`k${number}`), Buffer.alloc(length, number));
  }
  await engine.write(batch, 'none');
  let tree = memory.toTree();
  await engine.close();
  for (let crash = 0; crash < 2; crash++) {
    const disk = MemoryVfs.fromTree(tree);
    const again = await open(disk, options);
    // What was written again is durable: the second time there is nothing to replay.
    assert.equal(again.recovery.replayedBatches, crash === 0 ? 1 : 0);
    for (const [number, length] of lengths.entries()) {
      const value = again.getSync(Buffer.from(`k${number}`));
      assert.ok(value?.equals(Buffer.alloc(length, number)), `k${number}`);
    }
    tree = disk.toTree();
    await again.close();
  }
});

test('options of a wrong type are refused before anything is made', async () => {
  const wrong: Record<string, unknown>[] = [
    { timeOfDay: 5 },
    { timeOfDay: null },
    { batch: 5 },
    { batch: null },
    { batch: { records: '5' } },
    { batch: { bytes: 0 } },
    { merge: true },
    { merge: null },
    { merge: 'off' },
    { merge: { fragmentationTrigger: '60' } },
    { merge: { smallFileBytes: NaN } },
    { cacheSize: '1' },
    { preallocateBytes: -1 },
  ];
  for (const options of wrong) {
    const memory = new MemoryVfs();
    const [name = ''] = Object.keys(options).slice(-1);
    await assert.rejects(
      () => open(memory, options),
      (error: Error) => error instanceof TypeError && error.message.startsWith(name),
    );
    assert.deepEqual(memory.readDirectorySync('/'), []);
  }
});
