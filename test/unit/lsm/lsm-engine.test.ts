/** The LSM engine keeps the contract: over the machine's files, and over files in memory. */

import { join } from 'node:path';

import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { lsmKind } from '../../../src/lsm/lsm-kind.ts';
import type { LsmOptions } from '../../../src/lsm/lsm-options.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { engineContract } from '../../contract/engine-contract.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

engineContract({
  name: 'the LSM engine',
  create: (scope) => {
    const directory = join(temporaryDirectory(scope), 'store');
    return { open: (options) => lsmKind.open(directory, options) };
  },
  randomRuns: 5,
});

/** So small that a few entries are many tables in many levels. */
const TINY: LsmOptions = {
  writeBufferSize: 1024,
  maxFileSize: 1024,
  blockSize: 64,
  cacheSize: 4096,
};

engineContract({
  name: 'the LSM engine with tiny tables',
  create: () => {
    const dispatch = new SyncDispatch(new MemoryVfs());
    return { open: (options) => lsmKind.open('/store', { ...TINY, ...options, dispatch }) };
  },
  randomRuns: 10,
});
