/** The memory engine keeps the contract that it defines. */

import { memoryKind } from '../../../src/engine/memory-kind.ts';
import { engineContract } from '../../contract/engine-contract.ts';

engineContract({
  name: 'the memory engine',
  create: () => ({ open: (options) => memoryKind.open('memory', options) }),
  permanent: false,
  randomRuns: 150,
});
