/**
 * The wide proof of Bitcask: as many different disks as wanted, of every story under every default model, with the
 * count of all. Goes in pieces, one for each story and model, whose results stay in a directory: a run that was
 * interrupted, or is split over several, goes on where it was.
 *
 *   npm run prove:bitcask:wide -- --into DIR [--wide DISKS] [--only TEXT] [--model MODEL] [--seconds CPU]
 *   npm run prove:bitcask:wide -- --into DIR --sum
 *
 * `--wide`: about so many disks of a piece. `--seconds` bounds the run: no piece is begun after that. `--sum` prints
 * the certificate.
 */

import type { CrashTest, Recover } from '../../src/lab/suite/crash-test.ts';
import { EXPIRING, recoverExpiring } from '../lab/bitcask-expiring.ts';
import { BITCASK_INDEX_STORIES } from '../lab/bitcask-index-stories.ts';
import { BITCASK_STORIES } from '../lab/bitcask-stories.ts';
import { BITCASK_WIDE_STORIES } from '../lab/bitcask-wide-stories.ts';
import { engineCrashTest } from '../support/engine-story.ts';
import { classOfBitcask } from './bitcask-class.ts';
import { bitcaskJudging } from './bitcask-judging.ts';
import { runWidePieces } from './wide-pieces.ts';

interface WideStory {
  readonly name: string;
  readonly test: CrashTest;
  readonly recover: Recover;
}

const told: readonly WideStory[] = [
  ...BITCASK_STORIES,
  ...BITCASK_WIDE_STORIES,
  ...BITCASK_INDEX_STORIES,
].map((each) => ({
  name: each.name,
  test: engineCrashTest(each.subject, each.story),
  // Not what merging does in the background after opening: crashes inside recovery have that.
  recover: bitcaskJudging(each).judge,
}));

const expiring: readonly WideStory[] = Object.entries(EXPIRING).map(([name, test]) => {
  return { name, test, recover: recoverExpiring };
});

await runWidePieces({
  stories: [...told, ...expiring],
  testOf: ({ test }) => test,
  recoverOf: ({ recover }) => recover,
  classOf: classOfBitcask,
});
