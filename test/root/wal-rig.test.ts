/** The log on real kernels. Needs root and the rig's pieces; the long run is `npm run prove:wal -- --rig FS`. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { skipWithout } from '../support/powercut-needs.ts';
import { cutPowerOfLog, RIG_STORIES } from '../support/wal-rig.ts';

/** Mounted states of each story. */
const IMAGES_MAX = 110;

describe('a log whose power is cut keeps its promises', () => {
  // Not ext4 without a journal: a rename over a file may leave nothing there (docs/assumptions.md, 5).
  for (const fileSystem of ['ext4', 'ext4-journal', 'xfs', 'btrfs']) {
    it(`on ${fileSystem}`, skipWithout(fileSystem), async (t) => {
      for (const story of RIG_STORIES) {
        const result = await cutPowerOfLog(fileSystem, story, { runs: 2, imagesMax: IMAGES_MAX });
        const { imagesMounted, distinctTrees } = result.certificate;
        t.diagnostic(`${story}: ${imagesMounted} mounted, ${distinctTrees} different trees`);
        assert.deepEqual(result.findings, []);
        assert.ok(imagesMounted > 50 && distinctTrees > 10);
      }
    });
  }
});
