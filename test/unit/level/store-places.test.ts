/** Whose store a directory holds, what is refused there, and restoring: what it takes, and what it leaves behind. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { crc32c } from '../../../src/base/crc32c.ts';
import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import { complaintOf } from '../../../src/cli/formats/store-format.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import type { EngineKind } from '../../../src/engine/engine-kind.ts';
import { DISK_ENGINES } from '../../../src/level/engine-registry.ts';
import { HoldfastLevel } from '../../../src/level/holdfast-level.ts';
import { removeUnfinished, restoreStore } from '../../../src/level/restore-store.ts';
import { STORE_FILES } from '../../../src/level/store-files.ts';
import {
  repairStore,
  statsOfStore,
  storeAt,
  verifyStore,
} from '../../../src/level/store-places.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { readWholeFileSync, writeFullySync } from '../../../src/vfs/transfer.ts';
import type { Vfs } from '../../../src/vfs/vfs.ts';
import { textBatch, textEntries } from '../../support/lsm-stores.ts';

function write(vfs: Vfs, path: string, text: string): void {
  const file = vfs.openSync(path, { write: true, create: true, truncate: true });
  writeFullySync(file, Buffer.from(text), 0);
  file.closeSync();
}

function namesIn(vfs: Vfs, directory: string): string[] {
  return vfs.readDirectorySync(directory).map(({ name }) => name);
}

/** A store that was closed, in `/store`. */
async function closedStore(kind: EngineKind): Promise<{ vfs: MemoryVfs; dispatch: SyncDispatch }> {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const engine = await kind.open('/store', { dispatch });
  await engine.write(textBatch({ a: '1', b: 'x'.repeat(5000) }));
  await engine.close();
  return { vfs, dispatch };
}

for (const kind of DISK_ENGINES) {
  test(`a store of ${kind.name} is known by its engine, also when its key file is gone`, async () => {
    const { vfs, dispatch } = await closedStore(kind);
    const files = await storeAt('/store', { dispatch });
    assert.equal(files.kind, kind);
    vfs.unlinkSync(`/store/${files.key}`);
    assert.equal((await storeAt('/store', { dispatch })).kind, kind);
  });

  test(`another engine makes no store where ${kind.name} has one, also a damaged one`, async () => {
    const { vfs, dispatch } = await closedStore(kind);
    const { key } = await storeAt('/store', { dispatch });
    for (const damaged of [false, true]) {
      if (damaged) write(vfs, `/store/${key}`, '');
      const before = namesIn(vfs, '/store');
      for (const { kind: other } of STORE_FILES) {
        if (other === kind) continue;
        const engine = other.name as 'lsm' | 'bitcask' | 'btree';
        const opening = new HoldfastLevel('/store', { engine, dispatch }).open();
        await assert.rejects(opening, (error: Error) => {
          assert.equal((error.cause as { code?: string }).code, 'HOLDFAST_FOREIGN');
          return true;
        });
      }
      assert.deepEqual(namesIn(vfs, '/store'), before);
    }
  });

  test(`${kind.name} makes no store among the files of another program`, async () => {
    const vfs = new MemoryVfs();
    const dispatch = new SyncDispatch(vfs);
    vfs.mkdirSync('/home');
    write(vfs, '/home/letter.txt', 'text');
    const engine = kind.name as 'lsm' | 'bitcask' | 'btree';
    await assert.rejects(
      new HoldfastLevel('/home', { engine, dispatch }).open(),
      (error: Error) => {
        const { code, message } = error.cause as { code?: string; message: string };
        assert.equal(code, 'HOLDFAST_FOREIGN');
        assert.match(message, /letter\.txt/);
        return true;
      },
    );
    assert.deepEqual(namesIn(vfs, '/home'), ['letter.txt']);
  });

  test(`a restored store of ${kind.name} has all of its entries`, async () => {
    const { vfs, dispatch } = await closedStore(kind);
    const report = await restoreStore('/store', '/copies/one', { dispatch });
    assert.equal(report.engine, kind.name);
    assert.deepEqual(
      namesIn(vfs, '/copies/one').filter((name) => name.includes('restoring')),
      [],
    );
    const engine = await kind.open('/copies/one', { dispatch, createIfMissing: false });
    assert.deepEqual(await textEntries(engine), [
      ['a', '1'],
      ['b', 'x'.repeat(5000)],
    ]);
    await engine.close();
  });

  test(`a restore of ${kind.name} that is stopped or refused leaves nothing`, async () => {
    const { vfs, dispatch } = await closedStore(kind);
    const abort = new AbortController();
    const stop = (): void => abort.abort(new Error('stopped'));
    const stopped = restoreStore('/store', '/copy', {
      dispatch,
      signal: abort.signal,
      onProgress: ({ phase }) => (phase === 'copying files' ? stop() : undefined),
    });
    await assert.rejects(stopped, /stopped/);
    assert.deepEqual(namesIn(vfs, '/'), ['store']);
    vfs.mkdirSync('/copy');
    vfs.capacityBytes = 6000;
    await assert.rejects(restoreStore('/store', '/copy', { dispatch }), { code: 'ENOSPC' });
    assert.deepEqual(namesIn(vfs, '/copy'), []);
  });
}

