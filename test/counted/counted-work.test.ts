/**
 * The regression guard: what the main operations cost in calls, syncs, bytes and trips through the
 * thread pool is recorded, and compared exactly. No clock is asked. After a change that is meant to
 * cost more or less: `npm run work:record`, and look at the difference.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { countWork } from './counted-steps.ts';
import type { WorkBySubject } from './counted-steps.ts';

const RECORDED = fileURLToPath(
  new URL('../../../test/counted/recorded-work.json', import.meta.url),
);

test('the main operations of the log and of every engine cost what was recorded', async () => {
  const work = await countWork();
  if (process.env['HOLDFAST_RECORD_WORK'] === '1') {
    writeFileSync(RECORDED, `${JSON.stringify(work, undefined, 2)}\n`);
  }
  const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as WorkBySubject;
  for (const [subject, steps] of Object.entries(recorded)) {
    for (const [step, expected] of Object.entries(steps)) {
      assert.deepEqual(
        work[subject]?.[step],
        expected,
        `${subject}, ${step}: the cost changed; where it is meant to, npm run work:record`,
      );
    }
  }
  assert.deepEqual(work, recorded, 'nothing is counted that is not recorded');
});
