/**
 * The mutation run of the write-ahead log (`mutation-pieces.ts`): every sync, directory sync, and order of names taken
 * away in turn, in the programs and in recovery.
 *
 *   npm run prove:wal:mutations -- [--into DIR] [--only TEXT] [--program workload|recover] [--budget DISKS]
 *                                  [--seconds CPU] [--sum]
 */

import { crashTestOf, WAL_STORIES } from '../lab/wal-stories.ts';
import { WAL_SURVIVORS } from '../lab/wal-survivors.ts';
import { runMutationPieces } from './mutation-pieces.ts';

await runMutationPieces({
  stories: WAL_STORIES,
  // What recovery syncs is missed only by a crash inside it, or after it.
  testOf: (story, program, budget) => {
    return { ...crashTestOf(story), nested: program === 'recover' ? 1 : 0, budget };
  },
  survivors: WAL_SURVIVORS,
});
