/** The index file: when it is written and read, and that nothing wrong with it can do harm. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crc32c, extendCrc32c } from '../../../src/base/crc32c.ts';
import { Prng } from '../../../src/base/prng.ts';
import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import type { BitcaskTestOptions } from '../../../src/bitcask/bitcask-options.ts';
import { INDEX_BLOCK_BYTES, indexHeaderBytes } from '../../../src/bitcask/index-file.ts';
import { CorruptionError } from '../../../src/base/errors.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { FaultVfs } from '../../../src/vfs/fault-vfs.ts';
import type { FaultKind } from '../../../src/vfs/fault.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync } from '../../../src/vfs/transfer.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { batchOfLabel, stateOfStore } from '../../support/engine-commit.ts';
import type { TextState } from '../../support/engine-commit.ts';
import { LockAsideVfs } from '../../support/lock-aside-vfs.ts';
import { SpyVfs } from '../../support/spy-vfs.ts';

const THOROUGH = process.env['HOLDFAST_FAULTS'] === 'all';
const SMALL: BitcaskTestOptions = {
  maxFileSize: 4096,
  preallocateBytes: 0,
  merge: false,
  indexEntriesMin: 1,
};

function open(vfs: Vfs, options: BitcaskTestOptions = {}): Promise<Engine> {
  const dispatch = new SyncDispatch(new LockAsideVfs(vfs));
  return bitcaskKind.open('/store', { ...SMALL, ...options, dispatch });
}

/** Opens the store, commits, and closes it. */
async function use(vfs: Vfs, ...commits: string[]): Promise<void> {
  const engine = await open(vfs);
  for (const changes of commits) await engine.write(batchOfLabel(`c:${changes}`), 'sync');
  await engine.close();
}

async function madeStore(): Promise<MemoryVfs> {
  const memory = new MemoryVfs();
  await use(memory, 'k*12=60,a=1500', 'k*3-,b=2500,c=0', 'a=1600,d=5', 'k*5=10');
  return memory;
}

function copyOf(memory: MemoryVfs): MemoryVfs {
  return MemoryVfs.fromTree(memory.toTree());
}

function names(vfs: Vfs, kind: string): string[] {
  const all = vfs.readDirectorySync('/store').map(({ name }) => name);
  return all.filter((name) => name.endsWith(kind));
}

function indexPath(vfs: Vfs): string {
  const [name, ...more] = names(vfs, '.index');
  assert.ok(name !== undefined && more.length === 0);
  return `/store/${name}`;
}

function replace(vfs: Vfs, path: string, bytes: Uint8Array): void {
  const file = vfs.openSync(path, { write: true, create: true, truncate: true });
  file.writeSync(bytes, 0, bytes.length, 0);
  file.closeSync();
}

/** What a store shows, whether its index file was read, and the damage that `verify` tells. */
async function shown(
  vfs: Vfs,
): Promise<{ state: TextState; wasUsed: boolean; damage: readonly string[] }> {
  const dispatch = new SyncDispatch(vfs);
  const { damage } = await bitcaskKind.verify('/store', { dispatch });
  const spy = new SpyVfs(vfs);
  const engine = await open(spy);
  const opened = spy.calls.filter(({ name }) => name === 'file.read').map(({ path }) => path);
  const state = stateOfStore(engine);
  // Its blocks, and not only its header, were read; then neither hints nor entries were.
  const isRead = opened.filter((path) => path.endsWith('.index')).length > 2;
  const others = opened.filter((path) => path.endsWith('.hint')).length;
  const headers = names(vfs, '.data').length;
  const reads = opened.filter((path) => path.endsWith('.data')).length;
  await engine.close();
  const wasUsed = isRead && others === 0 && reads < headers;
  return { state, wasUsed, damage: damage.map(({ path }) => path) };
}