test('a Bitcask whose manifest a newer version has written is HOLDFAST_FORMAT for every call', async () => {
  const { vfs, dispatch } = await closedStore(bitcaskKind);
  const pointer = Buffer.from(readWholeFileSync(vfs, '/store/BITCASK'));
  pointer[8] = 2;
  pointer.writeUInt32LE(crc32c(pointer, 0, pointer.length - 4), pointer.length - 4);
  const file = vfs.openSync('/store/BITCASK', { write: true });
  writeFullySync(file, pointer, 0);
  file.closeSync();
  const before = namesIn(vfs, '/store');
  const newer = { code: 'HOLDFAST_FORMAT', message: /BITCASK is of version 2/ };
  await assert.rejects(bitcaskKind.open('/store', { dispatch }), newer);
  for (const call of [verifyStore, statsOfStore, repairStore]) {
    await assert.rejects(call('/store', { dispatch }), newer);
  }
  assert.deepEqual(namesIn(vfs, '/store'), before);
  assert.deepEqual(Buffer.from(readWholeFileSync(vfs, '/store/BITCASK')), pointer);
});

test('a store that is open is not restored from, and a full directory not restored to', async () => {
  const kind = DISK_ENGINES[0]!;
  const { vfs, dispatch } = await closedStore(kind);
  vfs.mkdirSync('/full');
  write(vfs, '/full/letter.txt', 'text');
  await assert.rejects(restoreStore('/store', '/full', { dispatch }), { code: 'HOLDFAST_EXISTS' });
  await assert.rejects(restoreStore('/full', '/new', { dispatch }), { code: 'HOLDFAST_MISSING' });
  const engine = await kind.open('/store', { dispatch });
  await assert.rejects(restoreStore('/store', '/new', { dispatch }), { code: 'HOLDFAST_LOCKED' });
  await engine.close();
  assert.deepEqual(namesIn(vfs, '/full'), ['letter.txt']);
  assert.equal(namesIn(vfs, '/').includes('new'), false);
});

test('a damaged backup is not restored', async () => {
  const kind = DISK_ENGINES[1]!;
  const { vfs, dispatch } = await closedStore(kind);
  const name = namesIn(vfs, '/store').find((each) => each.endsWith('.data'))!;
  const bytes = readWholeFileSync(vfs, `/store/${name}`);
  bytes[60] = bytes[60]! ^ 1;
  write(vfs, `/store/${name}`, Buffer.from(bytes).toString('latin1'));
  await assert.rejects(restoreStore('/store', '/new', { dispatch }), {
    code: 'HOLDFAST_CORRUPTION',
  });
  assert.equal(namesIn(vfs, '/').includes('new'), false);
});

test('what a restore has left that was cut short is no store to anybody', async () => {
  const kind = DISK_ENGINES[0]!;
  const { vfs, dispatch } = await closedStore(kind);
  vfs.renameSync('/store/CURRENT', '/store/CURRENT.restoring');
  const refusal = { code: 'HOLDFAST_FOREIGN', message: /cut short: empty it/ };
  await assert.rejects(storeAt('/store', { dispatch }), refusal);
  await assert.rejects(HoldfastLevel.repair('/store', { dispatch }), refusal);
  await assert.rejects(new HoldfastLevel('/store', { dispatch }).open(), (error: Error) => {
    assert.match((error.cause as Error).message, refusal.message);
    return true;
  });
});

test('what an unfinished copy has left goes, and other files and whole stores stay', async () => {
  const vfs = new MemoryVfs();
  const files = STORE_FILES.find(({ kind }) => kind.name === 'btree')!;
  vfs.mkdirSync('/copy');
  vfs.mkdirSync('/copy/log');
  for (const name of ['tree.pages.new', 'log/000001.log', 'letter.txt']) {
    write(vfs, `/copy/${name}`, 'x');
  }
  await removeUnfinished(files, '/copy', vfs);
  assert.deepEqual(namesIn(vfs, '/copy'), ['letter.txt']);
  write(vfs, '/copy/tree.pages', 'x');
  await removeUnfinished(files, '/copy', vfs);
  assert.deepEqual(namesIn(vfs, '/copy').toSorted(), ['letter.txt', 'tree.pages']);
});

test('a damaged manifest of a Bitcask store is named once by repair, with its place', async () => {
  const { vfs, dispatch } = await closedStore(bitcaskKind);
  const path = '/store/BITCASK';
  const bytes = readWholeFileSync(vfs, path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const file = vfs.openSync(path, { write: true });
  writeFullySync(file, bytes, 0);
  file.closeSync();
  const { damage } = await bitcaskKind.repair('/store', { dispatch });
  const [first] = damage.map(complaintOf);
  assert.equal(first?.file, path);
  assert.equal(typeof first.offset, 'number');
  assert.doesNotMatch(first.message, /BITCASK/);
});

test('the figures of a Bitcask store that is not open tell of its files', async () => {
  const { dispatch } = await closedStore(bitcaskKind);
  const { diskBytes, details } = await bitcaskKind.stats('/store', { dispatch });
  assert.ok(Number(details['dataBytes']) > 5000 && Number(details['hintBytes']) > 0);
  assert.ok(diskBytes > Number(details['dataBytes']) + Number(details['hintBytes']));
  assert.equal(details['mergedFileCount'], 0);
});

test('verify says of a Bitcask store which file is missing, in our words', async () => {
  const bitcask = STORE_FILES.map(({ kind }) => kind).find(({ name }) => name === 'bitcask');
  assert.ok(bitcask !== undefined);
  const { vfs, dispatch } = await closedStore(bitcask);
  const [data = ''] = namesIn(vfs, '/store').filter((name) => name.endsWith('.data'));
  vfs.unlinkSync(`/store/${data}`);
  const { sound, damage } = await verifyStore('/store', { dispatch });
  assert.equal(sound, false);
  assert.deepEqual(
    damage.map(({ path, message }) => [path, message]),
    [[`/store/${data}`, 'the file, which the manifest names, is missing']],
  );
});
