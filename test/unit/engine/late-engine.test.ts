/** The contract's cases ask only what engines that must wait can do as well. */

import { engineContract } from '../../contract/engine-contract.ts';
import { lateKind } from '../../support/late-engine.ts';

engineContract({
  name: 'an engine that answers late',
  create: () => {
    const kind = lateKind();
    return { open: (options) => kind.open('late', options) };
  },
  randomRuns: 20,
});
