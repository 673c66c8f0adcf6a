/** The memory engine keeps the contract that it defines. */

import { MemoryKind } from '../../../src/engine/memory-kind.ts';
import { engineContract } from '../../contract/engine-contract.ts';

engineContract({
  name: 'the memory engine',
  create: () => {
    const kind = new MemoryKind();
    return { open: (options) => kind.open('memory', options) };
  },
  randomRuns: 150,
});
