/** The engine contract: iterators. */

import assert from 'node:assert/strict';

import type { EngineCase } from './engine-contract.ts';
import { TextSink } from './engine-driver.ts';
import type { EngineDriver, TextChange } from './engine-driver.ts';

/** `b d f h j`, each with a value. */
async function fiveKeys(open: () => Promise<EngineDriver>): Promise<EngineDriver> {
  const db = await open();
  await db.write(['f', 'b', 'j', 'd', 'h'].map((key): TextChange => [key, `of ${key}`]));
  return db;
}

export const iteratorCases: readonly EngineCase[] = [
  [
    'an iterator gives every entry once, in order, forward and in reverse',
    async ({ open }) => {
      const db = await fiveKeys(open);
      assert.equal(await db.keys(), 'b d f h j');
      assert.equal(await db.keys({ reverse: true }), 'j h f d b');
      assert.deepEqual((await db.entries()).at(2), ['f', 'of f']);
    },
  ],
  [
    'bounds include and exclude keys that are there and keys that are not',
    async ({ open }) => {
      const db = await fiveKeys(open);
      for (const [range, expected] of [
        [{ gte: 'd' }, 'd f h j'],
        [{ gt: 'd' }, 'f h j'],
        [{ gte: 'c' }, 'd f h j'],
        [{ gt: 'c' }, 'd f h j'],
        [{ lte: 'f' }, 'b d f'],
        [{ lt: 'f' }, 'b d'],
        [{ lte: 'g' }, 'b d f'],
        [{ lt: 'g' }, 'b d f'],
        [{ gte: 'd', lte: 'h' }, 'd f h'],
        [{ gt: 'd', lt: 'h' }, 'f'],
        [{ gt: 'd', lte: 'd' }, ''],
        [{ gte: 'd', lte: 'd' }, 'd'],
        [{ gt: 'h', lt: 'd' }, ''],
        [{ gt: 'j' }, ''],
        [{ lt: 'b' }, ''],
        [{ lt: '' }, ''],
        [{ lte: '' }, ''],
        [{ gt: '' }, 'b d f h j'],
        [{ gte: 'd', gt: 'h' }, 'd f h j'],
        [{ lte: 'f', lt: 'c' }, 'b d f'],
      ] as const) {
        const named = JSON.stringify(range);
        assert.equal(await db.keys(range), expected, named);
        const back = expected === '' ? '' : expected.split(' ').toReversed().join(' ');
        assert.equal(await db.keys({ ...range, reverse: true }), back, `${named} in reverse`);
      }
    },
  ],
  [
    'a limit ends an iterator; 0 is nothing and -1 is none',
    async ({ open }) => {
      const db = await fiveKeys(open);
      assert.equal(await db.keys({ limit: 2 }), 'b d');
      assert.equal(await db.keys({ limit: 2, reverse: true }), 'j h');
      assert.equal(await db.keys({ limit: 2, gt: 'b', lt: 'j' }), 'd f');
      assert.equal(await db.keys({ limit: 0 }), '');
      assert.equal(await db.keys({ limit: -1 }), 'b d f h j');
      const iterator = db.iterator({ limit: 3 });
      assert.equal((await iterator.read(2)).length, 2);
      assert.equal(await iterator.seek('b'), 'b');
      assert.equal(await iterator.seek('b'), undefined);
      iterator.close();
    },
  ],
  [
    'keys or values alone come with nothing for the other',
    async ({ open }) => {
      const db = await fiveKeys(open);
      assert.deepEqual(await db.entries({ values: false, limit: 1 }), [['b', '']]);
      assert.deepEqual(await db.entries({ keys: false, limit: 1 }), [['', 'of b']]);
      assert.deepEqual(await db.entries({ keys: false, values: false, limit: 2 }), [
        ['', ''],
        ['', ''],
      ]);
    },
  ],
  [
    'a read stops after the entries or the bytes asked for, and gives at least one',
    async ({ open }) => {
      const db = await fiveKeys(open);
      const iterator = db.iterator();
      const sink = new TextSink();
      assert.equal(await iterator.readOnce(sink, 1), 1);
      assert.equal(await iterator.readOnce(sink, 100, 1), 1);
      assert.ok((await iterator.readOnce(sink, 2, 1000)) <= 2);
      while ((await iterator.readOnce(sink, 100)) > 0);
      assert.equal(await iterator.readOnce(sink, 100), 0);
      assert.equal(sink.entries.map(([key]) => key).join(' '), 'b d f h j');
      iterator.close();
    },
  ],
  [
    'an iterator that began before a write does not see it',
    async ({ open }) => {
      const db = await fiveKeys(open);
      const iterator = db.iterator();
      const backward = db.iterator({ reverse: true });
      const begun = await iterator.read(1);
      await db.write([['a', 'new'], ['d', 'new'], ['e', 'new'], ['f'], ['z', 'new']]);
      await db.clear({ gte: 'h' });
      const rest = await iterator.read(100);
      assert.deepEqual(
        [...begun, ...rest],
        ['b', 'd', 'f', 'h', 'j'].map((key) => [key, `of ${key}`]),
      );
      assert.deepEqual(await backward.read(100), [...begun, ...rest].toReversed());
      assert.equal(await iterator.seek('a'), 'b');
      iterator.close();
      backward.close();
      assert.equal(await db.keys(), 'a b d e');
    },
  ],
  [
    'seek goes both ways, to keys that are there and between them',
    async ({ open }) => {
      const db = await fiveKeys(open);
      const forward = db.iterator();
      for (const [target, found] of [
        ['f', 'f'],
        ['e', 'f'],
        ['', 'b'],
        ['j', 'j'],
        ['k', undefined],
        ['b', 'b'],
        ['i', 'j'],
        ['c', 'd'],
      ] as const) {
        assert.equal(await forward.seek(target), found, `to ${target}`);
      }
      assert.deepEqual(
        (await forward.read(9)).map(([key]) => key),
        ['f', 'h', 'j'],
      );
      forward.close();
      const backward = db.iterator({ reverse: true });
      for (const [target, found] of [
        ['f', 'f'],
        ['g', 'f'],
        ['a', undefined],
        ['', undefined],
        ['z', 'j'],
        ['c', 'b'],
        ['i', 'h'],
      ] as const) {
        assert.equal(await backward.seek(target), found, `back to ${target}`);
      }
      assert.deepEqual(
        (await backward.read(9)).map(([key]) => key),
        ['f', 'd', 'b'],
      );
      backward.close();
    },
  ],
  [
    'seek out of the range, on either side, is the end; seek leads back from there',
    async ({ open }) => {
      const db = await fiveKeys(open);
      for (const reverse of [false, true]) {
        const iterator = db.iterator({ gte: 'd', lt: 'h', reverse });
        for (const outside of ['c', 'b', '', 'h', 'i', 'z']) {
          assert.equal(await iterator.seek(outside), undefined, `${outside} ${reverse}`);
        }
        assert.equal(await iterator.seek('f'), 'f');
        assert.equal(await iterator.seek('e'), reverse ? 'd' : 'f');
        assert.equal(await iterator.seek('d'), 'd');
        assert.equal(await iterator.seek('g'), reverse ? 'f' : undefined);
        iterator.close();
      }
    },
  ],
  [
    'a seek before anything was read, and after the end, works',
    async ({ open }) => {
      const db = await fiveKeys(open);
      const iterator = db.iterator();
      iterator.iterator.seek(Buffer.from('d'));
      iterator.iterator.seek(Buffer.from('h'));
      assert.equal((await iterator.read(100)).length, 2);
      assert.equal((await iterator.read(100)).length, 0);
      assert.equal(await iterator.seek('b'), 'b');
      assert.equal((await iterator.read(100)).length, 4);
      iterator.close();
    },
  ],
  [
    'a thousand entries come in order whatever the size of a read',
    async ({ open }) => {
      const db = await open();
      const name = (index: number): string => `k${String(index).padStart(5, '0')}`;
      const order = Array.from({ length: 1500 }, (_, index) => (index * 7919) % 1500);
      for (let start = 0; start < 1500; start += 100) {
        const some = order.slice(start, start + 100);
        await db.write(
          some.map((index): TextChange => [name(index), 'v'.repeat(index % 150)]),
          'none',
        );
      }
      const expected = Array.from({ length: 1500 }, (_, index) => [
        name(index),
        'v'.repeat(index % 150),
      ]);
      for (const chunk of [1, 7, 1000, 4000]) {
        assert.deepEqual(await db.entries({}, chunk), expected);
        assert.deepEqual(await db.entries({ reverse: true }, chunk), expected.toReversed());
      }
      assert.deepEqual(
        await db.entries({ gte: name(700), lt: name(900) }),
        expected.slice(700, 900),
      );
    },
  ],
  [
    'closing an iterator again does nothing, and a closed one refuses',
    async ({ open }) => {
      const db = await fiveKeys(open);
      const iterator = db.iterator();
      await iterator.read(1);
      iterator.close();
      iterator.close();
      await assert.rejects(iterator.read(1), { code: 'HOLDFAST_CLOSED' });
      await assert.rejects(iterator.seek('b'), { code: 'HOLDFAST_CLOSED' });
      assert.equal(db.engine.stats().snapshots, 0);
    },
  ],
];
