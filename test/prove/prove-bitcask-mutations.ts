/**
 * The mutation run of Bitcask (`mutation-pieces.ts`): every sync, directory sync, and order of names taken away in
 * turn, in the programs and in recovery. Mutants of a program are looked for widely, by what opening acts on; those of
 * recovery with crashes inside it.
 *
 *   npm run prove:bitcask:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--budget DISKS]
 *                                      [--seconds CPU] [--sum]
 */

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { BITCASK_STORIES } from '../lab/bitcask-stories.ts';
import type { BitcaskStory } from '../lab/bitcask-stories.ts';
import { BITCASK_SURVIVORS } from '../lab/bitcask-survivors.ts';
import { BITCASK_WIDE_STORIES } from '../lab/bitcask-wide-stories.ts';
import { engineCrashTest, openAndJudge } from '../support/engine-story.ts';
import { classOfBitcask } from './bitcask-class.ts';
import { runMutationPieces } from './mutation-pieces.ts';
import { ClassMismatch, exploreWidely, WideTally } from './wide-exploration.ts';

/** A class is opened once, so that many disks of a program cost little. */
const WIDE = 1500;

/** Whether some disk that the program can leave fails when it is opened. */
async function findsWidely(test: CrashTest, { subject }: BitcaskStory): Promise<boolean> {
  const counted = { tally: new WideTally(), classOf: classOfBitcask };
  const models = (test.models ?? []).map(String);
  const judge = openAndJudge({ ...subject, options: { ...subject.options, merge: false } });
  try {
    const all = await exploreWidely(test, judge, models, WIDE, counted);
    return all.some(({ violations }) => violations.length > 0);
  } catch (error) {
    // The mutant does not even work, unless it is the class that is wrong.
    if (error instanceof ClassMismatch) throw error;
    return true;
  }
}

await runMutationPieces({
  stories: [...BITCASK_STORIES, ...BITCASK_WIDE_STORIES],
  // What recovery syncs is missed only by a crash inside it, or after it.
  testOf: ({ subject, story }, program, budget) =>
    engineCrashTest(subject, story, { nested: program === 'recover' ? 1 : 0, budget }),
  findsOf: (story, program) =>
    program === 'workload' ? (test) => findsWidely(test, story) : undefined,
  // The weakest: what it does not miss, no other one misses.
  models: ['posix'],
  names: [[/\d{10,}\.(data|hint)/, 'N.$1']],
  survivors: BITCASK_SURVIVORS,
  budget: 200,
});
