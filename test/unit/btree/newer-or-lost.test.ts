/** B+trees of which a newer version wrote a part, or that lost one of their files: every call says the same of them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crc32c } from '../../../src/base/crc32c.ts';
import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import {
  destroyStore,
  repairStore,
  statsOfStore,
  verifyStore,
} from '../../../src/level/store-places.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../../src/vfs/transfer.ts';
import { WriteAheadLog } from '../../../src/wal/write-ahead-log.ts';

const POINTER = '/store/log/holdfast-wal';
const PAGES = '/store/tree.pages';
const ENTRIES = 25;

/** A store whose process was killed: the log has all of it. */
async function killedStore(): Promise<{ vfs: MemoryVfs; dispatch: SyncDispatch }> {
  const live = new MemoryVfs();
  const engine = await btreeKind.open('/store', { dispatch: new SyncDispatch(live) });
  for (let index = 0; index < ENTRIES; index++) {
    engine.writeSync(WriteBatch.put(Buffer.from(`key ${index}`), Buffer.from('value')), 'sync');
  }
  const vfs = MemoryVfs.fromTree(live.toTree());
  await engine.close();
  for (const owned of ['/store', '/store/log']) vfs.unlinkSync(`${owned}/holdfast-lock-00000001`);
  return { vfs, dispatch: new SyncDispatch(vfs) };
}

function write(vfs: MemoryVfs, path: string, bytes: Uint8Array): void {
  const file = vfs.openSync(path, { write: true, create: true, truncate: true });
  writeFullySync(file, bytes, 0);
  file.closeSync();
}

/** Changes a byte of a pointer file; `sealed`: its checksum is right for that. */
function change(vfs: MemoryVfs, offset: number, value: number, sealed: boolean): void {
  const bytes = Buffer.from(readWholeFileSync(vfs, POINTER));
  bytes[offset] = value;
  if (sealed) bytes.writeUInt32LE(crc32c(bytes, 0, bytes.length - 4), bytes.length - 4);
  write(vfs, POINTER, bytes);
}

function content(vfs: MemoryVfs): string[] {
  return ['/store', '/store/log'].flatMap((directory) =>
    vfs.readDirectorySync(directory).map(({ name, kind }) => {
      const path = `${directory}/${name}`;
      if (kind !== 'file') return path;
      return `${path} ${Buffer.from(readWholeFileSync(vfs, path)).toString('base64')}`;
    }),
  );
}

for (const [what, offset] of [
  ['log', 16],
  ['pointer of the log', 8],
] as const) {
  test(`a ${what} of a newer version is HOLDFAST_FORMAT for every call, and nothing is changed`, async () => {
    const { vfs, dispatch } = await killedStore();
    change(vfs, offset, 2, true);
    const before = content(vfs);
    const newer = { code: 'HOLDFAST_FORMAT', message: /holdfast-wal.* version 2/ };
    await assert.rejects(btreeKind.open('/store', { dispatch }), newer);
    await assert.rejects(verifyStore('/store', { dispatch }), newer);
    await assert.rejects(repairStore('/store', { dispatch }), newer);
    const names = (lines: string[]): string[] =>
      lines.filter((line) => !line.includes('holdfast-lock'));
    assert.deepEqual(names(content(vfs)), names(before));
  });
}

test('a flipped version byte of the log’s pointer is damage, and is told once', async () => {
  const { vfs, dispatch } = await killedStore();
  change(vfs, 8, 2, false);
  await assert.rejects(btreeKind.open('/store', { dispatch }), { code: 'HOLDFAST_CORRUPTION' });
  const { sound, damage } = await verifyStore('/store', { dispatch });
  assert.equal(sound, false);
  assert.deepEqual(
    damage.map(({ path, message }) => [path, message]),
    [
      [POINTER, `${POINTER} is damaged at byte 8: expected version 1, found 2`],
      [PAGES, 'it names no root: all of the tree was in the log'],
    ],
  );
  const report = await repairStore('/store', { dispatch });
  assert.equal(report.damage.length, 2);
});

test('a pointer of the log with the content of another store is foreign', async () => {
  const { vfs, dispatch } = await killedStore();
  const other = Buffer.alloc(16 + 8 + 4);
  other.set(readWholeFileSync(vfs, POINTER).subarray(0, 12));
  other.writeUInt32LE(8, 12);
  other.write('bitcask\u0001', 16, 'latin1');
  other.writeUInt32LE(crc32c(other, 0, 24), 24);
  write(vfs, POINTER, other);
  await assert.rejects(btreeKind.open('/store', { dispatch }), {
    code: 'HOLDFAST_FOREIGN',
    message: `${POINTER} is the pointer file of something else`,
  });
});

