/** A worker thread that dies in the middle of a job, as when memory runs out: the store goes on without it. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import type { Worker } from 'node:worker_threads';

import { HoldfastLevel } from '../../../src/index.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const TABLE = /\.ldb$/;

function hasTable(directory: string): boolean {
  return readdirSync(directory).some((name) => TABLE.test(name));
}

test('a flush whose worker dies in the middle of it is done all the same', async (t) => {
  const directory = temporaryDirectory(t);
  const workers: Worker[] = [];
  const onWorker = (worker: Worker): void => void workers.push(worker);
  process.on('worker', onWorker);
  t.after(() => process.off('worker', onWorker));
  const db = new HoldfastLevel(directory, { engine: 'lsm', writeBufferSize: 8 << 20 });
  await db.open();
  const value = 'v'.repeat(1000);
  const written = 9000;
  for (let from = 0; from < written; from += 500) {
    const keys = Array.from({ length: 500 }, (_, index) => `k${String(from + index)}`);
    const operations = keys.map((key) => ({ type: 'put' as const, key, value }));
    await db.batch(operations, { sync: 'none' });
  }
  while (!hasTable(directory)) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(workers.length > 0, 'there is a worker');
  await Promise.all(workers.map((worker) => worker.terminate()));
  await db.put('last', 'one', { sync: true });
  await db.compact();
  assert.equal((await db.keys().all()).length, written + 1);
  await db.close();
  const report = await HoldfastLevel.verify(directory);
  assert.deepEqual(report.damage, []);
});
