/**
 * The mutation run of Bitcask (`mutation-pieces.ts`): every sync, directory sync, and order of names taken away in
 * turn, in the programs and in recovery. Mutants of a program are looked for widely, by what opening acts on; those of
 * recovery with crashes inside it.
 *
 *   npm run prove:bitcask:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--budget DISKS]
 *                                      [--seconds CPU] [--sum]
 */

import { BITCASK_STORIES } from '../lab/bitcask-stories.ts';
import { BITCASK_SURVIVORS } from '../lab/bitcask-survivors.ts';
import { BITCASK_WIDE_STORIES } from '../lab/bitcask-wide-stories.ts';
import { engineCrashTest, openAndJudge } from '../support/engine-story.ts';
import { classOfBitcask } from './bitcask-class.ts';
import { runMutationPieces } from './mutation-pieces.ts';
import { findsWidely } from './wide-exploration.ts';

await runMutationPieces({
  stories: [...BITCASK_STORIES, ...BITCASK_WIDE_STORIES],
  // What recovery syncs is missed only by a crash inside it, or after it.
  testOf: ({ subject, story }, program, budget) =>
    engineCrashTest(subject, story, { nested: program === 'recover' ? 1 : 0, budget }),
  findsOf: ({ subject }, program) => {
    if (program !== 'workload') return undefined;
    const recover = openAndJudge({ ...subject, options: { ...subject.options, merge: false } });
    return (test) => findsWidely(test, recover, classOfBitcask);
  },
  // The weakest: what it does not miss, no other one misses.
  models: ['posix'],
  names: [[/\d{10,}\.(data|hint)/, 'N.$1']],
  survivors: BITCASK_SURVIVORS,
  budget: 200,
});
