/**
 * `HoldfastLevel` on each engine that keeps its stores on the disk: `abstract-level`'s suite, and
 * that one engine leaves the directory of another alone.
 */

import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { DISK_ENGINES } from '../../src/level/engine-registry.ts';
import type { EngineName } from '../../src/level/engine-registry.ts';
import { HoldfastLevel } from '../../src/level/holdfast-level.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { abstractLevelSuite, SUITE_ASSERTIONS } from './abstract-level-suite.ts';
import { unsynced } from './unsynced-kind.ts';

for (const kind of DISK_ENGINES) {
  const { name } = kind;
  const engine = name as EngineName;
  describe(`HoldfastLevel on the engine ${name}`, () => {
    it('passes abstract-level’s own suite', async () => {
      const fresh = unsynced(kind, new MemoryVfs());
      let count = 0;
      const { assertions, failures } = await abstractLevelSuite(
        (options) => new HoldfastLevel(`/${count++}`, { ...options, engine: fresh }),
      );
      assert.deepEqual(failures, []);
      assert.equal(assertions, SUITE_ASSERTIONS);
    });

    it('leaves the store of another engine alone, and names that engine', async (scope) => {
      const directory = join(temporaryDirectory(scope), 'store');
      const db = new HoldfastLevel(directory, { engine });
      await db.put('a', '1');
      await db.close();
      const before = readdirSync(directory).toSorted();
      for (const other of DISK_ENGINES.filter((each) => each !== kind)) {
        const wrong = new HoldfastLevel(directory, { engine: other.name as EngineName });
        await assert.rejects(wrong.open(), (error: Error) => {
          assert.match(String(error.cause), new RegExp(`engine '${name}'`));
          assert.equal((error.cause as { code: string }).code, 'HOLDFAST_FOREIGN');
          return true;
        });
      }
      assert.deepEqual(readdirSync(directory).toSorted(), before);
      const again = new HoldfastLevel(directory, { engine, createIfMissing: false });
      assert.equal(await again.get('a'), '1');
      await again.close();
    });

    it('is destroyed with its own files only', async (scope) => {
      const parent = temporaryDirectory(scope);
      const directory = join(parent, 'store');
      const open = async (): Promise<HoldfastLevel> => {
        const db = new HoldfastLevel(directory, { engine });
        await db.put('a', '1');
        return db;
      };
      await (await open()).close();
      await HoldfastLevel.destroy(directory);
      assert.deepEqual(readdirSync(parent), []);
      const db = await open();
      writeFileSync(join(directory, 'notes.txt'), 'mine');
      await assert.rejects(HoldfastLevel.destroy(directory), { code: 'HOLDFAST_LOCKED' });
      assert.equal(await db.get('a'), '1');
      await db.close();
      await HoldfastLevel.destroy(directory);
      assert.deepEqual(readdirSync(directory), ['notes.txt']);
    });

    it('refuses a directory that is a file, and makes one with missing parents', async (scope) => {
      const parent = temporaryDirectory(scope);
      writeFileSync(join(parent, 'file'), '');
      const onFile = new HoldfastLevel(join(parent, 'file'), { engine });
      await assert.rejects(onFile.open(), { code: 'LEVEL_DATABASE_NOT_OPEN' });
      mkdirSync(join(parent, 'a'));
      const deep = new HoldfastLevel(join(parent, 'a', 'b', 'ünï code', 'c'), { engine });
      await deep.put('k', 'v');
      assert.equal(deep.getSync('k'), 'v');
      await deep.close();
    });
  });
}
