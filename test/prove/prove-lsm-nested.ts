/**
 * Crashes inside recovery and faults of the LSM engine, widely (`nested-pieces.ts`, which has the words): every story
 * under every default model, with crashes inside the recoveries of each class of its disks, and inside the recoveries
 * of what these leave; and with a fault at each call, after which the process is killed and another one opens what it
 * left, before the power is cut.
 *
 *   npm run prove:lsm:nested -- --into DIR [--part nested|faults] [--only TEXT] [--model MODEL,…] [--wide DISKS]
 *                               [--recoveries N,M] [--faults N] [--disks DISKS] [--seconds CPU]
 *   npm run prove:lsm:nested -- --into DIR --sum
 */

import { LSM_STORIES } from '../lab/lsm-stories.ts';
import { engineCrashTest, faultyCrashTest, openAndJudge, owedBy } from '../support/engine-story.ts';
import { classOfLsm } from './lsm-class.ts';
import { runNestedPieces } from './nested-pieces.ts';

await runNestedPieces({
  stories: LSM_STORIES,
  testOf: ({ subject, story }) => engineCrashTest(subject, story),
  faultyOf: ({ subject, story }) => faultyCrashTest(subject, story),
  judgingOf: ({ subject }) => ({ judge: openAndJudge(subject), classOf: classOfLsm, owedBy }),
});
