/** The contract of an engine, for Bitcask: with logs of the usual size, and with very small ones. */

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { bitcaskKind } from '../../../src/bitcask/bitcask-kind.ts';
import type { BitcaskOptions } from '../../../src/bitcask/bitcask-options.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { engineContract } from '../../contract/engine-contract.ts';

function contract(name: string, own: BitcaskOptions, randomRuns: number): void {
  engineContract({
    name,
    keyBytesMax: 65_535,
    randomRuns,
    create: () => {
      const dispatch = new SyncDispatch(new MemoryVfs());
      return { open: (options) => bitcaskKind.open('/store', { ...options, ...own, dispatch }) };
    },
  });
}

contract('bitcask', {}, 5);
contract('bitcask with logs of 4 KiB and no cache', { maxFileSize: 4096, cacheSize: 0 }, 10);
