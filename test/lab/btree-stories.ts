/**
 * Stories of stores on the B+tree, beside those that all engines have: pages that split and join,
 * levels that come and go, checkpoints at every commit, long values, pages that are used again.
 */

import { nextTurn } from '../../src/base/clock.ts';
import { btreeKind } from '../../src/btree/btree-kind.ts';
import { LOG_NAME, PAGES_NAME } from '../../src/btree/btree-parts.ts';
import { DOUBLE_NAME } from '../../src/btree/double-write.ts';
import type { CheckFunction, CrashTest } from '../../src/lab/suite/crash-test.ts';
import { WAL_POINTER_NAME } from '../../src/wal/wal-directory.ts';
import { classOfBtree } from '../prove/btree-class.ts';
import type { Judging } from '../prove/wide-judge.ts';
import { ENGINE_STORIES } from '../support/engine-stories.ts';
import { engineCrashTest, openAndJudge, owedBy, STORE } from '../support/engine-story.ts';
import type { Story, StoryLimits, StorySubject } from '../support/engine-story.ts';
import { AHEAD_PLAIN_BTREE, BTREE_CUT_STORIES, PLAIN_BTREE } from './btree-cut-stories.ts';

/** A checkpoint after every few commits. */
export const SMALL_BTREE: StorySubject = {
  kind: btreeKind,
  options: { checkpoint: { logBytes: 4096 } },
};

/** As it, and values of more than one page go ahead of their commit. */
const AHEAD_BTREE: StorySubject = {
  kind: btreeKind,
  options: { checkpoint: { logBytes: 4096 }, aheadBytes: 4500 },
};

/** A checkpoint after every commit. */
const HASTY_BTREE: StorySubject = {
  kind: btreeKind,
  options: { checkpoint: { logBytes: 1 } },
};

/** With a window of two commits, and a checkpoint after every few. */
const WINDOWED_BTREE: StorySubject = {
  kind: btreeKind,
  options: { checkpoint: { logBytes: 4096 }, batch: { records: 2 } },
};

/** Room for so few pages that a long value makes them too many. */
const SMALLEST_BTREE: StorySubject = { kind: btreeKind, options: { cacheSize: 1 } };

/** Keys so long that a page has a dozen, so that few of them make a tree of three levels. */
const LONG = 'x'.repeat(300);

const splits: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*40=100', 'sync');
  await teller.commit('m*40=100', 'none');
  await teller.commit('a*9=100,z*9=100', 'sync');
};

const joins: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*90=100', 'none');
  await teller.engine.compact();
  await teller.commit('k*30-', 'sync');
  await teller.commit('k*70-', 'none');
  await teller.commit('k*90-', 'sync');
};

const levels: Story = async (teller) => {
  await teller.open();
  await teller.commit(`${LONG}*60=10`, 'sync');
  await teller.commit(`${LONG}*99=10`, 'none');
  await teller.engine.compact();
  await teller.commit(`${LONG}*95-`, 'sync');
};

const hasty: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10,k*9=300', 'none');
  await teller.commit('b=10,k*4=200', 'batch');
  teller.commitNow('k*9-,c=10', 'none');
  await teller.commit('a-', 'sync');
};

const closedOnce: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*60=100', 'sync');
};

/** Commits in a segment that this process has made: what they are synced by is how it was opened. */
const behindCheckpoint: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10', 'sync');
  await teller.engine.compact();
  await teller.commit('b=10', 'sync');
  await teller.commit('c=10', 'sync');
};

/** Commits without a sync while a checkpoint writes pages: it has to sync the log for them. */
const busy: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*60=100', 'sync');
  const all: Promise<unknown>[] = [];
  for (let round = 0; round < 6; round++) {
    all.push(teller.commit(`k*60=${101 + round}`, 'none'));
    await new Promise((resolve) => void setImmediate(resolve));
  }
  await Promise.all(all);
  await teller.commit('a=10', 'none');
};

const overflow: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=9000,b=5000', 'sync');
  await teller.commit('a=13000', 'none');
  await teller.commit('b=10', 'sync');
  await teller.commit('a-,c=4500', 'sync');
};

