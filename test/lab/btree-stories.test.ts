/**
 * The B+tree keeps its stories on the weakest disk: a taste of each run of `npm run prove:btree:wide`.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Exploration } from '../../src/lab/explore/exploration.ts';
import { classOfBtree } from '../prove/btree-class.ts';
import { exploreWidely } from '../prove/wide-exploration.ts';
import { WideTally } from '../prove/wide-judge.ts';
import { earlyRun } from '../support/early-run.ts';
import { openAndJudge } from '../support/engine-story.ts';
import { BTREE_STORIES, btreeCrashTest } from './btree-stories.ts';
import type { BtreeStory } from './btree-stories.ts';

async function explored(story: BtreeStory): Promise<Exploration | undefined> {
  const judge = openAndJudge(story.subject);
  const counted = { tally: new WideTally(), classOf: classOfBtree };
  const { taste } = story;
  const [run] = await exploreWidely(btreeCrashTest(story, {}), judge, ['posix'], taste, counted);
  return run;
}

const tasted = BTREE_STORIES.filter(({ taste }) => taste > 0);
const results = new Map<BtreeStory, () => Exploration | undefined>();
for (const story of tasted) results.set(story, await earlyRun(() => explored(story)));

for (const story of tasted) {
  test(`the B+tree keeps the story '${story.name}'`, () => {
    const run = results.get(story)?.();
    assert.ok(run !== undefined && run.distinct >= story.taste / 2, `${run?.distinct} disks`);
    assert.deepEqual(
      run.violations.map(({ message }) => message),
      [],
    );
  });
}
