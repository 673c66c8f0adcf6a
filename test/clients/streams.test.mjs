/** Streams of the family: Node's (level-read-stream) and the Web's (level-web-stream). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import nodeStreams from 'level-read-stream';
import webStreams from 'level-web-stream';

import { ENGINES, newStore } from './stores.mjs';

const COUNT = 2500;
const keyOf = (index) => `k${String(index).padStart(5, '0')}`;

/** Everything that can be iterated over. */
async function gathered(stream) {
  const all = [];
  for await (const item of stream) all.push(item);
  return all;
}

async function withStore(engine, use) {
  const { db, remove } = newStore(engine);
  try {
    const batch = Array.from({ length: COUNT }, (_, index) => ({
      type: 'put',
      key: keyOf(index),
      value: `of ${index}`,
    }));
    await db.batch(batch);
    await use(db);
  } finally {
    await remove();
  }
}

for (const engine of ENGINES) {
  describe(`the engine ${engine}`, () => {
    it('is read by the streams of level-read-stream', () =>
      withStore(engine, async (db) => {
        const entries = await gathered(new nodeStreams.EntryStream(db, { gte: keyOf(10) }));
        assert.equal(entries.length, COUNT - 10);
        assert.deepEqual(entries[0], { key: keyOf(10), value: 'of 10' });
        const keys = await gathered(new nodeStreams.KeyStream(db, { reverse: true, limit: 3 }));
        assert.deepEqual(keys, [keyOf(2499), keyOf(2498), keyOf(2497)]);
        const values = await gathered(new nodeStreams.ValueStream(db, { lt: keyOf(2) }));
        assert.deepEqual(values, ['of 0', 'of 1']);
      }));

    it('is read and written by the streams of level-web-stream', () =>
      withStore(engine, async (db) => {
        const entries = await gathered(new webStreams.EntryStream(db));
        assert.equal(entries.length, COUNT);
        assert.deepEqual(entries.at(-1), [keyOf(2499), 'of 2499']);
        const copy = newStore(engine);
        try {
          await new webStreams.EntryStream(db).pipeTo(new webStreams.BatchStream(copy.db));
          assert.deepEqual(await gathered(new webStreams.EntryStream(copy.db)), entries);
        } finally {
          await copy.remove();
        }
      }));
  });
}
