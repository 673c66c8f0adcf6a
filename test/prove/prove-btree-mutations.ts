/**
 * The mutation run of the B+tree (`mutation-pieces.ts`): every sync, directory sync and order of names taken away in
 * turn, in the stories and in recovery.
 *
 *   npm run prove:btree:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--budget DISKS]
 *                                    [--seconds CPU] [--sum]
 */

import { BTREE_STORIES, btreeCrashTest } from '../lab/btree-stories.ts';
import { BTREE_SURVIVORS } from '../lab/btree-survivors.ts';
import { runMutationPieces } from './mutation-pieces.ts';

await runMutationPieces({
  stories: BTREE_STORIES,
  // What recovery syncs is missed only by a crash inside it, or after it.
  testOf: (story, program, budget) =>
    btreeCrashTest(story, { nested: program === 'recover' ? 1 : 0, budget }),
  survivors: BTREE_SURVIVORS,
  budget: 100,
});
