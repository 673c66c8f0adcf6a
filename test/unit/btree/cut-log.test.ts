/** A B+tree whose log has lost its end, the checkpoint with it: an error for all, and one with a code. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { WriteBatch } from '../../../src/engine/write-batch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

const LOGS = '/store/log';

test('a log that is cut before its checkpoint is corruption, for opening and for verify', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  const store = await btreeKind.open('/store', { dispatch });
  for (const key of ['a', 'b'])
    await store.write(WriteBatch.put(Buffer.from(key), Buffer.alloc(9)));
  await store.close();
  assert.equal((await btreeKind.verify('/store', { dispatch })).sound, true);
  const logs = vfs.readDirectorySync(LOGS).filter(({ name }) => name.endsWith('.log'));
  const file = vfs.openSync(`${LOGS}/${logs.at(-1)?.name}`, { write: true });
  file.truncateSync(45);
  file.closeSync();
  const { sound, damage } = await btreeKind.verify('/store', { dispatch });
  assert.equal(sound, false);
  assert.match(damage[0]?.message ?? '', /checkpoint/);
  for (const _ of ['first', 'again']) {
    const opening = btreeKind.open('/store', { dispatch });
    await assert.rejects(opening, { code: 'HOLDFAST_CORRUPTION', path: LOGS });
  }
});
