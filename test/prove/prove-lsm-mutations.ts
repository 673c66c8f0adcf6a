/**
 * The mutation run of the LSM engine (`mutation-pieces.ts`): every sync, directory sync, and order of names taken away
 * in turn, in the programs and in recovery. Mutants of a program are looked for widely, by what opening acts on; those
 * of recovery with crashes inside it.
 *
 *   npm run prove:lsm:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--budget DISKS]
 *                                  [--seconds CPU] [--sum]
 */

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { LSM_STORIES, type LsmStory } from '../lab/lsm-stories.ts';
import { LSM_SURVIVORS } from '../lab/lsm-survivors.ts';
import { engineCrashTest, openAndJudge } from '../support/engine-story.ts';
import { classOfLsm } from './lsm-class.ts';
import { runMutationPieces } from './mutation-pieces.ts';
import { exploreWidely, WideTally } from './wide-exploration.ts';

/** A class is opened once, so that many disks of a program cost little. */
const WIDE = 3000;

/** Whether some disk that the program can leave fails when it is opened. */
async function findsWidely(test: CrashTest, { subject }: LsmStory): Promise<boolean> {
  const counted = { tally: new WideTally(), classOf: classOfLsm };
  const models = (test.models ?? []).map(String);
  try {
    const all = await exploreWidely(test, openAndJudge(subject), models, WIDE, counted);
    return all.some(({ violations }) => violations.length > 0);
  } catch {
    // The mutant does not even work.
    return true;
  }
}

await runMutationPieces({
  stories: LSM_STORIES,
  // What recovery syncs is missed only by a crash inside it, or after it.
  testOf: ({ subject, story }, program, budget) =>
    engineCrashTest(subject, story, { nested: program === 'recover' ? 1 : 0, budget }),
  findsOf: (story, program) =>
    program === 'workload' ? (test) => findsWidely(test, story) : undefined,
  names: [
    [/\d{6}\.(log|ldb)/, 'N.$1'],
    [/MANIFEST-\d+/, 'MANIFEST-N'],
  ],
  survivors: LSM_SURVIVORS,
  budget: 200,
});