test('a store that was closed opens from its index file alone, and shows the same without it', async () => {
  const memory = await madeStore();
  const without = copyOf(memory);
  without.unlinkSync(indexPath(without));
  const expected = await shown(without);
  const given = await shown(memory);
  assert.deepEqual([expected.wasUsed, given.wasUsed], [false, true]);
  assert.deepEqual(given.state, expected.state);
  assert.deepEqual([...given.damage, ...expected.damage], []);
  assert.equal(given.state.size, 16);
});

test('an index file is written again when much has come, and else serves with what came later', async () => {
  const memory = new MemoryVfs();
  await use(memory, 'k*16=10');
  const first = indexPath(memory);
  await use(memory);
  assert.equal(indexPath(memory), first, 'nothing is new');
  await use(memory, 'a=5');
  assert.equal(indexPath(memory), first, 'one of sixteen');
  const { state, wasUsed, damage } = await shown(memory);
  assert.deepEqual([state.size, damage], [17, []]);
  assert.equal(wasUsed, false, 'the hint of what came later is read too');
  await use(memory, 'b=5');
  assert.notEqual(indexPath(memory), first, 'two of sixteen');
  assert.equal((await shown(memory)).wasUsed, true);
});

test('a small store has no index file', async () => {
  const memory = new MemoryVfs();
  const engine = await open(memory, { indexEntriesMin: 100 });
  await engine.write(batchOfLabel('c:k*99=1'), 'sync');
  await engine.close();
  assert.deepEqual(names(memory, '.index'), []);
  assert.equal(names(memory, '.hint').length, 1);
});

test('hints go that would take more than a sixteenth of their data files, and others stay', async () => {
  const memory = new MemoryVfs();
  await use(memory, 'a=3900');
  await use(memory, 'k*9=10');
  assert.equal(names(memory, '.data').length, 2);
  assert.deepEqual(names(memory, '.hint'), ['0000000001.hint']);
});

test('an index file is synced before the hints that it stands for go, and the index before it', async () => {
  const memory = new MemoryVfs();
  await use(memory, 'k*16=10');
  const spy = new SpyVfs(memory);
  await use(spy, 'm*16=10');
  const calls = spy.calls.filter(({ name, path }) => {
    const isSync = name === 'file.datasync' && path.endsWith('.index');
    return isSync || (name === 'unlink' && /\.(?:index|hint)$/.test(path));
  });
  // No crash misses the sync: without it, all that a power cut takes is the time of the next opening.
  const [first, ...others] = calls.map(({ name }) => name);
  assert.equal(first, 'file.datasync');
  assert.ok(others.length >= 2 && others.every((name) => name === 'unlink'));
});

test('any bit that flips in an index file makes it count no more, and harms nothing', async () => {
  const memory = await madeStore();
  const path = indexPath(memory);
  const { state } = await shown(copyOf(memory));
  const good = readWholeFileSync(memory, path);
  for (let bit = 0; bit < good.length * 8; bit += THOROUGH ? 1 : 97) {
    const bytes = good.slice();
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    const copy = copyOf(memory);
    replace(copy, path, bytes);
    assert.deepEqual(await shown(copy), { state, wasUsed: false, damage: [] }, `bit ${bit}`);
  }
});

test('an index file of another length, or with zeros in it, does not count', async () => {
  const memory = await madeStore();
  const path = indexPath(memory);
  const { state } = await shown(copyOf(memory));
  const good = readWholeFileSync(memory, path);
  const torn: Uint8Array[] = [Buffer.concat([good, Buffer.alloc(1)])];
  for (let size = 0; size < good.length; size += THOROUGH ? 1 : 61) {
    torn.push(good.slice(0, size), good.slice().fill(0, size));
  }
  for (const [index, bytes] of torn.entries()) {
    const copy = copyOf(memory);
    replace(copy, path, bytes);
    assert.deepEqual(await shown(copy), { state, wasUsed: false, damage: [] }, `number ${index}`);
  }
});

