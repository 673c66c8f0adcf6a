/** The questions of `two-files.ts`, where the answers are known: ext4 flushes at each sync, without barriers at none. */

import assert from 'node:assert/strict';
import { it } from 'node:test';

import { skipWithout } from '../support/powercut-needs.ts';
import { BLOCKS, countFlushes, cutPowerOfTwoFiles, FILES } from '../support/two-files.ts';

const RETURNED = FILES.length * BLOCKS;

it(
  'on ext4 the disk flushes between write and return of each sync',
  skipWithout('ext4'),
  async () => {
    const counts = await countFlushes('ext4', 'append', 1);
    assert.deepEqual(counts, { returned: RETURNED, unflushed: 0 });
    const { certificate, findings } = await cutPowerOfTwoFiles('ext4', 'overwrite', 40);
    assert.deepEqual(findings, []);
    assert.ok(certificate.distinctTrees > 10);
  },
);

it('without barriers it does not, and that is seen', skipWithout('ext4'), async () => {
  const counts = await countFlushes('ext4', 'overwrite', 1, 'nobarrier');
  assert.deepEqual(counts, { returned: RETURNED, unflushed: RETURNED });
});
