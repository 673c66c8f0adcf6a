/**
 * The mutation run of the B+tree (`mutation-pieces.ts`): every sync, directory sync and order of names taken away in
 * turn, in the stories and in recovery. Mutants of a program are looked for widely, by what opening acts on; those of
 * recovery with crashes inside it.
 *
 *   npm run prove:btree:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--budget DISKS]
 *                                    [--seconds CPU] [--sum]
 */

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { BTREE_STORIES, btreeCrashTest } from '../lab/btree-stories.ts';
import type { BtreeStory } from '../lab/btree-stories.ts';
import { BTREE_SURVIVORS } from '../lab/btree-survivors.ts';
import { openAndJudge } from '../support/engine-story.ts';
import { classOfBtree } from './btree-class.ts';
import { runMutationPieces } from './mutation-pieces.ts';
import { ClassMismatch, exploreWidely, WideTally } from './wide-exploration.ts';

/** A class is opened once, so that many disks of a program cost little. */
const WIDE = 1500;

/** Whether some disk that the program can leave fails when it is opened. */
async function findsWidely(test: CrashTest, { subject }: BtreeStory): Promise<boolean> {
  const counted = { tally: new WideTally(), classOf: classOfBtree };
  const models = (test.models ?? []).map(String);
  try {
    const all = await exploreWidely(test, openAndJudge(subject), models, WIDE, counted);
    return all.some(({ violations }) => violations.length > 0);
  } catch (error) {
    // The mutant does not even work, unless it is the class that is wrong.
    if (error instanceof ClassMismatch) throw error;
    return true;
  }
}

await runMutationPieces({
  stories: BTREE_STORIES,
  // What recovery syncs is missed only by a crash inside it, or after it.
  testOf: (story, program, budget) =>
    btreeCrashTest(story, { nested: program === 'recover' ? 1 : 0, budget }),
  findsOf: (story, program) =>
    program === 'workload' ? (test) => findsWidely(test, story) : undefined,
  // The weakest: what it does not miss, no other one misses.
  models: ['posix'],
  names: [[/\d{6}\.(log|tmp)/, 'N.$1']],
  survivors: BTREE_SURVIVORS,
  budget: 100,
});
