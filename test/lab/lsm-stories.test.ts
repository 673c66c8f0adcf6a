/**
 * The LSM engine under the laboratory: a small exploration of every story. The long run, under all
 * models, with faults and with crashes inside recovery: `npm run prove:lsm`; every sync taken away
 * in turn: `npm run prove:lsm:mutations`.
 */

import { test } from 'node:test';

import { assertCrashSafe } from '../../src/lab/suite/assert-crash-safe.ts';
import { engineCrashTest } from '../support/engine-story.ts';
import { LSM_STORIES } from './lsm-stories.ts';

for (const { name, subject, story } of LSM_STORIES) {
  test(`the LSM engine, ${name}: no power cut breaks a promise`, async () => {
    const limits = name === 'policies' ? { budget: 15 } : { budget: 6, nested: 0 };
    await assertCrashSafe({ ...engineCrashTest(subject, story, limits), models: ['posix'] });
  });
}
