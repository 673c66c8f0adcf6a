/**
 * The mutation run of Bitcask (`mutation-pieces.ts`): every sync, directory sync, and order of names taken away in
 * turn, in the programs and in recovery.
 *
 *   npm run prove:bitcask:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--budget DISKS]
 *                                      [--seconds CPU] [--sum]
 */

import { BITCASK_STORIES } from '../lab/bitcask-stories.ts';
import { BITCASK_SURVIVORS } from '../lab/bitcask-survivors.ts';
import { engineCrashTest, openAndJudge } from '../support/engine-story.ts';
import { runMutationPieces } from './mutation-pieces.ts';

await runMutationPieces({
  stories: BITCASK_STORIES,
  testOf: ({ subject, story }, program, budget) => {
    const crash = engineCrashTest(subject, story, { budget });
    // What recovery syncs is missed only by a crash inside it, or after it.
    if (program === 'recover') return { ...crash, nested: 1 };
    const check = openAndJudge({ ...subject, options: { ...subject.options, merge: false } });
    return { workload: crash.workload, check, nested: 0, budget };
  },
  // The weakest: what it does not miss, no other one misses.
  models: ['posix'],
  names: [[/\d{10,}\.(data|hint)/, 'N.$1']],
  survivors: BITCASK_SURVIVORS,
  budget: 200,
});
