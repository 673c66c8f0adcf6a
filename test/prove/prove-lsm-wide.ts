/**
 * The wide proof of the LSM engine: as many different disks as wanted, of every story under every default model,
 * with the count of all. Goes in pieces, one for each story and model, whose results stay in a directory: a run that
 * was interrupted, or is split over several, goes on where it was.
 *
 *   npm run prove:lsm:wide -- --into DIR [--wide DISKS] [--only TEXT] [--model MODEL] [--seconds CPU]
 *   npm run prove:lsm:wide -- --into DIR --sum
 *
 * `--wide`: about so many disks of a piece. `--seconds` bounds the run: no piece is begun after that. `--sum` prints
 * the certificate.
 */

import { LSM_STORIES } from '../lab/lsm-stories.ts';
import { engineCrashTest, openAndJudge } from '../support/engine-story.ts';
import { classOfLsm } from './lsm-class.ts';
import { runWidePieces } from './wide-pieces.ts';

await runWidePieces({
  stories: LSM_STORIES,
  testOf: ({ subject, story }) => engineCrashTest(subject, story),
  recoverOf: ({ subject }) => openAndJudge(subject),
  classOf: classOfLsm,
});
