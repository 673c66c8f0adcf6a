/**
 * The mutation run of Bitcask (`mutation-pieces.ts`): every sync, directory sync, and order of names taken away in
 * turn, in the programs and in recovery. Mutants of a program are looked for widely, by what opening acts on, and those
 * of recovery with crashes inside it, as widely.
 *
 *   npm run prove:bitcask:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--seconds CPU]
 *                                      [--sum]
 */

import { BITCASK_INDEX_STORIES } from '../lab/bitcask-index-stories.ts';
import { BITCASK_STORIES } from '../lab/bitcask-stories.ts';
import { BITCASK_SURVIVORS } from '../lab/bitcask-survivors.ts';
import { BITCASK_WIDE_STORIES } from '../lab/bitcask-wide-stories.ts';
import { engineCrashTest } from '../support/engine-story.ts';
import { classOfBitcask } from './bitcask-class.ts';
import { bitcaskJudging } from './bitcask-judging.ts';
import { runMutationPieces } from './mutation-pieces.ts';
import { findsInRecovery } from './nested-exploration.ts';
import { findsWidely } from './wide-exploration.ts';

await runMutationPieces({
  stories: [...BITCASK_STORIES, ...BITCASK_WIDE_STORIES, ...BITCASK_INDEX_STORIES],
  testOf: ({ subject, story }) => engineCrashTest(subject, story),
  findsOf: (story, program) => {
    const judging = bitcaskJudging(story);
    // What recovery syncs is missed only by a crash inside it, or after it.
    return program === 'workload'
      ? (test) => findsWidely(test, judging.judge, classOfBitcask)
      : findsInRecovery(judging);
  },
  // The weakest: what it does not miss, no other one misses.
  models: ['posix'],
  names: [[/\d{10,}\.(data|hint|index)/, 'N.$1']],
  survivors: BITCASK_SURVIVORS,
});