test('an index file of several blocks counts with all of them, in their order', async () => {
  const memory = new MemoryVfs();
  const options = { maxFileSize: 64 << 20, indexEntriesMin: 1 };
  const engine = await open(memory, options);
  for (let round = 0; round < 4; round++) {
    const keys = Array.from(
      { length: 10_000 },
      (_, number) => `${round * 7919 + number * 104_729}`,
    );
    const batch = new WriteBatch();
    for (const key of keys) batch.put(Buffer.from(key.padStart(20)), Buffer.from(key));
    await engine.write(batch, 'none');
  }
  await engine.close();
  const path = indexPath(memory);
  const good = readWholeFileSync(memory, path);
  const start = indexHeaderBytes(good);
  const block = (number: number): Uint8Array => {
    const at = start + number * INDEX_BLOCK_BYTES;
    return good.subarray(at, at + INDEX_BLOCK_BYTES);
  };
  const head = good.subarray(0, start);
  const last = block(2);
  assert.ok(last.length > 0 && last.length < INDEX_BLOCK_BYTES);
  const cases: [what: string, bytes: Uint8Array, counts: boolean][] = [
    ['all', good, true],
    ['the last one is missing', Buffer.concat([head, block(0), block(1)]), false],
    ['the first one is missing', Buffer.concat([head, block(1), last]), false],
    ['exchanged', Buffer.concat([head, block(1), block(0), last]), false],
    ['twice', Buffer.concat([head, block(0), block(0), block(1), last]), false],
  ];
  for (const [what, bytes, counts] of cases) {
    const copy = copyOf(memory);
    replace(copy, path, bytes);
    const { state, wasUsed, damage } = await shown(copy);
    assert.deepEqual([state.size, wasUsed, damage], [40_000, counts, []], what);
  }
});

test('an index file of another state of the store, or of another store, does not count', async () => {
  const first = new MemoryVfs();
  await use(first, 'k*12=60,a=10');
  const second = copyOf(first);
  await use(second, 'k*6-,b=20');
  const third = copyOf(second);
  await use(third, 'k*12=61,a-', 'c=3000');
  // A copy of the first that went on in another way: the same numbers, lengths and sequence.
  const other = copyOf(first);
  await use(other, 'k*6-,d=20');
  const merged = copyOf(third);
  const engine = await open(merged, { indexEntriesMin: Infinity });
  await engine.compact();
  await engine.close();
  const made = { first, second, third, other, merged };
  const isPart = (from: string, into: string): boolean =>
    from === into ||
    `${from} ${into}` === 'first other' ||
    ['first second'].includes(`${from} ${into}`);
  for (const [into, store] of Object.entries(made)) {
    const { state } = await shown(copyOf(store));
    for (const [from, source] of Object.entries(made)) {
      if (names(source, '.index').length === 0) continue;
      const copy = copyOf(store);
      for (const name of names(copy, '.index')) copy.unlinkSync(`/store/${name}`);
      const path = indexPath(source);
      replace(copy, path, readWholeFileSync(source, path));
      const found = await shown(copy);
      assert.deepEqual(found.state, state, `that of ${from} in ${into}`);
      assert.deepEqual(found.damage, [], `that of ${from} in ${into}`);
      if (!isPart(from, into) && found.wasUsed) assert.fail(`that of ${from} in ${into} was used`);
    }
  }
});

/** The bytes with checksums that are right. */
function resealed(bytes: Uint8Array): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const length = indexHeaderBytes(bytes);
  if (length === 0 || length > bytes.length) return bytes;
  const header = crc32c(bytes, 0, length - 4);
  view.setUint32(length - 4, header, true);
  view.setUint32(length, extendCrc32c(header, bytes, length + 4), true);
  return bytes;
}