/** Long values whose pages were given back by commits that are not durable, or redone. */
const ahead: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=9000,k*9=100', 'sync');
  await teller.engine.compact();
  await teller.commit('a-', 'none');
  await teller.commit('b=13000', 'none');
  await teller.commit('b=5000,c=9000', 'batch');
  teller.commitNow('d=9000,b-', 'none');
  await teller.commit('k*9-,c=5000', 'sync');
};

const aheadOnce: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=9000', 'sync');
  await teller.commit('b=10', 'sync');
};

/** Pages that hold one thing, are free, and hold another, between two checkpoints. */
const aheadAgain: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*40=100', 'sync');
  await teller.commit('k*40-', 'sync');
  await teller.commit('a=9000', 'sync');
  await teller.commit('a-', 'none');
  await teller.commit('m*40=100', 'none');
  await teller.commit('m*40-,b=5000', 'sync');
  await teller.engine.compact();
  await teller.commit('c=9000,b=9000', 'none');
};

const reuse: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=9000', 'sync');
  await teller.engine.compact();
  await teller.commit('a-', 'none');
  await teller.commit('k*30=100', 'none');
  await teller.engine.compact();
  await teller.commit('k*30-,b=9000', 'sync');
};

const shrinking: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=30000,k*20=100', 'sync');
  await teller.engine.compact();
  await teller.commit('a-', 'none');
  await teller.engine.compact();
  await teller.commit('b=9000', 'sync');
};

const transactions: Story = async (teller) => {
  await teller.open();
  await teller.transact('a=10,k*20=100', 'sync');
  await teller.rollBack('a-,k*20=200,b=9000');
  await Promise.all([
    teller.transact('a=20,c=5000', 'none'),
    teller.commit('d=10', 'sync'),
    teller.transact('k*10-,d=20', 'batch'),
  ]);
  await teller.transact('c-,a=30', 'sync');
};

/** The window of `batch` closes by count and by time, also while a checkpoint is made. */
const windows: Story = async (teller) => {
  await teller.open();
  for (const key of 'abc') await teller.commit(`${key}=10`, 'batch');
  teller.commitNow('a-,k*20=200', 'batch');
  teller.commitNow('b=700', 'batch');
  await teller.commit('k*20=190', 'batch');
  await teller.commit('d=10', 'none');
  teller.clock.pass(1000);
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  teller.allDurable();
  await teller.commit('d-', 'batch');
};

/** The next process finds a directory whose name nobody has made durable. */
const diesAtOnce: Story = async (teller) => {
  await teller.dieInFirstOpen();
  await teller.open();
  await teller.commit('a=10', 'sync');
  await teller.commit('b=10', 'none');
};

/** What `repaired` commits first when its repair is done. */
const BEHIND_REPAIR = 'k*9=20';

function isBehindRepair(mark: string): boolean {
  return mark.endsWith(`:${BEHIND_REPAIR}`);
}

/** Once a repair is done, the damaged files have their second names for good. */
const keptAside: CheckFunction = async (vfs, { marks }) => {
  if (!marks.some(isBehindRepair)) return;
  const place = `${STORE}/lost/btree-1`;
  for (const name of [PAGES_NAME, DOUBLE_NAME]) await vfs.lstat(`${place}/${name}`);
  const log = await vfs.readDirectory(`${place}/${LOG_NAME}`);
  const names = log.map(({ name }) => name);
  if (!names.includes(WAL_POINTER_NAME) || !names.some((name) => name.endsWith('.log'))) {
    throw new Error(`P2: the log that was kept aside has ${names.join() || 'nothing'}`);
  }
};

/** Killed with records that no sync covers, and repaired, although nothing is damaged. */
const repaired: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*30=100,a=5000', 'sync');
  await teller.engine.compact();
  // The old pages do not show it, with a log that is not theirs.
  await teller.commit('c=20', 'sync');
  await teller.commit('k*5-,b=10', 'none');
  await teller.repair();
  await teller.commit(BEHIND_REPAIR, 'none');
  await teller.commit('a-', 'sync');
};

/** Three to a leaf: more leaves than there is room for, so that pages are written a few at a time. */
const crowded: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*1080=1300', 'sync');
  await teller.engine.compact();
  await teller.commit('k*1080=1290', 'none');
  await teller.commit('a=10,k*750=1280', 'none');
  await teller.commit('a=20', 'none');
  await teller.commit('a=30', 'sync');
};

