/** What `HoldfastLevel` says of options that are none or are wrong, and that nothing is made then. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { HoldfastLevel } from '../../../src/index.ts';
import { DISK_ENGINES } from '../../../src/level/engine-registry.ts';
import type { EngineName } from '../../../src/level/engine-registry.ts';
import type { LevelOptions } from '../../../src/level/level-options.ts';
import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const WRONG: readonly (readonly [options: object, words: RegExp])[] = [
  [{ cachesize: 1 << 20 }, /no option 'cachesize': did you mean 'cacheSize'/],
  [{ errorIfExist: true }, /no option 'errorIfExist': did you mean 'errorIfExists'/],
  [{ pageSize: 4096 }, /no option 'pageSize': did you mean 'pageBytes'/],
  [{ cacheBytes: 1 << 20 }, /no option 'cacheBytes': did you mean 'cacheSize'/],
  [{ turbo: true }, /no option 'turbo'$/],
  [{ compression: 5 }, /compression must be true or false, not 5/],
  [{ createIfMissing: 'no' }, /createIfMissing must be true or false/],
  [{ batch: { records: 0 } }, /batch.records must be a positive number/],
  [{ batch: { record: 5 } }, /no bound 'record'/],
  [{ batch: 5 }, /batch must be an object/],
  [{ sync: 'always' }, /sync must be .* not 'always'$/],
  [{ batch: { ms: '5' } }, /batch.ms must be a positive number, not '5'$/],
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

/** Options of one call each, which only that call knows. */
const MISSPELLED: readonly (readonly [
  call: (db: HoldfastLevel, directory: string) => unknown,
  words: RegExp,
])[] = [
  [(db) => db.verify({ onProgres: () => {} } as never), /'onProgres': did you mean 'onProgress'/],
  [(db) => db.compact({ signa: null } as never), /'signa': did you mean 'signal'/],
  [(db, to) => db.backup(to, { progress: 5 } as never), /no option 'progress'$/],
  [(db) => db.transaction(() => 5, { sinc: true } as never), /'sinc': did you mean 'sync'/],
  [async (db) => db.putSync('a', '1', { synk: true } as never), /'synk': did you mean 'sync'/],
  [async (db) => db.delSync('a', { synk: true } as never), /'synk': did you mean 'sync'/],
  [(_, to) => HoldfastLevel.verify(to, { onProgres: 5 } as never), /'onProgres': did you mean/],
  [(_, to) => HoldfastLevel.repair(to, { clok: 5 } as never), /'clok': did you mean 'clock'/],
  [(_, to) => HoldfastLevel.restore(to, `${to}2`, { dispach: 5 } as never), /'dispach'/],
  [(_, to) => HoldfastLevel.destroy(to, { dispach: 5 } as never), /mean 'dispatch'/],
  [(db) => db.iterator({ highWaterMarkBytes: -1 }).next(), /highWaterMarkBytes .* not -1$/],
  [(db) => db.keys({ highWaterMarkBytes: '9' as never }).nextv(2), /highWaterMarkBytes .* '9'$/],
];

describe('options of a store', () => {
  it('of one call are refused where no such one is known', async (scope) => {
    const directory = join(temporaryDirectory(scope), 'store');
    const db = new HoldfastLevel(directory, { engine: 'memory' });
    // Before it is open as well: an iterator must not make opening fail.
    const early = db.values({ highWaterMarkBytes: NaN }).next();
    await assert.rejects(early, /highWaterMarkBytes must be a number of bytes from 0, not NaN/);
    for (const [call, words] of MISSPELLED) {
      await assert.rejects(async () => call(db, `${directory}.copy`), {
        name: 'TypeError',
        message: words,
      });
    }
    assert.equal(await db.get('a'), undefined);
    await db.close();
  });

  it('of a merge are refused where they are none or out of range', () => {
    const opened = (merge: object): HoldfastLevel =>
      new HoldfastLevel('x', { engine: 'bitcask', merge });
    const refused = async (merge: object, words: RegExp): Promise<void> => {
      const db = opened(merge);
      await assert.rejects(db.open(), ({ cause }: Error) => words.test((cause as Error).message));
    };
    return Promise.all([
      refused({ fragmentatonTrigger: 1 }, /merge has no option 'fragmentatonTrigger': it has frag/),
      refused({ fragmentationTrigger: 200 }, /percent from 0 to 100, not 200$/),
      refused({ fragmentationThreshold: '5' }, /percent from 0 to 100, not '5'$/),
    ]).then(() => undefined);
  });

  it('must be an object', () => {
    assert.throws(() => new HoldfastLevel('x', 'y' as never), /options must be an object, not 'y'/);
  });

  it('are known to the compiler, also those of one engine', () => {
    // That this compiles is the test.
    const ofEngines: LevelOptions<string, string> = {
      merge: { fragmentationTrigger: 50 },
      preallocateBytes: 0,
      timeOfDay: () => 0,
      pageBytes: 8192,
      checkpoint: { ms: 5 },
      multithreading: false,
    };
    assert.equal(ofEngines.pageBytes, 8192);
  });

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
