/** The engine contract: opening, closing, opening again, and use after close. */

import assert from 'node:assert/strict';

import type { EngineCase } from './engine-contract.ts';
import { batchOf, bytes } from './engine-driver.ts';
import type { TextChange } from './engine-driver.ts';

const CLOSED = { code: 'HOLDFAST_CLOSED' };

export const lifetimeCases: readonly EngineCase[] = [
  [
    'a new store is empty and says that it was made',
    async ({ open }) => {
      const db = await open();
      assert.deepEqual(await db.entries(), []);
      assert.equal(db.engine.recovery.created, true);
      assert.deepEqual(db.engine.recovery.dropped, []);
    },
  ],
  [
    'after close every call refuses with HOLDFAST_CLOSED',
    async ({ open }) => {
      const db = await open();
      await db.put('k', 'v');
      const { engine } = db;
      const snapshot = engine.snapshot();
      const iterator = db.iterator();
      await db.engine.close();
      await assert.rejects(db.get('k'), CLOSED);
      await assert.rejects(db.get('k', { snapshot }), CLOSED);
      await assert.rejects(db.has('k'), CLOSED);
      await assert.rejects(db.getMany(['k']), CLOSED);
      await assert.rejects(db.getMany([]), CLOSED);
      await assert.rejects(db.put('k', 'w'), CLOSED);
      await assert.rejects(db.write([]), CLOSED);
      await assert.rejects(db.clear(), CLOSED);
      await assert.rejects(iterator.read(1), CLOSED);
      assert.throws(() => engine.iterator(), CLOSED);
      assert.throws(() => engine.snapshot(), CLOSED);
      assert.throws(() => engine.stats(), CLOSED);
      await assert.rejects(async () => engine.approximateSize({}), CLOSED);
      await assert.rejects(engine.compact(), CLOSED);
      await assert.rejects(engine.verify(), CLOSED);
      snapshot.release();
      iterator.close();
      assert.equal(engine.close(), engine.close());
      await engine.close();
    },
  ],
  [
    'close waits for writes under way, and they are there afterwards',
    async ({ open }) => {
      const db = await open();
      const writes: Promise<void>[] = [];
      for (let index = 0; index < 20; index++) {
        const policy = (['none', 'batch', 'sync'] as const)[index % 3];
        writes.push(Promise.resolve(db.engine.write(batchOf([[`k${index}`, 'v']]), policy)));
      }
      const closing = db.engine.close();
      await Promise.all(writes);
      await closing;
      const again = await open();
      assert.equal((await again.entries()).length, 20);
    },
  ],
  [
    'a store that was closed is there again, whatever the policy of its writes',
    async ({ open }) => {
      const expected = new Map<string, string>();
      for (let round = 0; round < 5; round++) {
        const db = await open(round === 0 ? {} : { createIfMissing: false });
        assert.equal(db.engine.recovery.created, round === 0);
        assert.equal(db.engine.recovery.clean, true);
        assert.deepEqual(await db.entries(), [...expected].toSorted());
        const changes: TextChange[] = [[`round ${round}`, 'x'.repeat(round * 1000)]];
        if (round > 1) changes.push([`round ${round - 2}`]);
        await db.write(changes, (['sync', 'batch', 'none'] as const)[round % 3]);
        for (const [key, value] of changes) {
          if (value === undefined) expected.delete(key);
          else expected.set(key, value);
        }
        if (round === 3) await db.clear({ gte: 'round 2', lte: 'round 2' }, 'none');
        if (round === 3) expected.delete('round 2');
        await db.engine.close();
      }
      const db = await open();
      assert.deepEqual(await db.entries(), [...expected].toSorted());
      assert.equal((await db.engine.verify()).sound, true);
    },
  ],
  [
    'createIfMissing: false refuses where nothing is, and makes nothing',
    async ({ open, place }) => {
      const missing = { code: 'HOLDFAST_MISSING' };
      await assert.rejects(place.open({ createIfMissing: false }), missing);
      await assert.rejects(place.open({ createIfMissing: false }), missing);
      const db = await open({ errorIfExists: true });
      await db.put('k', 'v');
      await db.engine.close();
      await assert.rejects(place.open({ errorIfExists: true }), { code: 'HOLDFAST_EXISTS' });
      const again = await open({ createIfMissing: false });
      assert.equal(await again.get('k'), 'v');
    },
  ],
  [
    'a second opener is refused while the first lives',
    async ({ open, place }) => {
      const db = await open();
      await assert.rejects(place.open(), { code: 'HOLDFAST_LOCKED' });
      await db.put('k', 'v');
      await db.engine.close();
      const again = await open();
      assert.equal(await again.get('k'), 'v');
    },
  ],
  [
    'a sync policy that is none is a TypeError',
    async ({ place, open }) => {
      const wrong = { sync: 'sometimes' as 'sync' };
      await assert.rejects(place.open(wrong), TypeError);
      const { engine } = await open();
      assert.equal(await engine.get(bytes('k')), undefined);
    },
  ],
];
