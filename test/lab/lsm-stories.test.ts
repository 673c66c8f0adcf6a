/**
 * The stories of stores on the LSM engine, with tables so small that each flushes and merges. A
 * taste of the long runs, on the weakest disk.
 */

import { test } from 'node:test';

import { assertCrashSafe } from '../../src/lab/suite/assert-crash-safe.ts';
import { lsmKind } from '../../src/lsm/lsm-kind.ts';
import { ENGINE_STORIES } from '../support/engine-stories.ts';
import { engineCrashTest } from '../support/engine-story.ts';
import { TINY } from '../support/lsm-stores.ts';

/** Disks of each story: fewer where opening a store has many files to go through. */
const BUDGETS = { policies: 25, groups: 25, batches: 25, turnover: 4, reopened: 8 };

for (const [name, budget] of Object.entries(BUDGETS)) {
  test(`the LSM engine keeps the story '${name}'`, async () => {
    const story = ENGINE_STORIES[name]!;
    const limits = { models: ['posix'], budget, nested: name === 'policies' ? 1 : 0 };
    await assertCrashSafe(engineCrashTest({ kind: lsmKind, options: { ...TINY } }, story, limits));
  });
}
