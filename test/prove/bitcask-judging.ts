/**
 * How the disks of Bitcask's stories are judged, widely: opened, without what merging does in the background then, and
 * asked what the story itself asks for. Entries that expire have a judge of their own (`bitcask-expiring`).
 */

import type { CheckFunction } from '../../src/lab/suite/crash-test.ts';
import type { BitcaskStory } from '../lab/bitcask-stories.ts';
import { openAndJudge, owedBy } from '../support/engine-story.ts';
import { classOfBitcask } from './bitcask-class.ts';
import type { Judging } from './wide-judge.ts';

/** A function that says what the marks owe, as text: those that `asks` goes by are said in full. */
type OwedBy = NonNullable<Judging['owedBy']>;

export function bitcaskJudging({ subject, asks }: BitcaskStory): Judging {
  const opens = openAndJudge({ ...subject, options: { ...subject.options, merge: false } });
  if (asks === undefined) return { judge: opens, classOf: classOfBitcask, owedBy };
  const judge: CheckFunction = async (vfs, context) => {
    await opens(vfs, context);
    await asks.check(vfs, context);
  };
  const owed: OwedBy = (marks) => `${marks.some(asks.isFrom)} ${owedBy(marks)}`;
  return { judge, classOf: classOfBitcask, owedBy: owed };
}
