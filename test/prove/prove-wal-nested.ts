/**
 * Crashes inside recovery of the write-ahead log, widely (`nested-pieces.ts`, which has the words): every story under
 * every default model, with crashes inside the recoveries of each class of its disks, and inside the recoveries of what
 * these leave. Faults are `prove-wal.ts`'s.
 *
 *   npm run prove:wal:nested -- --into DIR [--only TEXT] [--model MODEL,…] [--wide DISKS] [--recoveries N,M]
 *                               [--disks DISKS] [--seconds CPU]
 *   npm run prove:wal:nested -- --into DIR --sum
 */

import { crashTestOf, openOnly, WAL_STORIES } from '../lab/wal-stories.ts';
import { runNestedPieces } from './nested-pieces.ts';
import { classOfWal } from './wal-class.ts';

await runNestedPieces({
  stories: WAL_STORIES,
  testOf: crashTestOf,
  faultyOf: () => null,
  judgingOf: (story) => ({ judge: openOnly(story), classOf: classOfWal }),
});
