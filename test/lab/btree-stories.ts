/**
 * Stories of stores on the B+tree, beside those that all engines have: pages that split and join,
 * levels that come and go, checkpoints at every commit, long values, pages that are used again.
 */

import { btreeKind } from '../../src/btree/btree-kind.ts';
import type { CrashTest } from '../../src/lab/suite/crash-test.ts';
import { ENGINE_STORIES } from '../support/engine-stories.ts';
import { engineCrashTest } from '../support/engine-story.ts';
import type { Story, StoryLimits, StorySubject, StoryTeller } from '../support/engine-story.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';

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

/** The same with checkpoints at closing and compaction only. */
const AHEAD_PLAIN_BTREE: StorySubject = { kind: btreeKind, options: { aheadBytes: 4500 } };

/** A checkpoint after every commit. */
const HASTY_BTREE: StorySubject = {
  kind: btreeKind,
  options: { checkpoint: { logBytes: 1 } },
};

/** A checkpoint at closing only. */
const PLAIN_BTREE: StorySubject = { kind: btreeKind };

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

/** When a checkpoint begins by itself. */
const CHECKPOINT_MS = 30_000;
/** Six leaves with keys of their own, so that changes of some leave others as they are. */
const LETTERS = ['b', 'f', 'j', 'n', 'r', 'v'];

/** The write of pages, of those of a process, behind which it is killed. */
function pageWrite(nth: number): (call: VfsCall) => boolean {
  let seen = 0;
  return ({ name, path }) =>
    name === 'file.write' && path.endsWith('/tree.pages') && ++seen === nth;
}

/** A tree of six leaves, all of it in its file. */
async function planted(teller: StoryTeller): Promise<void> {
  await teller.open();
  await teller.commit(LETTERS.map((letter) => `${letter}*24=100`).join(), 'sync');
  await teller.engine.compact();
}

/** A dozen commits that no sync covers, in both forms and in groups; the last changes every other leaf. */
async function dozen(teller: StoryTeller): Promise<void> {
  for (const [round, letter] of LETTERS.entries()) {
    if (round % 3 === 0) teller.commitNow(`${letter}*5=${60 + round},a=${round}`, 'none');
    else await teller.commit(`${letter}*${3 + round}=${90 + round}`, 'none');
  }
  await Promise.all([
    teller.commit('b*20=99,j*2-', 'none'),
    teller.commit('r*22=98', 'none'),
    teller.commit('j*12=97,a-', 'none'),
  ]);
  await teller.commit('b*4-', 'none');
  teller.commitNow('j*9=96', 'none');
  await teller.commit('r*4=95,c=30', 'none');
}

/** Checkpoints of two processes are cut short, each with pages on their way and commits behind them. */
const cutShort: Story = async (teller) => {
  await planted(teller);
  await dozen(teller);
  const written = async (): Promise<void> => {
    teller.clock.pass(CHECKPOINT_MS);
    for (let round = 0; round < 9; round++) {
      await teller.commit(`b*24=${80 + round},n*3=${70 + round}`, 'none');
    }
    await teller.engine.compact();
  };
  await teller.killBehind(written, pageWrite(2));
  await dozen(teller);
  await teller.killBehind(written, pageWrite(3));
  await teller.commit('a=10', 'sync');
};

/** Leaves split and join, and pages change hands, while their checkpoint is on its way. */
const reshaped: Story = async (teller) => {
  await planted(teller);
  await teller.commit('j*24-,c*40=100', 'none');
  await teller.commit('p=9000,r*20-', 'none');
  await teller.commit('r*24=60', 'none');
  const written = async (): Promise<void> => {
    teller.clock.pass(CHECKPOINT_MS);
    await teller.commit('c*36-,v*24=150', 'none');
    await teller.commit('p-,j*24=90', 'none');
    await teller.commit('w*30=100,f*24-', 'none');
    await teller.commit('q=5000,n*12-', 'none');
    await teller.engine.compact();
  };
  await teller.killBehind(written, pageWrite(2));
  await teller.commit('c*20=80,w*28-', 'none');
  await teller.commit('q-,x=9000', 'none');
  await teller.commit('v*20-,b*24=20', 'none');
  await teller.killBehind(() => teller.engine.compact(), pageWrite(1));
  await teller.commit('x-,k*9=100', 'sync');
};

/** Long values come and go, in pages that others had, with hardly a sync; pages are torn twice. */
const longOnes: Story = async (teller) => {
  await planted(teller);
  await teller.commit('p=9000,q=5000', 'none');
  await teller.commit('q=12000,b*3=90', 'none');
  teller.commitNow('p-', 'none');
  const written = async (): Promise<void> => {
    teller.clock.pass(CHECKPOINT_MS);
    await teller.commit('s=8500', 'none');
    await teller.commit('q-,t=4500', 'none');
    await teller.commit('u=8000,s=10', 'none');
    await teller.engine.compact();
  };
  await teller.killBehind(written, pageWrite(1));
  await teller.commit('t=9000', 'none');
  await teller.commit('u-,w=4400', 'none');
  await teller.killBehind(() => teller.engine.compact(), pageWrite(1));
  await teller.commit('t-,w-', 'sync');
};

/** Transactions of two processes, kept and rolled back, beside checkpoints that are cut short. */
const torn: Story = async (teller) => {
  await planted(teller);
  await teller.transact('b*10=80,k*9=100', 'none');
  await teller.rollBack('b*24-,p=9000');
  const written = async (): Promise<void> => {
    teller.clock.pass(CHECKPOINT_MS);
    await Promise.all([
      teller.transact('f*20-,p=5000', 'none'),
      teller.commit('n*9=40', 'none'),
      teller.transact('v*9=90,b*5-', 'none'),
    ]);
    await teller.rollBack('p-,k*9-');
    await teller.engine.compact();
  };
  await teller.killBehind(written, pageWrite(2));
  await teller.transact('p-,r*12=70', 'none');
  await teller.rollBack('r*24-,j*20=200');
  await teller.transact('j*20=70,f*9=50', 'none');
  await teller.killBehind(() => teller.engine.compact(), pageWrite(1));
  await teller.transact('a=10,k-', 'sync');
};

