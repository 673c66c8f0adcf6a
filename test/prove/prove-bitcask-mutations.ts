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
import { engineCrashTest, openAndJudge, owedBy } from '../support/engine-story.ts';
import { classOfBitcask } from './bitcask-class.ts';
import { runMutationPieces } from './mutation-pieces.ts';
import { findsInRecovery } from './nested-exploration.ts';
import { findsWidely } from './wide-exploration.ts';

/** What repair syncs is not asked about: one story says too little of it. */
const indexed = BITCASK_INDEX_STORIES.filter(({ name }) => !name.startsWith('repaired'));

await runMutationPieces({
  stories: [...BITCASK_STORIES, ...BITCASK_WIDE_STORIES, ...indexed],
  testOf: ({ subject, story }) => engineCrashTest(subject, story),
  findsOf: ({ subject }, program) => {
    const judge = openAndJudge({ ...subject, options: { ...subject.options, merge: false } });
    // What recovery syncs is missed only by a crash inside it, or after it.
    return program === 'workload'
      ? (test) => findsWidely(test, judge, classOfBitcask)
      : findsInRecovery({ judge, classOf: classOfBitcask, owedBy });
  },
  // The weakest: what it does not miss, no other one misses.
  models: ['posix'],
  names: [[/\d{10,}\.(data|hint|index)/, 'N.$1']],
  survivors: BITCASK_SURVIVORS,
});
