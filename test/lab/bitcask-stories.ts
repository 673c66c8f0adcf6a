/** Bitcask under the stories of stores: the subject, with logs so small that every story rotates. */

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import type { StorySubject } from '../support/engine-story.ts';

/** Logs of 4 KiB, and zeros ahead of the entries of one page. */
export const SMALL_BITCASK: StorySubject = {
  kind: bitcaskKind,
  options: { maxFileSize: 4096, preallocateBytes: 4096 },
};
