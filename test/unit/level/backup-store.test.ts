import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { suite, test } from 'node:test';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { HoldfastLevel } from '../../../src/level/holdfast-level.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

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
  test(`a backup of ${engine} is not made inside the store, by whatever path`, async (scope) => {
    const folder = temporaryDirectory(scope);
    const store = join(folder, 'db');
    const db = new HoldfastLevel(store, { engine });
    await db.put('a', '1');
    symlinkSync('db', join(folder, 'link'));
    mkdirSync(join(store, 'empty'));
    const before = readdirSync(store).toSorted();
    const fromHere = relative(process.cwd(), store);
    const targets = ['db/copy', 'db/empty', 'db/deep/copy', 'link/copy'].map((one) =>
      join(folder, one),
    );
    for (const target of [...targets, join(fromHere, 'copy')]) {
      const refused = { code: 'HOLDFAST_USAGE', message: /is inside the store/ };
      await assert.rejects(db.backup(target), refused, target);
    }
    assert.deepEqual(readdirSync(store).toSorted(), before);
    await assert.rejects(db.backup(store), { code: 'HOLDFAST_EXISTS' });
    // A name that begins like the store's is another directory, and so is one that begins with dots.
    await db.backup(join(folder, 'db.copy'));
    await db.backup(join(folder, '..copy'));
    await db.close();
    const inside = HoldfastLevel.restore(store, join(store, 'copy'));
    await assert.rejects(inside, { code: 'HOLDFAST_USAGE' });
  });

  test(`where a file is, ${engine} opens no store and makes no copy`, async (scope) => {
    const folder = temporaryDirectory(scope);
    const file = join(folder, 'file');
    writeFileSync(file, 'x');
    const words = /is a file, and a store is a directory/;
    for (const createIfMissing of [true, false]) {
      const db = new HoldfastLevel(file, { engine, createIfMissing });
      await assert.rejects(db.open(), ({ cause }: Error) => {
        assert.equal((cause as { code?: string }).code, 'HOLDFAST_MISSING');
        return words.test((cause as Error).message);
      });
    }
    const db = new HoldfastLevel(join(folder, 'db'), { engine });
    await assert.rejects(db.backup(file), { code: 'HOLDFAST_EXISTS', message: words });
    await db.close();
    assert.equal(readFileSync(file, 'utf8'), 'x');
  });

  test(`opening ${engine} says what to do where it fails`, async (scope) => {
    const folder = join(temporaryDirectory(scope), 'db');
    const failure = async (options: object): Promise<string> => {
      const db = new HoldfastLevel(folder, { engine, ...options });
      const error: unknown = await db.open().catch((reason: unknown) => reason);
      return ((error as Error).cause as Error).message;
    };
    const missing = /does not exist: look at the path, or open it with createIfMissing$/;
    assert.match(await failure({ createIfMissing: false }), missing);
    const made = new HoldfastLevel(folder, { engine });
    await made.put('a', '1');
    await made.close();
    const exists = /the store \S+ exists already: name another directory, or open it without/;
    assert.match(await failure({ errorIfExists: true }), exists);
    const key = { lsm: 'CURRENT', bitcask: 'BITCASK', btree: 'tree.pages' }[engine];
    const copy = join(folder, '../copy');
    cpSync(folder, copy, { recursive: true });
    // By its first bytes a page file is known to be one.
    const kept = engine === 'btree' ? readFileSync(join(copy, key)).subarray(0, 60) : '';
    writeFileSync(join(copy, key), `${kept.toString('latin1')}${'damaged'.repeat(3000)}`, 'latin1');
    const damaged = new HoldfastLevel(copy, { engine });
    await assert.rejects(damaged.open(), ({ cause }: Error) => {
      assert.match((cause as Error).message, /repair|restore/);
      return true;
    });
  });

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

for (const engine of ['lsm', 'bitcask', 'btree'] as const) {
  test(`a backup of ${engine} is of the state of the call, whatever is written while it is made`, async () => {
    const { db, vfs } = await open(engine);
    await db.put('b', '1', { sync: false });
    const backup = db.backup('/copy');
    const later = [db.put('c', 'not in it'), db.put('b', '2', { sync: true })];
    db.putSync('a', 'changed');
    later.push(db.put('d', 'not in it', { sync: 'none' }), db.del('b'));
    await Promise.all([...later, backup]);
    assert.deepEqual(await db.keys().all(), ['a', 'c', 'd']);
    await db.close();
    const copy = new HoldfastLevel('/copy', { engine, dispatch: new SyncDispatch(vfs) });
    assert.deepEqual(await copy.iterator().all(), [
      ['a', 'x'.repeat(1000)],
      ['b', '1'],
    ]);
    assert.equal((await copy.verify()).sound, true);
    // What is written to the copy goes on behind its state.
    await copy.put('e', '5');
    await copy.close();
    assert.equal(
      (await HoldfastLevel.verify('/copy', { dispatch: new SyncDispatch(vfs) })).sound,
      true,
    );
  });
}
