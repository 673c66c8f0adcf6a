/**
 * The mutation run of the LSM engine (`mutation-pieces.ts`): every sync, directory sync, and order of names taken away
 * in turn, in the programs and in recovery. Mutants of a program are looked for widely, by what opening acts on, and
 * those of recovery with crashes inside it, as widely.
 *
 *   npm run prove:lsm:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--seconds CPU]
 *                                  [--sum]
 */

import { LSM_STORIES } from '../lab/lsm-stories.ts';
import { LSM_SURVIVORS } from '../lab/lsm-survivors.ts';
import { engineCrashTest, openAndJudge, owedBy } from '../support/engine-story.ts';
import { classOfLsm } from './lsm-class.ts';
import { runMutationPieces } from './mutation-pieces.ts';
import { findsInRecovery } from './nested-exploration.ts';
import { findsWidely } from './wide-exploration.ts';

await runMutationPieces({
  stories: LSM_STORIES,
  testOf: ({ subject, story }) => engineCrashTest(subject, story),
  findsOf: ({ subject }, program) => {
    const judge = openAndJudge(subject);
    // What recovery syncs is missed only by a crash inside it, or after it.
    return program === 'workload'
      ? (test) => findsWidely(test, judge, classOfLsm)
      : findsInRecovery({ judge, classOf: classOfLsm, owedBy });
  },
  // The weakest: what it does not miss, no other one misses.
  models: ['posix'],
  names: [
    [/\d{6}\.(log|ldb)/, 'N.$1'],
    [/MANIFEST-\d+/, 'MANIFEST-N'],
    // A place in the code is the same in a backup.
    [/of \/copy(?=[/ ])/, 'of /store'],
  ],
  survivors: LSM_SURVIVORS,
});
