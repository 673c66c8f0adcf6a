/**
 * The mutation run of the B+tree (`mutation-pieces.ts`): every sync, directory sync and order of names taken away in
 * turn, in the stories and in recovery. Mutants of a program are looked for widely, by what opening acts on, and those
 * of recovery with crashes inside it, as widely.
 *
 *   npm run prove:btree:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--seconds CPU]
 *                                    [--sum]
 */

import { BTREE_STORIES, btreeCrashTest, btreeJudging } from '../lab/btree-stories.ts';
import { BTREE_SURVIVORS } from '../lab/btree-survivors.ts';
import { classOfBtree } from './btree-class.ts';
import { runMutationPieces } from './mutation-pieces.ts';
import { findsInRecovery } from './nested-exploration.ts';
import { findsWidely } from './wide-exploration.ts';

await runMutationPieces({
  stories: BTREE_STORIES,
  testOf: (story) => btreeCrashTest(story, {}),
  findsOf: (story, program) => {
    const judging = btreeJudging(story);
    // What recovery syncs is missed only by a crash inside it, or after it.
    return program === 'workload'
      ? (test) => findsWidely(test, judging.judge, classOfBtree)
      : findsInRecovery(judging);
  },
  // The weakest: what it does not miss, no other one misses.
  models: ['posix'],
  names: [[/\d{6}\.(log|tmp)/, 'N.$1']],
  survivors: BTREE_SURVIVORS,
});
