/**
 * The wide proof of the B+tree: as many different disks as wanted, of every story under every default model, with the
 * count of all. Goes in pieces, one for each story and model, whose results stay in a directory: a run that was
 * interrupted, or is split over several, goes on where it was.
 *
 *   npm run prove:btree:wide -- --into DIR [--wide DISKS] [--only TEXT] [--model MODEL] [--seconds CPU]
 *   npm run prove:btree:wide -- --into DIR --sum
 *
 * `--wide` bounds a piece, `--seconds` the run: no piece is begun after that. `--sum` prints the certificate.
 */

import { BTREE_STORIES, btreeCrashTest, btreeJudging } from '../lab/btree-stories.ts';
import { classOfBtree } from './btree-class.ts';
import { runWidePieces } from './wide-pieces.ts';

await runWidePieces({
  stories: BTREE_STORIES,
  testOf: (story) => btreeCrashTest(story, {}),
  recoverOf: (story) => btreeJudging(story).judge,
  classOf: classOfBtree,
});
