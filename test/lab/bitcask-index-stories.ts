/**
 * Stories of Bitcask's index file, which is written at every closing here: closed and opened again, with files on top
 * of what the index describes, without some of them after a merge, killed while it is written.
 */

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import type { BitcaskTestOptions } from '../../src/bitcask/bitcask-options.ts';
import { dataFileName } from '../../src/bitcask/entry-format.ts';
import type { CheckFunction } from '../../src/lab/suite/crash-test.ts';
import { STORE } from '../support/engine-story.ts';
import type { Story, StorySubject, StoryTeller } from '../support/engine-story.ts';
import { EAGER, SMALL } from './bitcask-stories.ts';
import type { BitcaskStory } from './bitcask-stories.ts';

const OPTIONS: BitcaskTestOptions = { ...SMALL, merge: false, indexEntriesMin: 1 };

/** An index for every entry that is more than an eighth. */
const INDEXED: StorySubject = { kind: bitcaskKind, options: { ...OPTIONS } };

/** The same, and merged in the background. */
const INDEXED_EAGER: StorySubject = {
  kind: bitcaskKind,
  options: { ...EAGER.options, indexEntriesMin: 1 },
};

/** Closed three times: the first index, another one in its place, and none because hardly anything is new. */
const closedThrice: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*12=60,a=900', 'sync');
  await teller.commit('b=1500,k*3-', 'none');
  await teller.commit('c=2500', 'none');
  await teller.reopen();
  await teller.commit('k*9=70,a-', 'none');
  await teller.commit('d=3000', 'batch');
  await teller.reopen();
  await teller.commit('a=20', 'none');
  await teller.reopen({ sync: 'none' });
  await teller.commit('b-', 'none');
};

/** Indexes over several sectors, one in the place of the other: parts of them may be on the disk. */
const longIndexes: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*150=3', 'none');
  await teller.reopen();
  await teller.commit('k*120=4,a=900', 'none');
  await teller.reopen();
  await teller.commit('k*70-,m*40=2', 'none');
  await teller.reopen();
  await teller.commit('b=10', 'none');
};

/** What comes after the index is in logs, sealed and open, when processes are killed. */
const killedOnTop: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*20=50,a=700', 'none');
  await teller.reopen();
  await teller.commit('k*5-,b=1900', 'none');
  await teller.commit('a=1800', 'none');
  await teller.commit('c=600', 'none');
  await teller.killAndOpen();
  await teller.commit('k*7=40,b-', 'none');
  await teller.killAndOpen();
  await teller.commit('a-', 'none');
};

/** A merge takes away what the index describes; the process is killed before it could write another one. */
const mergedThenKilled: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*8=300,a=800', 'none');
  await teller.commit('b=2500,k*4=290', 'none');
  await teller.reopen();
  await teller.commit('k*5-,c=500', 'none');
  await teller.engine.compact();
  await teller.commit('b-,a=10', 'none');
  await teller.killAndOpen();
  await teller.commit('c-', 'none');
  await teller.reopen();
  await teller.commit('d=10', 'none');
};

/** Merges in the background, behind an index and before the next one. */
const mergedBetween: Story = async (teller) => {
  await teller.open();
  for (let round = 0; round < 3; round++) {
    await teller.commit(`k*8=${300 + round},a=${900 + round}`, 'none');
    await teller.commit(`b=${1800 + round},k*2-`, 'none');
    await teller.commit('c=700', 'none');
    await teller.reopen();
  }
  await teller.commit('a-', 'none');
};

/** The first process that closes is killed behind this call of it; the next one closes over what that left. */
function killedAt(name: string, path: RegExp, changes: string = 'k*9=50,c=1500'): Story {
  return async (teller) => {
    await teller.open();
    await teller.commit('k*12=60,a=900', 'none');
    await teller.commit('b=3000', 'none');
    await teller.reopen();
    await teller.commit(changes, 'none');
    await teller.commit('b-,a=1000', 'sync');
    await killedInClose(teller, name, path);
    await teller.commit('k*3-,c=10', 'none');
    await teller.reopen();
    await teller.commit('a-', 'none');
  };
}

async function killedInClose(teller: StoryTeller, name: string, path: RegExp): Promise<void> {
  await teller.killBehind(
    () => teller.engine.close(),
    (call) => call.name === name && path.test(call.path),
  );
}

/** What `repaired` commits last before its repair, when the first data file has been sealed. */
const BEFORE_REPAIR = 'a=5';

/** The sealed file is in its place or with what a repair has kept aside, wherever the power was cut. */
const keptAside: CheckFunction = async (vfs, { marks }) => {
  if (!marks.some(isBeforeRepair)) return;
  const sealed = dataFileName(1);
  const hasIt = async (directory: string): Promise<boolean> =>
    (await vfs.readDirectory(directory)).some(({ name }) => name === sealed);
  if (await hasIt(STORE)) return;
  if (!(await hasIt(`${STORE}/lost`))) throw new Error(`P2: ${sealed} is not kept aside`);
};

function isBeforeRepair(mark: string): boolean {
  return mark.startsWith('durable ') && mark.endsWith(`:${BEFORE_REPAIR}`);
}

/** The repaired store has another one's index beside it until it is opened. */
const repaired: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*10=80,a=900', 'sync');
  await teller.commit('b=2500,k*2-', 'sync');
  await teller.reopen();
  await teller.commit(BEFORE_REPAIR, 'sync');
  await teller.repair();
  await teller.commit('b-', 'sync');
  await teller.reopen();
  await teller.commit('c=10', 'none');
};

export const BITCASK_INDEX_STORIES: readonly BitcaskStory[] = [
  { name: 'closed three times with an index', subject: INDEXED, story: closedThrice },
  { name: 'indexes over several sectors', subject: INDEXED, story: longIndexes },
  { name: 'killed on top of an index', subject: INDEXED, story: killedOnTop },
  { name: 'merged behind an index, then killed', subject: INDEXED, story: mergedThenKilled },
  { name: 'merged between two indexes', subject: INDEXED_EAGER, story: mergedBetween },
  {
    name: 'killed when the index was made',
    subject: INDEXED,
    story: killedAt('open', /\.index$/),
  },
  {
    name: 'killed when the index was written',
    subject: INDEXED,
    story: killedAt('file.write', /\.index$/),
  },
  {
    name: 'killed when the index was synced',
    subject: INDEXED,
    story: killedAt('file.datasync', /\.index$/),
  },
  {
    name: 'killed when the old index was removed',
    subject: INDEXED,
    story: killedAt('unlink', /\.index$/),
  },
  {
    name: 'killed when a hint was removed',
    subject: INDEXED,
    // Of entries so small that it goes.
    story: killedAt('unlink', /\.hint$/, 'k*30=20,c=50'),
  },
  {
    name: 'repaired beside an index',
    subject: INDEXED,
    story: repaired,
    asks: { isFrom: isBeforeRepair, check: keptAside },
  },
];
