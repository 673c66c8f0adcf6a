/** Wrong options of a B+tree are named before anything is made. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';

const WRONG: readonly (readonly [options: object, message: RegExp])[] = [
  [{ checkpoint: 5 }, /checkpoint must be an object, not number/],
  [{ checkpoint: null }, /checkpoint must be an object, not null/],
  [{ checkpoint: { logBytes: '64' } }, /checkpoint.logBytes must be a positive number, not '64'/],
  [{ checkpoint: { logbytes: 64 } }, /checkpoint has no option 'logbytes'/],
  [{ batch: { ms: -1 } }, /batch.ms must be a positive number, not -1/],
  [{ pageBytes: 5000 }, /pageBytes must be a power of two/],
  [{ pageBytes: '8192' }, /pageBytes must be a power of two.*'8192'/],
  [{ cacheSize: '1' }, /cacheSize must be a number of bytes/],
  [{ aheadBytes: 0 }, /aheadBytes must be a number of bytes from 1/],
];

test('wrong options are named before anything is made', async () => {
  const vfs = new MemoryVfs();
  const dispatch = new SyncDispatch(vfs);
  for (const [options, message] of WRONG) {
    await assert.rejects(btreeKind.open('/store', { ...options, dispatch }), {
      name: 'TypeError',
      message,
    });
  }
  assert.deepEqual(await vfs.readDirectory('/'), []);
});
