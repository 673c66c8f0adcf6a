/** A batch that the log refuses for its size takes nobody else with it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

test('a batch over the limit of a log record is refused by itself, and changes nothing', async () => {
  const dispatch = new SyncDispatch(new MemoryVfs());
  // Values go through the log here, however long.
  const engine = await btreeKind.open('/store', { dispatch, aheadBytes: 2 ** 40 });
  const put = (key: string, value: Uint8Array): Promise<unknown> =>
    Promise.resolve(engine.write(WriteBatch.put(Buffer.from(key), value), 'none'));
  const small = Buffer.alloc(10, 1);
  const results = await Promise.allSettled([
    put('before', small),
    put('large', Buffer.alloc(257 << 20)),
    put('after', small),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  const [, large] = results;
  assert.equal(large?.status === 'rejected' && large.reason.code, 'HOLDFAST_TOO_LARGE');
  assert.ok(engine.hasSync(Buffer.from('before')));
  assert.ok(engine.hasSync(Buffer.from('after')));
  assert.ok(!engine.hasSync(Buffer.from('large')));
  assert.deepEqual((await engine.verify()).damage, []);
  await engine.close();
});
