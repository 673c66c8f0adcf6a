import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { HoldfastLevel } from '../../../src/level/holdfast-level.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

interface Opened {
  readonly db: HoldfastLevel;
  readonly vfs: MemoryVfs;
  readonly names: (directory: string) => string[];
}

async function open(engine: 'lsm' | 'bitcask' | 'btree'): Promise<Opened> {
  const vfs = new MemoryVfs();
  const db = new HoldfastLevel('/db', { engine, dispatch: new SyncDispatch(vfs) });
  await db.put('a', 'x'.repeat(1000));
  await db.compact();
  const names = (directory: string): string[] =>
    vfs.readDirectorySync(directory).map(({ name }) => name);
  return { db, vfs, names };
}

for (const engine of ['lsm', 'bitcask', 'btree'] as const) {
  suite(`a backup of ${engine} that is not made`, () => {
    test('leaves nothing when it was aborted before', async () => {
      const { db, vfs, names } = await open(engine);
      vfs.mkdirSync('/empty');
      for (const target of ['/copy', '/empty']) {
        await assert.rejects(db.backup(target, { signal: AbortSignal.abort() }), {
          name: 'AbortError',
        });
      }
      assert.deepEqual(names('/').toSorted(), ['db', 'empty']);
      assert.deepEqual(names('/empty'), []);
      await db.close();
    });

    test('leaves nothing when it fails in the middle', async () => {
      const { db, vfs, names } = await open(engine);
      vfs.mkdirSync('/empty');
      const onProgress = (): void => {
        throw new Error('no more of this');
      };
      for (const target of ['/copy', '/empty']) {
        await assert.rejects(db.backup(target, { onProgress }), /no more of this/);
      }
      assert.deepEqual(names('/').toSorted(), ['db', 'empty']);
      assert.deepEqual(names('/empty'), []);
      await db.close();
    });

    test('leaves what is in the directory already', async () => {
      const { db, vfs, names } = await open(engine);
      await db.backup('/copy');
      const before = names('/copy');
      await assert.rejects(db.backup('/copy'), { code: 'HOLDFAST_EXISTS' });
      assert.deepEqual(names('/copy'), before);
      // A name that copies have, and no store: it is somebody's all the same.
      const part = { lsm: '000005.ldb', bitcask: '0000000001.data', btree: 'new.pages' }[engine];
      vfs.mkdirSync('/part');
      vfs.openSync(`/part/${part}`, { write: true, create: true }).closeSync();
      await assert.rejects(db.backup('/part'), { code: 'HOLDFAST_EXISTS' });
      assert.deepEqual(names('/part'), [part]);
      await db.close();
    });
  });
}

test('an empty path is no place for a backup', async () => {
  const { db, names } = await open('lsm');
  await assert.rejects(db.backup(''), TypeError);
  assert.deepEqual(names('/'), ['db']);
  await db.close();
});

test('a backup is of the state of the call', async () => {
  const { db, vfs } = await open('lsm');
  const backup = db.backup('/copy');
  await db.put('later', 'not in it');
  await backup;
  await db.close();
  const copy = new HoldfastLevel('/copy', { dispatch: new SyncDispatch(vfs) });
  assert.deepEqual(await copy.keys().all(), ['a']);
  await copy.close();
});
