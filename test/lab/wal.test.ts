/**
 * The write-ahead log under the laboratory: a small exploration of every story, under the weakest model, of some with
 * crashes inside recovery. The large ones, under all default models: `npm run prove:wal`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { explore } from '../../src/lab/suite/explore-crash-test.ts';
import { crashTestReport } from '../../src/lab/suite/suite-report.ts';
import { mutationRun } from '../support/mutation-run.ts';
import { crashTestOf, FAULTY_WAL_STORIES, WAL_STORIES } from './wal-stories.ts';

const SMALL = { models: ['posix'], nested: 0, budget: 60 } as const;
/** Stories whose recoveries are cut short too. */
const NESTED: readonly string[] = [
  'checkpoint and truncation',
  'killed with records that no sync covers, and opened again',
];

async function passes(crashTest: CrashTest): Promise<number> {
  const result = await explore(crashTest);
  assert.notEqual(result.verdict, 'found', crashTestReport(result, process.cwd()));
  return result.certificate.disksChecked;
}

for (const story of WAL_STORIES) {
  test(`log, ${story.name}: no power cut breaks a promise`, async (t) => {
    const nested = NESTED.includes(story.name) ? 1 : 0;
    const disks = await passes({ ...crashTestOf(story), ...SMALL, nested });
    t.diagnostic(`${disks} disks`);
    assert.ok(disks >= 16);
  });
}

test('log: a failed sync, then a kill, then recovery, then a power cut', async () => {
  const story = FAULTY_WAL_STORIES.find(({ name }) => name.startsWith('appends'));
  assert.ok(story !== undefined);
  const faults = [{ kind: 'failed-sync' }] as const;
  await passes({ ...crashTestOf(story), models: ['posix'], nested: 0, budget: 80, faults });
});

test('log: a sync that is missing or late is caught', async () => {
  const story = WAL_STORIES.find(({ name }) => name === 'rotation under policy none');
  assert.ok(story !== undefined);
  const small = { models: ['posix'], nested: 0, budget: 130 } as const;
  const mutants = await mutationRun({ ...crashTestOf(story), ...small }, { kinds: ['dropped'] });
  const caught = mutants.filter(({ caughtBy }) => caughtBy !== null).length;
  assert.ok(caught >= 5, `${caught} of ${mutants.length}`);
});
