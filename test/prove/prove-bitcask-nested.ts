/**
 * Crashes inside recovery and faults of Bitcask, widely (`nested-pieces.ts`, which has the words): every story under
 * every default model, with crashes inside the recoveries of each class of its disks, and inside the recoveries of what
 * these leave; and with a fault at each call, after which the process is killed and another one opens what it left,
 * before the power is cut. Entries that expire have no runs with faults.
 *
 *   npm run prove:bitcask:nested -- --into DIR [--part nested|faults] [--only TEXT] [--model MODEL,…] [--wide DISKS]
 *                                   [--recoveries N,M] [--faults N] [--disks DISKS] [--seconds CPU]
 *   npm run prove:bitcask:nested -- --into DIR --sum
 */

import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { EXPIRING, recoverExpiring } from '../lab/bitcask-expiring.ts';
import { BITCASK_INDEX_STORIES } from '../lab/bitcask-index-stories.ts';
import { BITCASK_STORIES } from '../lab/bitcask-stories.ts';
import { BITCASK_WIDE_STORIES } from '../lab/bitcask-wide-stories.ts';
import { engineCrashTest, faultyCrashTest } from '../support/engine-story.ts';
import { classOfBitcask } from './bitcask-class.ts';
import { bitcaskJudging } from './bitcask-judging.ts';
import { runNestedPieces } from './nested-pieces.ts';
import type { Judging } from './wide-judge.ts';

interface NestedStory {
  readonly name: string;
  readonly test: CrashTest;
  readonly faulty: CrashTest | null;
  readonly judging: Judging;
}

const told: readonly NestedStory[] = [
  ...BITCASK_STORIES,
  ...BITCASK_WIDE_STORIES,
  ...BITCASK_INDEX_STORIES,
].map((each) => ({
  name: each.name,
  test: engineCrashTest(each.subject, each.story),
  faulty: faultyCrashTest(each.subject, each.story),
  // What merging does in the background after opening is in the recoveries that are cut.
  judging: bitcaskJudging(each),
}));

/** Their judge has marks of its own, which the clock is in. */
const expiring: readonly NestedStory[] = Object.entries(EXPIRING).map(([name, test]) => {
  return { name, test, faulty: null, judging: { judge: recoverExpiring, classOf: classOfBitcask } };
});

await runNestedPieces({
  stories: [...told, ...expiring],
  testOf: ({ test }) => test,
  faultyOf: ({ faulty }) => faulty,
  judgingOf: ({ judging }) => judging,
});
