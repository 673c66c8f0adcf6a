/**
 * The B+tree keeps its stories on the weakest disk: a taste of each run of `npm run prove:btree`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openAndJudge } from '../support/engine-story.ts';
import { exploreWidely } from '../prove/wide-exploration.ts';
import { BTREE_STORIES, btreeCrashTest } from './btree-stories.ts';

for (const story of BTREE_STORIES) {
  if (story.taste === 0) continue;
  test(`the B+tree keeps the story '${story.name}'`, async () => {
    const workload = btreeCrashTest(story, {});
    const judge = openAndJudge(story.subject);
    const [run] = await exploreWidely(workload, judge, ['posix'], story.taste);
    assert.ok(run !== undefined && run.distinct >= story.taste / 2, `${run?.distinct} disks`);
    assert.deepEqual(
      run.violations.map(({ message }) => message),
      [],
    );
  });
}
