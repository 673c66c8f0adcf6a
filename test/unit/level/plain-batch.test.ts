/** Batches by the short way are what they are by the long one, and all that is not plain goes the long one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { AbstractBatchOperation } from 'abstract-level';

import { HoldfastLevel } from '../../../src/index.ts';
import { plainBatch } from '../../../src/level/plain-batch.ts';

type Level = HoldfastLevel<string, unknown>;
type Operations = AbstractBatchOperation<Level, string, unknown>[];

async function opened(): Promise<Level> {
  const db: Level = new HoldfastLevel('memory', { engine: 'memory', valueEncoding: 'json' });
  await db.open();
  return db;
}

const OPERATIONS: Operations = [
  { type: 'put', key: 'ä', value: { n: 1 } },
  { type: 'put', key: 'b', value: 'text' },
  { type: 'del', key: 'ä' },
  { type: 'put', key: 'c', value: [1, 2] },
];

test('a batch leaves the same whether somebody listens to what is written or not', async () => {
  const [short, long] = [await opened(), await opened()];
  let heard = 0;
  long.on('write', (operations: unknown[]) => (heard += operations.length));
  for (const db of [short, long]) await db.batch(OPERATIONS, { sync: 'none' });
  assert.equal(heard, 4);
  const entries = await short.iterator().all();
  assert.deepEqual(entries, await long.iterator().all());
  assert.deepEqual(entries, [
    ['b', 'text'],
    ['c', [1, 2]],
  ]);
});

test('only what asks for nothing of the base class goes the short way', async () => {
  const db = await opened();
  assert.equal(plainBatch(db, OPERATIONS, { sync: 'none' })?.count, 4);
  assert.equal(plainBatch(db, OPERATIONS, undefined)?.count, 4);
  const put = { type: 'put', key: 'a', value: 1 };
  const notPlain: [operations: unknown, options?: unknown][] = [
    [[]],
    ['text'],
    [[put], { valueEncoding: 'utf8' }],
    [[put], 'text'],
    [[{ ...put, keyEncoding: 'hex' }]],
    [[{ ...put, valueEncoding: 'utf8' }]],
    [[{ ...put, sublevel: db.sublevel('s') }]],
    [[{ ...put, key: null }]],
    [[{ ...put, value: undefined }]],
    [[{ ...put, type: 'other' }]],
    [[{ ...put, ttl: -1 }]],
    [[put, null]],
  ];
  for (const [operations, options] of notPlain) {
    assert.equal(plainBatch(db, operations, options), null, JSON.stringify(operations));
  }
  db.hooks.prewrite.add(() => undefined);
  assert.equal(plainBatch(db, [put], undefined), null, 'a hook');
});

test('what is wrong with a batch is said by the base class', async () => {
  const db = await opened();
  const invalid = [{ type: 'put', key: null, value: 1 }] as unknown as Operations;
  await assert.rejects(db.batch(invalid), { code: 'LEVEL_INVALID_KEY' });
  await assert.rejects(db.batch(OPERATIONS, { sync: 'maybe' as 'none' }), TypeError);
  await db.close();
  await assert.rejects(db.batch(OPERATIONS), { code: 'LEVEL_DATABASE_NOT_OPEN' });
});

test('a batch takes steps on sublevels whose keys and values have types of their own', async () => {
  const db = new HoldfastLevel('memory', { engine: 'memory' });
  const users = db.sublevel<string, { name: string }>('users', { valueEncoding: 'json' });
  const names = db.sublevel('names');
  await db.batch([
    { type: 'put', sublevel: users, key: '17', value: { name: 'Ada' } },
    { type: 'put', sublevel: names, key: 'Ada', value: '17' },
    { type: 'del', sublevel: users, key: '16' },
    { type: 'put', key: 'plain', value: 'text' },
  ]);
  assert.deepEqual(await users.get('17'), { name: 'Ada' });
  assert.equal(await names.get('Ada'), '17');
  await db.close();
});
