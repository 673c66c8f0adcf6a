/**
 * Stories of a B+tree for many disks: dozens of commits that no sync covers, checkpoints whose pages are torn on their
 * way, by processes that are killed there, and other processes that go on with what those have left.
 */

import { btreeKind } from '../../src/btree/btree-kind.ts';
import type { VfsCall } from '../../src/vfs/vfs-call.ts';
import type { Story, StorySubject, StoryTeller } from '../support/engine-story.ts';

/** A checkpoint at closing only. */
export const PLAIN_BTREE: StorySubject = { kind: btreeKind };

/** The same with checkpoints at closing and compaction only. */
export const AHEAD_PLAIN_BTREE: StorySubject = { kind: btreeKind, options: { aheadBytes: 4500 } };

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
  // Each by itself, so that they come in this order and the leaves are filled one behind the other.
  for (const letter of LETTERS) await teller.commit(`${letter}*24=100`, 'none');
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

const isCut = ({ name, path }: VfsCall): boolean =>
  name === 'file.truncate' && path.endsWith('/tree.pages');

/** The pointer of the log on its way: the log has its next segment by then, which is not synced. */
const POINTER = /\/log\/\.holdfast-/;

/** A compaction overtakes a checkpoint, which then cuts the file; of the first page that one has nothing to write. */
const overtaken: Story = async (teller) => {
  await teller.open();
  await teller.commit('b*40=900,z*8=900', 'none');
  await teller.commit('b*40-', 'none');
  await teller.reopen();
  await teller.commit('z*1=900', 'sync');
  const written = async (): Promise<void> => {
    const rotating = teller.reached(({ name, path }) => name === 'open' && POINTER.test(path));
    teller.clock.pass(CHECKPOINT_MS);
    await rotating;
    await teller.engine.compact();
  };
  await teller.killBehind(written, isCut);
  await teller.commit('a=10', 'sync');
};

/** Pages move to the front and the end of the file goes, in a process that is killed where it is cut. */
const moved: Story = async (teller) => {
  await planted(teller);
  await teller.commit('c*60=100,x=20000', 'none');
  await teller.engine.compact();
  await teller.commit('c*60-,b*20-', 'none');
  await teller.commit('x-,n*20-', 'none');
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

/** Only leaves are written, whose contents go through all of a page, by two processes that are killed there. */
const overwritten: Story = async (teller) => {
  await planted(teller);
  await teller.commit('b*24=99,j*24=98', 'sync');
  await teller.killBehind(() => teller.engine.compact(), pageWrite(1));
  await teller.commit('f*24=97,v*24=96', 'none');
  await teller.killBehind(() => teller.engine.compact(), pageWrite(1));
  await teller.commit('n*24=95', 'sync');
};

interface CutStory {
  readonly name: string;
  readonly subject: StorySubject;
  readonly story: Story;
  /** Disks of it that the suite looks at. */
  readonly taste: number;
}

export const BTREE_CUT_STORIES: readonly CutStory[] = [
  { name: 'leaves alone, cut short', subject: PLAIN_BTREE, story: overwritten, taste: 12 },
  { name: 'checkpoints cut short, twice', subject: PLAIN_BTREE, story: cutShort, taste: 0 },
  { name: 'splits and joins, cut short', subject: PLAIN_BTREE, story: reshaped, taste: 12 },
  { name: 'long values, cut short', subject: PLAIN_BTREE, story: longOnes, taste: 0 },
  { name: 'transactions, cut short', subject: PLAIN_BTREE, story: torn, taste: 0 },
  { name: 'values ahead, cut short', subject: AHEAD_PLAIN_BTREE, story: aheadCut, taste: 0 },
  { name: 'compaction, cut short', subject: PLAIN_BTREE, story: moved, taste: 0 },
  {
    name: 'compaction beside a checkpoint, cut short',
    subject: PLAIN_BTREE,
    story: overtaken,
    taste: 0,
  },
];
