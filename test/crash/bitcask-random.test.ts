/** Random use of Bitcask: see `random-use.ts`. */

import { test } from 'node:test';

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import type { BitcaskTestOptions } from '../../src/bitcask/bitcask-options.ts';
import { SyncDispatch } from '../../src/durable/sync-dispatch.ts';
import { useAtRandom } from '../support/random-use.ts';

const SMALL = { maxFileSize: 4096, preallocateBytes: 4096 };

test('whatever is done to a store, it shows what the memory engine shows, across closing and killing', async () => {
  await useAtRandom((vfs, clock) => {
    return bitcaskKind.open('/store', { ...SMALL, clock, dispatch: new SyncDispatch(vfs) });
  }, 25);
});

test('the same of a store that writes an index file at every closing', async () => {
  const indexed: BitcaskTestOptions = { ...SMALL, indexEntriesMin: 1 };
  await useAtRandom((vfs, clock) => {
    return bitcaskKind.open('/store', { ...indexed, clock, dispatch: new SyncDispatch(vfs) });
  }, 15);
});
