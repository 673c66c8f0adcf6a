/** Random use of Bitcask: see `random-use.ts`. */

import { test } from 'node:test';

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { useAtRandom } from '../support/random-use.ts';

test('whatever is done to a store, it shows what the memory engine shows, across closing and killing', async () => {
  const small = { maxFileSize: 4096, preallocateBytes: 4096 };
  await useAtRandom((vfs, clock) => {
    return bitcaskKind.open('/store', { ...small, clock, dispatch: new SyncDispatch(vfs) });
  }, 25);
});
