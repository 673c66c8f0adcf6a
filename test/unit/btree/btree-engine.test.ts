/** The B+tree keeps the contract of engines. */

import { btreeKind } from '../../../src/btree/btree-kind.ts';
import { keyBytesMax } from '../../../src/btree/tree-writer.ts';
import { SyncDispatch } from '../../../src/durable/sync-dispatch.ts';
import { MemoryVfs } from '../../../src/vfs/memory-vfs.ts';
import { engineContract } from '../../contract/engine-contract.ts';

engineContract({
  name: 'the btree engine',
  create: () => {
    const dispatch = new SyncDispatch(new MemoryVfs());
    return { open: (options) => btreeKind.open('/store', { ...options, dispatch }) };
  },
  keyBytesMax: keyBytesMax(4096),
  randomRuns: 20,
});