test('an index file that lies with right checksums is told by verify or does not count, and stops nothing', async () => {
  const memory = await madeStore();
  const path = indexPath(memory);
  const { state } = await shown(copyOf(memory));
  const good = readWholeFileSync(memory, path);
  assert.deepEqual(resealed(good.slice()), good);
  const random = new Prng(5);
  let told = 0;
  for (let run = 0; run < (THOROUGH ? 20_000 : 200); run++) {
    const bytes = good.slice();
    for (let changes = random.below(2); changes >= 0; changes--) {
      bytes[8 + random.below(bytes.length - 8)] = random.chance(0.5)
        ? random.below(256)
        : random.below(4);
    }
    if (Buffer.compare(bytes, good) === 0) continue;
    const copy = copyOf(memory);
    replace(copy, path, resealed(bytes));
    const dispatch = new SyncDispatch(copy);
    const { damage } = await bitcaskKind.verify('/store', { dispatch });
    if (damage.length > 0) {
      told++;
      assert.deepEqual(
        damage.map((each) => each.path),
        [path],
      );
    }
    const engine = await open(copy);
    for (const [key, value] of state) {
      try {
        const found = engine.getSync(Buffer.from(key));
        if (damage.length === 0) assert.equal(found?.toString(), value, `run ${run}: ${key}`);
        else if (found?.length) assert.equal(found[0], 0x63, `run ${run}: ${key}`);
      } catch (error) {
        if (damage.length === 0 || !(error instanceof CorruptionError)) throw error;
      }
    }
    try {
      const scanned = stateOfStore(engine);
      if (damage.length === 0) assert.deepEqual(scanned, state, `run ${run}`);
    } catch (error) {
      if (damage.length === 0 || !(error instanceof CorruptionError)) throw error;
    }
    await engine.write(batchOfLabel('c:new=5,k*9-'), 'none');
    await engine.compact().catch((error: unknown) => {
      if (damage.length === 0 || !(error instanceof CorruptionError)) throw error;
    });
    await engine.close();
  }
  assert.ok(told > 10, `${told} told`);
});

test('a merge takes nothing away that an index file which lies would hide', async () => {
  const memory = new MemoryVfs();
  await use(memory, 'a=10,b=20,c=5');
  const path = indexPath(memory);
  const bytes = readWholeFileSync(memory, path).slice();
  // The last byte is that of the key `c`.
  bytes[bytes.length - 1] = 0x78;
  replace(memory, path, resealed(bytes));
  const engine = await open(memory, { indexEntriesMin: Infinity });
  await engine.write(batchOfLabel('c:d=1'), 'sync');
  await assert.rejects(engine.compact(), (error) => {
    return error instanceof CorruptionError && error.path === path;
  });
  await engine.close();
  memory.unlinkSync(path);
  const again = await open(memory);
  await again.compact();
  assert.deepEqual([...stateOfStore(again).keys()], ['a', 'b', 'c', 'd']);
  await again.close();
});

for (const kind of [
  'EIO',
  'ENOSPC',
  'EDQUOT',
  'EMFILE',
  'short-write',
] as const satisfies FaultKind[]) {
  test(`closing succeeds when the index file cannot be written: ${kind}`, async () => {
    const sound = await madeStore();
    const { state } = await shown(copyOf(sound));
    let failed = 0;
    for (let nth = 1; ; nth++) {
      const copy = copyOf(sound);
      const vfs = new FaultVfs(copy, { kind, nth, path: /\.index$/ });
      const engine = await open(vfs);
      await engine.write(batchOfLabel('c:n*20=10'), 'sync');
      await engine.close();
      assert.ok(names(copy, '.index').length <= 2);
      const found = await shown(copy);
      assert.deepEqual(found.damage, [], `call ${nth}`);
      assert.equal(found.state.size, state.size + 20, `call ${nth}`);
      await use(copy, 'm*30=5');
      assert.equal((await shown(copy)).state.size, state.size + 50, `call ${nth}`);
      if (vfs.injected.length === 0) break;
      failed++;
    }
    assert.ok(failed > 0);
  });
}

test('an index file that a merge has made wrong is removed, at the latest by closing', async () => {
  const memory = await madeStore();
  const before = indexPath(memory);
  const engine = await open(memory, { indexEntriesMin: 1000 });
  await engine.compact();
  await engine.close();
  assert.deepEqual(names(memory, '.index'), []);
  const copy = await madeStore();
  replace(memory, before, readWholeFileSync(copy, before));
  const again = await open(memory, { indexEntriesMin: 1000 });
  assert.deepEqual(names(memory, '.index'), [], 'one that does not count is swept at opening');
  await again.close();
});
