/** Transactions of a store: what they read, what becomes of their writes, and who waits for whom. */

import assert from 'node:assert/strict';
import { suite, test } from 'node:test';

import { Prng } from '../../../src/base/prng.ts';
import { HoldfastLevel } from '../../../src/level/holdfast-level.ts';
import type { LevelTransaction } from '../../../src/level/holdfast-level.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

type Store = HoldfastLevel;

async function withStore(run: (db: Store) => Promise<void>): Promise<void> {
  const dispatch = new SyncDispatch(new MemoryVfs());
  const db = new HoldfastLevel('/store', { engine: 'btree', dispatch });
  await db.open();
  try {
    await run(db);
  } finally {
    await db.close();
  }
}

const IN_TRANSACTION = { code: 'HOLDFAST_IN_TRANSACTION' };

suite('transactions', () => {
  test('wrong arguments and a transaction inside one are named, and change nothing', async () => {
    await withStore(async (db) => {
      const put = (tx: LevelTransaction<string, string>): Promise<void> => tx.put('a', '1');
      await assert.rejects(db.transaction(put, null as never), /options of transaction.*not null/);
      await assert.rejects(db.transaction(null as never), /must be a function, not object/);
      await db.transaction(async (tx) => {
        const inner = db.transaction.bind(tx as never);
        await assert.rejects(inner(put), { code: 'HOLDFAST_UNSUPPORTED', message: /no other one/ });
        await tx.put('b', '2');
      });
      assert.deepEqual(await db.keys().all(), ['b']);
    });
  });

  test('a transaction reads its own writes over the state of its beginning', async () => {
    await withStore(async (db) => {
      await db.batch([
        { type: 'put', key: 'a', value: '1' },
        { type: 'put', key: 'b', value: '2' },
        { type: 'put', key: 'd', value: '4' },
      ]);
      const sum = await db.transaction(async (tx) => {
        await tx.put('c', '3');
        await tx.del('b');
        await tx.put('a', '10');
        assert.equal(await tx.get('a'), '10');
        assert.equal(tx.getSync('b'), undefined);
        assert.equal(await tx.has('c'), true);
        assert.deepEqual(await tx.getMany(['a', 'b', 'd']), ['10', undefined, '4']);
        assert.deepEqual(await tx.keys().all(), ['a', 'c', 'd']);
        assert.deepEqual(await tx.iterator({ reverse: true, limit: 2 }).all(), [
          ['d', '4'],
          ['c', '3'],
        ]);
        assert.equal(await db.get('a'), '1', 'nobody else sees it yet');
        return 17;
      });
      assert.equal(sum, 17);
      assert.deepEqual(await db.iterator().all(), [
        ['a', '10'],
        ['c', '3'],
        ['d', '4'],
      ]);
    });
  });

  test('a batch in a transaction names sublevels of the store, and those of no other', async () => {
    await withStore(async (db) => {
      const users = db.sublevel<string, { age: number }>('users', { valueEncoding: 'json' });
      const deep = users.sublevel<Buffer>('deep', { keyEncoding: 'buffer' });
      await users.put('old', { age: 90 });
      await users.put('older', { age: 99 });
      await db.transaction(async (tx) => {
        const named = { type: 'put', key: 'ada', value: { age: 36 }, sublevel: users } as const;
        await tx.batch([
          named as never,
          { type: 'put', key: Buffer.from('k'), value: 'v', sublevel: deep } as never,
          { type: 'put', key: 'root', value: 'r' },
          { type: 'del', key: 'old', sublevel: users } as never,
        ]);
        const chained = tx.batch();
        chained.put('bob', { age: 7 } as never, { sublevel: users } as never);
        chained.del('older', { sublevel: users } as never);
        await chained.write();
        await tx.sublevel('other').batch([{ ...named, key: 'eve' } as never]);
      });
      assert.deepEqual(await db.keys().all(), [
        '!users!!deep!k',
        '!users!ada',
        '!users!bob',
        '!users!eve',
        'root',
      ]);
      assert.deepEqual(await users.get('eve'), { age: 36 });
      await withStore(async (another) => {
        const foreign = another.sublevel('users');
        const put = { type: 'put', key: 'a', value: '1', sublevel: foreign } as never;
        const refused = { name: 'TypeError', message: /sublevel/ };
        await assert.rejects(
          db.transaction((tx) => tx.batch([put])),
          refused,
        );
        await assert.rejects(db.batch([put]), refused);
        assert.throws(() => db.batch().put('a', '1', { sublevel: foreign } as never), refused);
        assert.equal(await db.get('a'), undefined);
      });
    });
  });

  test('a snapshot of another state is a wrong argument, for the transaction and for the store', async () => {
    await withStore(async (db) => {
      const outside = db.snapshot();
      const wrong = { name: 'TypeError', message: /snapshot/ };
      await db.transaction(async (tx) => {
        const inside = tx.snapshot();
        await assert.rejects(tx.get('a', { snapshot: outside }), wrong);
        assert.throws(() => tx.iterator({ snapshot: outside }), wrong);
        await assert.rejects(db.get('a', { snapshot: inside }), wrong);
        assert.equal(await tx.get('a', { snapshot: inside }), undefined);
      });
      await withStore(async (another) => {
        const options = { snapshot: outside } as never;
        await assert.rejects(async () => another.has('a', options), wrong);
        await assert.rejects(async () => another.clear(options), wrong);
        await assert.rejects(another.getMany(['a'], { snapshot: outside }), wrong);
      });
      await outside.close();
    });
  });

  test('what throws is rolled back, and the error is the one that was thrown', async () => {
    await withStore(async (db) => {
      await db.put('a', '1');
      const failure = new Error('enough');
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx.clear();
          await tx.put('b', '2');
          throw failure;
        }),
        (error) => error === failure,
      );
      assert.deepEqual(await db.iterator().all(), [['a', '1']]);
      await db.transaction((tx) => tx.put('a', '2'));
      assert.equal(await db.get('a'), '2');
    });
  });

  test('a plain write inside a transaction is refused, and one outside waits', async () => {
    await withStore(async (db) => {
      const order: string[] = [];
      let outside: Promise<unknown> = Promise.resolve();
      const write = async (name: string): Promise<void> => {
        await db.put('last', name);
        order.push(name);
      };
      let begun: () => void = () => {};
      const hasBegun = new Promise<void>((resolve) => (begun = resolve));
      const first = db.transaction(async (tx) => {
        begun();
        const plain = { ...IN_TRANSACTION, message: /^a plain write inside a transaction/ };
        await assert.rejects(db.put('x', '1'), plain);
        await assert.rejects(db.batch().del('x').write(), IN_TRANSACTION);
        assert.throws(() => db.putSync('x', '1'), IN_TRANSACTION);
        await assert.rejects(
          db.transaction(() => {}),
          { ...IN_TRANSACTION, message: /^another transaction inside a transaction/ },
        );
        await new Promise((resolve) => void setTimeout(resolve, 5));
        await tx.put('last', 'first');
        order.push('first');
      });
      await hasBegun;
      assert.throws(() => db.putSync('x', '1'), IN_TRANSACTION);
      outside = Promise.all([
        write('plain'),
        db.transaction(async (tx) => {
          order.push(`second after ${await tx.get('last')}`);
          await tx.put('last', 'second');
        }),
        write('last'),
      ]);
      await Promise.all([first, outside]);
      assert.equal(order[0], 'first');
      assert.ok(order.includes('second after plain'));
      assert.equal(await db.get('last'), 'last');
      assert.equal(await db.get('x'), undefined);
    });
  });

  test('encodings and sublevels are those of the store', async () => {
    await withStore(async (db) => {
      const users = db.sublevel<string, { age: number }>('users', { valueEncoding: 'json' });
      await users.put('ada', { age: 36 });
      await db.transaction(async (tx) => {
        const inside = tx.sublevel<string, { age: number }>('users', { valueEncoding: 'json' });
        const ada = await inside.get('ada');
        await inside.put('ada', { age: (ada?.age ?? 0) + 1 });
        await tx.put('json', JSON.stringify({ a: 1 }));
        assert.deepEqual(await tx.get<string, object>('json', { valueEncoding: 'json' }), { a: 1 });
        await assert.rejects(users.put('eve', { age: 1 }), IN_TRANSACTION);
      });
      assert.deepEqual(await users.iterator().all(), [['ada', { age: 37 }]]);
    });
  });

  test('a transaction is of no use after its end, and closing the store rolls it back', async () => {
    await withStore(async (db) => {
      let kept: LevelTransaction<string, string> | undefined;
      await db.transaction((tx) => {
        kept = tx;
      });
      await assert.rejects(async () => kept?.put('a', '1'), { code: 'LEVEL_DATABASE_NOT_OPEN' });
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx.put('a', '1');
          await db.close();
        }),
        { code: 'HOLDFAST_CLOSED' },
      );
      await db.open();
      assert.equal(await db.get('a'), undefined);
    });
  });

  test('engines without transactions say so', async () => {
    const db = new HoldfastLevel('/nowhere', { engine: 'memory' });
    await db.open();
    await assert.rejects(
      db.transaction(() => {}),
      { code: 'HOLDFAST_UNSUPPORTED' },
    );
    await db.close();
  });

  for (const seed of [1, 2, 3]) {
    test(`a transaction shows what a map shows (seed ${seed})`, async () => {
      await withStore(async (db) => {
        const prng = new Prng(seed);
        const model = new Map<string, string>();
        const key = (): string => String(prng.below(60)).padStart(3, '0');
        for (let round = 0; round < 12; round++) {
          const mine = new Map(model);
          const commits = prng.below(3) > 0;
          const work = async (tx: LevelTransaction<string, string>): Promise<void> => {
            for (let step = 0; step < 40; step++) {
              const name = key();
              if (prng.below(3) === 0) {
                await tx.del(name);
                mine.delete(name);
              } else {
                await tx.put(name, `${round}.${step}`);
                mine.set(name, `${round}.${step}`);
              }
              if (prng.below(4) > 0) continue;
              const [gte, lt] = [key(), key()].toSorted();
              const reverse = prng.below(2) === 0;
              const limit = 1 + prng.below(20);
              const shown = await tx.iterator({ gte: gte!, lt: lt!, reverse, limit }).all();
              const inside = [...mine].filter(([one]) => one >= gte! && one < lt!).toSorted();
              if (reverse) inside.reverse();
              assert.deepEqual(shown, inside.slice(0, limit));
            }
            if (!commits) throw new Error('no');
          };
          await db.transaction(work).catch((error: Error) => assert.equal(error.message, 'no'));
          if (commits) {
            model.clear();
            for (const [one, value] of mine) model.set(one, value);
          }
          assert.deepEqual(await db.iterator().all(), [...model].toSorted());
        }
      });
    });
  }
});