/** Pages move to the front and the end of the file goes, in a process that is killed where it is cut. */
const moved: Story = async (teller) => {
  await planted(teller);
  await teller.commit('c*60=100,x=20000', 'none');
  await teller.engine.compact();
  await teller.commit('c*60-,b*20-', 'none');
  await teller.commit('x-,n*20-', 'none');
  const isCut = ({ name, path }: VfsCall): boolean =>
    name === 'file.truncate' && path.endsWith('/tree.pages');
  await teller.killBehind(() => teller.engine.compact(), isCut);
  await teller.commit('d*30=100', 'none');
  await teller.commit('v*20-,r*9=60', 'none');
  await teller.killBehind(() => teller.engine.compact(), pageWrite(1));
  await teller.commit('d*30-', 'none');
  await teller.commit('a=10', 'sync');
};

/** Values that go to free pages ahead of their commits, in two processes that are killed where pages are written. */
const aheadCut: Story = async (teller) => {
  await planted(teller);
  await teller.commit('p=9000,q=5000', 'none');
  await teller.commit('b*20-', 'none');
  const placed = async (): Promise<void> => {
    await teller.commit('q-,s=14000', 'none');
    await teller.commit('p=6000,f*9=60', 'none');
    await teller.engine.compact();
  };
  await teller.killBehind(placed, pageWrite(2));
  await teller.commit('t=7000', 'none');
  teller.commitNow('p-,u=5000', 'none');
  await teller.commit('j*20=80', 'none');
  const replaced = async (): Promise<void> => {
    teller.clock.pass(CHECKPOINT_MS);
    await teller.commit('t=12000,n*9-', 'none');
    await teller.commit('u=8000', 'none');
    await teller.engine.compact();
  };
  await teller.killBehind(replaced, pageWrite(3));
  await teller.commit('t-,c=9000', 'sync');
};

/** A thread that never waits has no time for a checkpoint: it writes pages itself, behind the log. */
const unwaiting: Story = async (teller) => {
  await teller.open();
  teller.commitNow('a=10,k*9=100', 'sync');
  teller.commitNow('p=600000,k*9=90', 'none');
  teller.commitNow('k*5-,a=20', 'none');
  teller.commitNow('p-', 'none');
};

export interface BtreeStory {
  readonly name: string;
  readonly subject: StorySubject;
  readonly story: Story;
  /** Disks of it that the suite looks at. */
  readonly taste: number;
}

const OWN: readonly BtreeStory[] = [
  { name: 'splits', subject: SMALL_BTREE, story: splits, taste: 25 },
  { name: 'joins', subject: SMALL_BTREE, story: joins, taste: 25 },
  { name: 'levels', subject: SMALL_BTREE, story: levels, taste: 0 },
  { name: 'a checkpoint at every commit', subject: HASTY_BTREE, story: hasty, taste: 25 },
  { name: 'closed with one checkpoint', subject: PLAIN_BTREE, story: closedOnce, taste: 0 },
  { name: 'written while it is changed', subject: HASTY_BTREE, story: busy, taste: 0 },
  { name: 'overflow', subject: SMALL_BTREE, story: overflow, taste: 25 },
  { name: 'values ahead of their commit', subject: AHEAD_BTREE, story: ahead, taste: 25 },
  { name: 'one value ahead of its commit', subject: AHEAD_PLAIN_BTREE, story: aheadOnce, taste: 0 },
  { name: 'pages of many uses', subject: AHEAD_PLAIN_BTREE, story: aheadAgain, taste: 25 },
  { name: 'pages used again', subject: SMALL_BTREE, story: reuse, taste: 0 },
  { name: 'transactions', subject: SMALL_BTREE, story: transactions, taste: 25 },
  { name: 'a file that shrinks', subject: SMALL_BTREE, story: shrinking, taste: 25 },
  { name: 'a thread that never waits', subject: SMALLEST_BTREE, story: unwaiting, taste: 0 },
];

/** For many disks: dozens of commits that no sync covers, and pages that are torn, in two processes. */
const WIDE: readonly BtreeStory[] = [
  { name: 'checkpoints cut short, twice', subject: PLAIN_BTREE, story: cutShort, taste: 0 },
  { name: 'splits and joins, cut short', subject: PLAIN_BTREE, story: reshaped, taste: 25 },
  { name: 'long values, cut short', subject: PLAIN_BTREE, story: longOnes, taste: 0 },
  { name: 'transactions, cut short', subject: PLAIN_BTREE, story: torn, taste: 0 },
  { name: 'values ahead, cut short', subject: AHEAD_PLAIN_BTREE, story: aheadCut, taste: 0 },
  { name: 'compaction, cut short', subject: PLAIN_BTREE, story: moved, taste: 0 },
];

/** Those of all engines, and the tree's own. */
export const BTREE_STORIES: readonly BtreeStory[] = [
  ...Object.entries(ENGINE_STORIES).map(([name, story]) => {
    return { name, subject: SMALL_BTREE, story, taste: name === 'reopened' ? 25 : 0 };
  }),
  ...OWN,
  ...WIDE,
];

export function btreeCrashTest({ subject, story }: BtreeStory, limits: StoryLimits): CrashTest {
  return engineCrashTest(subject, story, limits);
}
