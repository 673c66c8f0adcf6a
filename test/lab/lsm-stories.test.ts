/**
 * The LSM engine under the laboratory: some disks of every story, and one with crashes inside
 * recovery. The long runs: many disks are `npm run prove:lsm:wide`, crashes inside recovery and
 * faults `npm run prove:lsm:nested`, every sync taken away in turn `npm run prove:lsm:mutations`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertCrashSafe } from '../../src/lab/suite/assert-crash-safe.ts';
import { classOfLsm } from '../prove/lsm-class.ts';
import { exploreWidely } from '../prove/wide-exploration.ts';
import { WideTally } from '../prove/wide-judge.ts';
import { engineCrashTest, openAndJudge } from '../support/engine-story.ts';
import { LSM_STORIES } from './lsm-stories.ts';

for (const { name, subject, story } of LSM_STORIES) {
  test(`the LSM engine, ${name}: no power cut breaks a promise`, async () => {
    const crash = engineCrashTest(subject, story);
    const counted = { tally: new WideTally(), classOf: classOfLsm };
    const judge = openAndJudge(subject);
    const [one] = await exploreWidely(crash, judge, ['posix'], 30, counted);
    assert.deepEqual(
      one?.violations.map(({ message }) => message),
      [],
    );
    assert.ok(counted.tally.disks >= 20, `${counted.tally.disks} disks`);
  });
}

test('the LSM engine: a power cut inside recovery breaks no promise', async () => {
  const { subject, story } = LSM_STORIES.find(({ name }) => name === 'policies')!;
  await assertCrashSafe({ ...engineCrashTest(subject, story, { budget: 8 }), models: ['posix'] });
});
