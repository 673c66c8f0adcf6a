/**
 * Crashes inside recovery and faults of the B+tree, widely (`nested-pieces.ts`, which has the words): every story under
 * every default model, with crashes inside the recoveries of each class of its disks, and inside the recoveries of what
 * these leave; and with a fault at each call, after which the process is killed and another one opens what it left,
 * before the power is cut.
 *
 *   npm run prove:btree:nested -- --into DIR [--part nested|faults] [--only TEXT] [--model MODEL,…] [--wide DISKS]
 *                                 [--recoveries N,M] [--faults N] [--disks DISKS] [--seconds CPU]
 *   npm run prove:btree:nested -- --into DIR --sum
 */

import { BTREE_STORIES, btreeCrashTest, btreeJudging } from '../lab/btree-stories.ts';
import { faultyCrashTest } from '../support/engine-story.ts';
import { runNestedPieces } from './nested-pieces.ts';

await runNestedPieces({
  stories: BTREE_STORIES,
  testOf: (story) => btreeCrashTest(story, {}),
  faultyOf: ({ subject, story }) => faultyCrashTest(subject, story),
  judgingOf: btreeJudging,
});