/** The same on a thread that never waits. */
const crowdedNow: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*1080=1300', 'sync');
  await teller.engine.compact();
  teller.commitNow('k*1080=1290', 'none');
  teller.commitNow('a=10,k*750=1280', 'none');
  teller.commitNow('a=20', 'none');
  teller.commitNow('a=30', 'sync');
};

/** A thread that never waits has no time for a checkpoint: it writes pages itself, behind the log. */
const unwaiting: Story = async (teller) => {
  await teller.open();
  teller.commitNow('a=10,k*9=100', 'sync');
  teller.commitNow('p=960000,k*9=90', 'none');
  teller.commitNow('k*5-,a=20', 'none');
  teller.commitNow('p-', 'none');
};

export interface BtreeStory {
  readonly name: string;
  readonly subject: StorySubject;
  readonly story: Story;
  /** Asked of every disk, beside the promises that all stories make. */
  readonly asks?: CheckFunction;
  /** Disks of it that the suite looks at. */
  readonly taste: number;
}

const OWN: readonly BtreeStory[] = [
  { name: 'splits', subject: SMALL_BTREE, story: splits, taste: 12 },
  { name: 'joins', subject: SMALL_BTREE, story: joins, taste: 0 },
  { name: 'levels', subject: SMALL_BTREE, story: levels, taste: 0 },
  { name: 'a checkpoint at every commit', subject: HASTY_BTREE, story: hasty, taste: 12 },
  { name: 'commits behind a checkpoint', subject: PLAIN_BTREE, story: behindCheckpoint, taste: 0 },
  { name: 'closed with one checkpoint', subject: PLAIN_BTREE, story: closedOnce, taste: 0 },
  { name: 'written while it is changed', subject: HASTY_BTREE, story: busy, taste: 0 },
  { name: 'overflow', subject: SMALL_BTREE, story: overflow, taste: 0 },
  { name: 'values ahead of their commit', subject: AHEAD_BTREE, story: ahead, taste: 12 },
  { name: 'one value ahead of its commit', subject: AHEAD_PLAIN_BTREE, story: aheadOnce, taste: 0 },
  { name: 'pages of many uses', subject: AHEAD_PLAIN_BTREE, story: aheadAgain, taste: 0 },
  { name: 'pages used again', subject: SMALL_BTREE, story: reuse, taste: 0 },
  { name: 'transactions', subject: SMALL_BTREE, story: transactions, taste: 12 },
  { name: 'a file that shrinks', subject: SMALL_BTREE, story: shrinking, taste: 12 },
  { name: 'windows of batch', subject: WINDOWED_BTREE, story: windows, taste: 0 },
  {
    name: 'killed when the directory has been made, and opened again',
    subject: SMALL_BTREE,
    story: diesAtOnce,
    taste: 0,
  },
  { name: 'repaired', subject: SMALL_BTREE, story: repaired, asks: keptAside, taste: 0 },
  { name: 'a thread that never waits', subject: SMALLEST_BTREE, story: unwaiting, taste: 0 },
  { name: 'more pages than there is room for', subject: SMALLEST_BTREE, story: crowded, taste: 0 },
  { name: 'the same, never waiting', subject: SMALLEST_BTREE, story: crowdedNow, taste: 0 },
];

/** Those of all engines, and the tree's own. */
export const BTREE_STORIES: readonly BtreeStory[] = [
  ...Object.entries(ENGINE_STORIES).map(([name, story]) => {
    return { name, subject: SMALL_BTREE, story, taste: name === 'reopened' ? 12 : 0 };
  }),
  ...OWN,
  ...BTREE_CUT_STORIES,
];

export function btreeCrashTest({ subject, story }: BtreeStory, limits: StoryLimits): CrashTest {
  return engineCrashTest(subject, story, limits);
}

/** How the disks of a story are judged, by what opening acts on. */
export function btreeJudging({ subject, asks }: BtreeStory): Judging {
  const opens = openAndJudge(subject);
  const judge: CheckFunction = async (vfs, context) => {
    await asks?.(vfs, context);
    await opens(vfs, context);
  };
  const owed = (marks: readonly string[]): string =>
    `${marks.some(isBehindRepair)} ${owedBy(marks)}`;
  return { judge, classOf: classOfBtree, owedBy: owed };
}
