/**
 * Bitcask under the laboratory: a small exploration of every story. Many disks: `npm run prove:bitcask:wide`; crashes
 * inside recovery and faults, under all models: `npm run prove:bitcask:nested`; every sync taken away in turn: `npm run
 * prove:bitcask:mutations`.
 */

import { test } from 'node:test';

import { assertCrashSafe } from '../../src/lab/suite/assert-crash-safe.ts';
import { engineCrashTest, faultyCrashTest } from '../support/engine-story.ts';
import { EXPIRING } from './bitcask-expiring.ts';
import { BITCASK_INDEX_STORIES } from './bitcask-index-stories.ts';
import { BITCASK_STORIES } from './bitcask-stories.ts';

/** Their recoveries are cut short too. */
const NESTED: readonly string[] = ['killed'];

/** The others differ from these in where a process is killed. */
const INDEXED = BITCASK_INDEX_STORIES.slice(0, 5);

for (const { name, subject, story } of [...BITCASK_STORIES, ...INDEXED]) {
  test(`bitcask, ${name}: no power cut breaks a promise`, async () => {
    const limits = NESTED.includes(name) ? { budget: 15 } : { budget: 10, nested: 0 };
    await assertCrashSafe({ ...engineCrashTest(subject, story, limits), models: ['posix'] });
  });
}

test('bitcask: a failed sync, then a kill, then recovery, then a power cut', async () => {
  const { subject, story } = BITCASK_STORIES.find(({ name }) => name === 'policies')!;
  const faults = [{ kind: 'failed-sync' }] as const;
  const crash = faultyCrashTest(subject, story, { models: ['posix'], budget: 40, nested: 0 });
  await assertCrashSafe({ ...crash, faults });
});

test('what was seen to have expired is never seen again, also with the clock set back', async () => {
  await assertCrashSafe({ ...EXPIRING.expiring, models: ['posix'], budget: 30 });
});
