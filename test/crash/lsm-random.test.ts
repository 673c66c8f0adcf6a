/** Random use of the LSM engine: see `random-use.ts`. */

import { test } from 'node:test';

import { openOn } from '../support/lsm-stores.ts';
import { useAtRandom } from '../support/random-use.ts';

test('whatever is done to a store, it shows what the memory engine shows, across closing and killing', async () => {
  await useAtRandom((vfs, clock) => openOn(vfs, { clock }), 25);
});
