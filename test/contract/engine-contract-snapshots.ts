/** The engine contract: snapshots. */

import assert from 'node:assert/strict';

import type { EngineSnapshot } from '../../src/engine/read-options.ts';
import type { EngineCase } from './engine-contract.ts';
import { bytes } from './engine-driver.ts';

export const snapshotCases: readonly EngineCase[] = [
  [
    'a snapshot shows its state to every kind of read, whatever is written later',
    async ({ open }) => {
      const db = await open();
      await db.write([
        ['a', '1'],
        ['b', '1'],
        ['c', '1'],
      ]);
      const snapshot = db.engine.snapshot();
      await db.write([['a', '2'], ['b'], ['d', '2']]);
      await db.clear({ gte: 'c', lt: 'd' });
      assert.equal(await db.get('a', { snapshot }), '1');
      assert.equal(await db.get('b', { snapshot }), '1');
      assert.equal(await db.get('d', { snapshot }), undefined);
      assert.equal(await db.has('c', { snapshot }), true);
      assert.equal(await db.has('d', { snapshot }), false);
      assert.deepEqual(await db.getMany(['a', 'b', 'd'], { snapshot }), ['1', '1', undefined]);
      assert.equal(await db.keys({ snapshot }), 'a b c');
      assert.equal(await db.keys({ snapshot, reverse: true }), 'c b a');
      assert.equal(await db.keys(), 'a d');
      assert.equal(db.engine.stats().snapshots, 1);
      snapshot.release();
      snapshot.release();
      assert.equal(db.engine.stats().snapshots, 0);
    },
  ],
  [
    'many snapshots live beside each other and go in any order',
    async ({ open }) => {
      const db = await open();
      const snapshots: EngineSnapshot[] = [];
      for (let version = 0; version < 8; version++) {
        await db.write(
          [
            ['k', String(version)],
            [`only ${version}`, ''],
          ],
          'none',
        );
        if (version > 0) await db.delete(`only ${version - 1}`, 'none');
        snapshots.push(db.engine.snapshot());
      }
      await db.engine.compact();
      for (const gone of [3, 0, 7]) snapshots[gone]?.release();
      await db.engine.compact();
      for (const version of [6, 1, 5, 2, 4]) {
        const snapshot: EngineSnapshot = snapshots[version]!;
        assert.equal(await db.get('k', { snapshot }), String(version));
        assert.equal(await db.keys({ snapshot }), `k only ${version}`);
        snapshot.release();
      }
      assert.equal(await db.get('k'), '7');
    },
  ],
  [
    'an iterator begun with a snapshot goes on after its release',
    async ({ open }) => {
      const db = await open();
      await db.write([
        ['a', '1'],
        ['b', '1'],
      ]);
      const snapshot = db.engine.snapshot();
      const iterator = db.iterator({ snapshot });
      await db.write([['a'], ['b', '2']]);
      snapshot.release();
      await db.engine.compact();
      assert.deepEqual(await iterator.read(9), [
        ['a', '1'],
        ['b', '1'],
      ]);
      iterator.close();
    },
  ],
  [
    'reads under way answer although their snapshot is released meanwhile',
    async ({ open }) => {
      const db = await open();
      await db.put('a', '1');
      const snapshot = db.engine.snapshot();
      await db.put('a', '2');
      const reads = [
        db.get('a', { snapshot }),
        db.has('b', { snapshot }),
        db.getMany(['a'], { snapshot }),
      ];
      snapshot.release();
      assert.deepEqual(await Promise.all(reads), ['1', false, ['1']]);
    },
  ],
  [
    'reading with a released snapshot, or with that of another store, is a mistake',
    async ({ open, elsewhere }) => {
      const db = await open();
      const other = await elsewhere().open();
      const released = db.engine.snapshot();
      released.release();
      const foreign = other.snapshot();
      for (const snapshot of [released, foreign]) {
        await assert.rejects(db.get('k', { snapshot }), { name: 'AssertionError' });
        assert.throws(() => db.engine.iterator({ snapshot }), { name: 'AssertionError' });
      }
      foreign.release();
      assert.equal(other.getSync(bytes('k')), undefined);
    },
  ],
];