test('a leaf with a flipped byte: each finding is told once', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const engine = await btreeKind.open('/store', { dispatch });
  const batch = new WriteBatch();
  for (let index = 1000; index < 1200; index++) {
    batch.put(Buffer.from(`key ${index}`), Buffer.alloc(100));
  }
  await engine.write(batch);
  await engine.close();
  const pages = Buffer.from(readWholeFileSync(vfs, PAGES));
  pages[2 * 4096 + 4000]! ^= 1;
  write(vfs, PAGES, pages);
  const { damage } = await verifyStore('/store', { dispatch });
  const messages = damage.map(({ message }) => message);
  assert.match(messages[0] ?? '', /checksum/);
  assert.match(messages[1] ?? '', /^200 entries are counted, \d+ are there$/);
  assert.equal(messages.length, 2, messages.join('\n'));
});

test('a store without its log is damaged, in words of ours', async () => {
  const { vfs, dispatch } = await killedStore();
  vfs.renameSync('/store/log', '/log');
  const { damage } = await verifyStore('/store', { dispatch });
  assert.deepEqual(damage[0], { path: '/store/log', offset: undefined, message: 'it is missing' });
});

for (const [what, lose] of [
  ['lost its pages', (vfs: MemoryVfs) => vfs.unlinkSync(PAGES)],
  ['has an empty file of pages', (vfs: MemoryVfs) => write(vfs, PAGES, new Uint8Array(0))],
] as const) {
  test(`a store that ${what} is damaged, and repair saves what the log has`, async () => {
    const { vfs, dispatch } = await killedStore();
    lose(vfs);
    const damaged = { code: 'HOLDFAST_CORRUPTION', path: PAGES };
    for (const createIfMissing of [true, false]) {
      await assert.rejects(btreeKind.open('/store', { dispatch, createIfMissing }), damaged);
    }
    await assert.rejects(statsOfStore('/store', { dispatch }), damaged);
    const { sound, damage } = await verifyStore('/store', { dispatch });
    assert.deepEqual([sound, damage[0]?.path], [false, PAGES]);
    const { savedEntries } = await repairStore('/store', { dispatch });
    assert.equal(savedEntries, ENTRIES);
    assert.equal((await verifyStore('/store', { dispatch })).entries, ENTRIES);
  });
}

test('a closed store that lost its pages is repaired to an empty one, and what is left is kept', async () => {
  const { vfs, dispatch } = await killedStore();
  await (await btreeKind.open('/store', { dispatch })).close();
  vfs.unlinkSync(PAGES);
  assert.equal((await verifyStore('/store', { dispatch })).sound, false);
  const { savedEntries, damage, keptAside } = await repairStore('/store', { dispatch });
  assert.equal(savedEntries, 0);
  assert.equal(damage[0]?.message, 'it is missing: what the log does not have is lost');
  assert.ok(keptAside.length > 0 && keptAside.every((path) => !path.endsWith('tree.pages')));
  await (await btreeKind.open('/store', { dispatch, createIfMissing: false })).close();
});

test('what is left of a store that lost its pages is destroyed, and a log of somebody else is not', async () => {
  const { vfs, dispatch } = await killedStore();
  vfs.unlinkSync(PAGES);
  await destroyStore('/store', { dispatch });
  assert.throws(() => vfs.lstatSync('/store'), { code: 'ENOENT' });
  const log = await WriteAheadLog.open('/home/log', { dispatch });
  for (const text of ['one', 'two', 'three']) await log.append(Buffer.from(text));
  await log.close();
  const before = vfs.readDirectorySync('/home/log').length;
  await destroyStore('/home', { dispatch });
  assert.equal(vfs.readDirectorySync('/home/log').length, before);
});

test('the figures of a store that is not open are those that an opener would see', async () => {
  const { vfs, dispatch } = await killedStore();
  const killed = await statsOfStore('/store', { dispatch });
  assert.equal(killed.entries, ENTRIES);
  assert.deepEqual(Object.keys(killed.details), ['pageBytes', 'pageCount', 'height']);
  const engine = await btreeKind.open('/store', { dispatch });
  const { details } = engine.stats();
  await engine.close();
  const closed = await statsOfStore('/store', { dispatch });
  assert.equal(closed.entries, ENTRIES);
  for (const { details: told } of [killed, closed]) {
    for (const name of ['pageBytes', 'pageCount', 'height']) {
      assert.equal(told[name], details[name], name);
    }
  }
  vfs.renameSync('/store/log', '/log');
  const { entries } = await statsOfStore('/store', { dispatch });
  assert.equal(entries, undefined);
});

test('no store is made where another program has a log, or a file of that name', async () => {
  for (const path of ['/home/log/mail.txt', '/home/log']) {
    const vfs = new MemoryVfs();
    vfs.mkdirSync('/home');
    if (path !== '/home/log') vfs.mkdirSync('/home/log');
    write(vfs, path, Buffer.from('text'));
    const opening = btreeKind.open('/home', { dispatch: new SyncDispatch(vfs) });
    await assert.rejects(opening, { code: 'HOLDFAST_FOREIGN', message: /^\/home\/log (has|is a)/ });
    assert.equal(Buffer.from(readWholeFileSync(vfs, path)).toString(), 'text');
  }
});
