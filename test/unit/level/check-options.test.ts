/** What `HoldfastLevel` says of options that are none or are wrong, and that nothing is made then. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { HoldfastLevel } from '../../../src/index.ts';
import { DISK_ENGINES } from '../../../src/level/engine-registry.ts';
import type { EngineName } from '../../../src/level/engine-registry.ts';
import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const WRONG: readonly (readonly [options: object, words: RegExp])[] = [
  [{ cachesize: 1 << 20 }, /no option 'cachesize': did you mean 'cacheSize'/],
  [{ errorIfExist: true }, /no option 'errorIfExist': did you mean 'errorIfExists'/],
  [{ turbo: true }, /no option 'turbo'$/],
  [{ compression: 5 }, /compression must be true or false, not 5/],
  [{ createIfMissing: 'no' }, /createIfMissing must be true or false/],
  [{ batch: { records: 0 } }, /batch.records must be a positive number/],
  [{ batch: { record: 5 } }, /no bound 'record'/],
  [{ batch: 5 }, /batch must be an object/],
  [{ sync: 'always' }, /sync must be/],
];

for (const { name } of DISK_ENGINES) {
  const engine = name as EngineName;
  describe(`options of a store of the engine ${name}`, () => {
    it('are refused by name, before anything is made', async (scope) => {
      const directory = join(temporaryDirectory(scope), 'store');
      for (const [options, words] of WRONG) {
        const refused = { name: 'TypeError', message: words };
        assert.throws(() => new HoldfastLevel(directory, { engine, ...options }), refused);
        // The base class makes true or false of this one.
        if ('createIfMissing' in options) continue;
        const db = new HoldfastLevel(directory, { engine });
        await assert.rejects(db.open(options), (error: Error) => {
          assert.equal((error as Error & { code: string }).code, 'LEVEL_DATABASE_NOT_OPEN');
          assert.match((error.cause as Error).message, words);
          return true;
        });
        assert.equal(existsSync(directory), false, String(words));
      }
    });

    it('of long work are refused where they are wrong', async (scope) => {
      const directory = join(temporaryDirectory(scope), 'store');
      const db = new HoldfastLevel(directory, { engine });
      await db.put('a', '1');
      const wrong = { onProgress: 5 } as never;
      const refused = { name: 'TypeError', message: /onProgress must be a function, not 5/ };
      const copy = `${directory}.copy`;
      await assert.rejects(db.compact(wrong), refused);
      await assert.rejects(db.verify(wrong), refused);
      await assert.rejects(db.backup(copy, wrong), refused);
      await assert.rejects(HoldfastLevel.verify(directory, wrong), refused);
      await assert.rejects(HoldfastLevel.restore(directory, copy, wrong), refused);
      await assert.rejects(db.verify({ signal: 5 } as never), /signal must be an AbortSignal/);
      await assert.rejects(db.verify(5 as never), /options must be an object/);
      assert.equal(existsSync(copy), false);
      await db.close();
      await assert.rejects(HoldfastLevel.repair(directory, wrong), refused);
    });
  });
}

describe('options of a store', () => {
  it('may have names of their own where the engine is the caller’s', async () => {
    const seen: unknown[] = [];
    const kind = {
      ...lsmKind,
      open: (_directory: string, options?: object) => {
        seen.push((options as { turbo?: unknown }).turbo);
        throw new Error('enough');
      },
    };
    const db = new HoldfastLevel('nowhere', { engine: kind, turbo: 5 } as never);
    await assert.rejects(db.open());
    assert.deepEqual(seen, [5]);
  });

  it('of classic-level are taken, also where they do nothing', () => {
    const options = { multithreading: true, compression: undefined, maxOpenFiles: 100 };
    const db = new HoldfastLevel('nowhere', { ...options, engine: 'memory' } as never);
    assert.equal(db.location, 'nowhere');
  });
});
