/**
 * The wide proof of the write-ahead log: as many different disks as wanted, of every story under every default model,
 * with the count of all. Goes in pieces, one for each story and model, whose results stay in a directory: a run that
 * was interrupted, or is split over several, goes on where it was.
 *
 *   npm run prove:wal:wide -- --into DIR [--wide DISKS] [--only TEXT] [--model MODEL] [--seconds CPU]
 *   npm run prove:wal:wide -- --into DIR --sum
 *
 * `--wide`: about so many disks of a piece. `--seconds` bounds the run: no piece is begun after that. `--sum` prints
 * the certificate.
 */

import { crashTestOf, openOnly, WAL_STORIES } from '../lab/wal-stories.ts';
import { classOfWal } from './wal-class.ts';
import { runWidePieces } from './wide-pieces.ts';

await runWidePieces({
  stories: WAL_STORIES,
  testOf: crashTestOf,
  recoverOf: openOnly,
  classOf: classOfWal,
});
