/** The engine contract: single keys, batches, `clear`, and the figures. */

import assert from 'node:assert/strict';

import { WriteBatch } from '../../src/engine/write-batch.ts';
import type { EngineCase } from './engine-contract.ts';
import { batchOf, bytes, text } from './engine-driver.ts';
import type { TextChange } from './engine-driver.ts';

const POLICIES = ['sync', 'batch', 'none'] as const;

export const readWriteCases: readonly EngineCase[] = [
  [
    'a key has the value last written, and none before and after a delete',
    async ({ open }) => {
      const db = await open();
      assert.equal(await db.get('a'), undefined);
      assert.equal(await db.has('a'), false);
      await db.put('a', '1');
      assert.equal(await db.get('a'), '1');
      assert.equal(await db.has('a'), true);
      await db.put('a', '2');
      assert.equal(await db.get('a'), '2');
      await db.delete('a');
      assert.equal(await db.get('a'), undefined);
      assert.equal(await db.has('a'), false);
      await db.delete('never there');
      assert.deepEqual(await db.entries(), []);
    },
  ],
  [
    'the empty key and the empty value are a key and a value',
    async ({ open }) => {
      const db = await open();
      await db.write([
        ['', 'of the empty key'],
        ['k', ''],
      ]);
      assert.equal(await db.get(''), 'of the empty key');
      assert.equal(await db.get('k'), '');
      assert.equal(await db.has('k'), true);
      assert.deepEqual(await db.getMany(['k', '', 'x']), ['', 'of the empty key', undefined]);
      assert.deepEqual(await db.entries(), [
        ['', 'of the empty key'],
        ['k', ''],
      ]);
      await db.delete('');
      assert.equal(await db.get(''), undefined);
      assert.equal(await db.get('k'), '');
    },
  ],
  [
    'keys differ by every byte, also those that no text has',
    async ({ open }) => {
      const db = await open();
      const keys = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte, 0xff - byte));
      await db.write(keys.map((key) => [key, `of ${key}`]));
      for (const key of keys) assert.equal(await db.get(key), `of ${key}`);
      assert.deepEqual(
        (await db.entries()).map(([key]) => key),
        keys,
      );
    },
  ],
  [
    'of two changes to one key in a batch the later one counts',
    async ({ open }) => {
      const db = await open();
      await db.write([['a', '1'], ['b', '1'], ['a', '2'], ['b'], ['c'], ['c', '3']]);
      assert.deepEqual(await db.entries(), [
        ['a', '2'],
        ['c', '3'],
      ]);
    },
  ],
  [
    'every policy gives the same answers, and an empty batch changes nothing',
    async ({ open }) => {
      const db = await open();
      for (const policy of POLICIES) {
        await db.put(policy, policy, policy);
        await db.write([], policy);
        assert.equal(await db.get(policy), policy);
      }
      assert.equal(await db.keys(), 'batch none sync');
    },
  ],
  [
    'writes made at one moment are applied in the order of their calls',
    async ({ open }) => {
      const db = await open();
      const writes: Promise<void>[] = [];
      for (let turn = 0; turn < 60; turn++) {
        const policy = POLICIES[turn % 3]!;
        const changes: TextChange[] = [
          ['last', String(turn)],
          [`turn ${turn % 7}`, String(turn)],
        ];
        writes.push(db.write(changes, policy));
      }
      await Promise.all(writes);
      assert.equal(await db.get('last'), '59');
      for (let key = 0; key < 7; key++) {
        const last = key + 7 * Math.floor((59 - key) / 7);
        assert.equal(await db.get(`turn ${key}`), String(last));
      }
    },
  ],
  [
    'a blocking write comes after what was accepted before it',
    async ({ open }) => {
      const { engine } = await open();
      const earlier = engine.write(batchOf([['k', 'earlier']]));
      engine.writeSync(batchOf([['k', 'blocking']]));
      assert.equal(text(engine.getSync(bytes('k'))), 'blocking');
      await earlier;
      assert.equal(text(engine.getSync(bytes('k'))), 'blocking');
    },
  ],
  [
    'large values and long keys come back as they were',
    async ({ open, subject }) => {
      const db = await open();
      const keyBytes = Math.min(subject.keyBytesMax ?? Infinity, 65_536);
      const large = Array.from({ length: 5 }, (_, index) => {
        const length = [4095, 4096, 33_000, 300_000, 2_500_000][index] ?? 0;
        return String.fromCharCode(65 + index).repeat(length);
      });
      const longKey = 'k'.repeat(keyBytes);
      for (const [index, value] of large.entries()) await db.put(`large ${index}`, value);
      await db.put(longKey, 'of the long key');
      await db.put(`${longKey.slice(0, -1)}l`, 'of its neighbour');
      for (const [index, value] of large.entries()) {
        assert.ok((await db.get(`large ${index}`)) === value, `value ${index} is another`);
      }
      assert.equal(await db.get(longKey), 'of the long key');
      assert.equal(await db.get(`${longKey.slice(0, -1)}l`), 'of its neighbour');
      const seen = await db.entries({}, 2);
      assert.equal(seen.length, 7);
      assert.ok(large.every((value, index) => seen[index + 2]?.[1] === value));
    },
  ],
  [
    'what is given and what comes back are nobody else’s bytes',
    async ({ open }) => {
      const { engine } = await open();
      const key = bytes('key');
      const value = bytes('value');
      engine.writeSync(WriteBatch.put(key, value));
      key.fill(0);
      value.fill(0);
      const first = engine.getSync(bytes('key'));
      assert.equal(text(first), 'value');
      first?.fill(0);
      assert.equal(text(engine.getSync(bytes('key'))), 'value');
      const [many] = await engine.getMany([bytes('key')]);
      many?.fill(0);
      assert.equal(text(await engine.get(bytes('key'))), 'value');
    },
  ],
  [
    'clear deletes a range, from its beginning or its end, up to a limit',
    async ({ open }) => {
      const db = await open();
      const fill = 'abcdefghij'.split('').map((key): TextChange => [key, `of ${key}`]);
      const left = async (range: Parameters<typeof db.clear>[0]): Promise<string> => {
        await db.write(fill);
        await db.clear(range);
        return db.keys();
      };
      assert.equal(await left({ gte: 'c', lt: 'f' }), 'a b f g h i j');
      assert.equal(await left({ gt: 'c', lte: 'f' }), 'a b c g h i j');
      assert.equal(await left({ limit: 3 }), 'd e f g h i j');
      assert.equal(await left({ limit: 3, reverse: true }), 'a b c d e f g');
      assert.equal(await left({ gt: 'b', limit: 2 }), 'a b e f g h i j');
      assert.equal(await left({ lt: 'e', limit: 2, reverse: true }), 'a b e f g h i j');
      assert.equal(await left({ limit: 0 }), 'a b c d e f g h i j');
      assert.equal(await left({ gt: 'x' }), 'a b c d e f g h i j');
      assert.equal(await left({ gt: 'f', lt: 'c' }), 'a b c d e f g h i j');
      assert.equal(await left({}), '');
    },
  ],
  [
    'clear deletes thousands, and with a snapshot only what that had',
    async ({ open }) => {
      const db = await open();
      const many = Array.from({ length: 3000 }, (_, index): TextChange => [`m${index}`, 'x']);
      await db.write(many, 'none');
      await db.put('kept', '1');
      await db.clear({ gte: 'm', lt: 'n' });
      assert.equal(await db.keys(), 'kept');
      const snapshot = db.engine.snapshot();
      await db.put('later', '1');
      await db.clear({ snapshot });
      snapshot.release();
      assert.equal(await db.keys(), 'later');
    },
  ],
  [
    'the size of an empty range is nothing, and never negative',
    async ({ open }) => {
      const { engine } = await open();
      assert.equal(await engine.approximateSize({ gte: bytes('b'), lt: bytes('a') }), 0);
      const size = await engine.approximateSize({});
      assert.ok(Number.isFinite(size) && size >= 0);
    },
  ],
  [
    'compact changes nothing that can be read, and verify finds nothing',
    async ({ open }) => {
      const db = await open();
      for (let round = 0; round < 3; round++) {
        const changes = Array.from({ length: 400 }, (_, index): TextChange =>
          index % 3 === round ? [`k${index}`] : [`k${index}`, `${round} `.repeat(20)],
        );
        await db.write(changes, 'none');
      }
      const before = await db.entries();
      const snapshot = db.engine.snapshot();
      await db.write([['k1', 'changed']]);
      let last = { done: -1, total: 0 };
      await db.engine.compact(undefined, {
        onProgress: ({ done, total }) => {
          assert.ok(done >= last.done && done <= total);
          last = { done, total };
        },
      });
      await db.engine.compact({ gte: bytes('k1'), lt: bytes('k2') });
      assert.deepEqual(await db.entries({ snapshot }), before);
      snapshot.release();
      assert.equal(await db.get('k1'), 'changed');
      const report = await db.engine.verify();
      assert.deepEqual(report.damage, []);
      assert.equal(report.sound, true);
      if (report.entries !== undefined) assert.equal(report.entries, (await db.entries()).length);
      const { engine, entries, snapshots } = db.engine.stats();
      assert.equal(engine, db.engine.name);
      assert.equal(snapshots, 0);
      if (entries !== undefined) assert.equal(entries, (await db.entries()).length);
    },
  ],
];
