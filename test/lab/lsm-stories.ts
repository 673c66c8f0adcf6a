/**
 * Stories of stores on the LSM engine, beside those that all engines have: memtables that fill under
 * each policy, flushes that a synchronous writer overtakes, tables merged over several levels, and
 * processes killed in the middle of all that. Tables are so small that a few entries make many.
 */

import { nextTurn } from '../../src/base/clock.ts';
import { lsmKind } from '../../src/lsm/lsm-kind.ts';
import { ENGINE_STORIES } from '../support/engine-stories.ts';
import type { Story, StorySubject } from '../support/engine-story.ts';
import { TINY } from '../support/lsm-stores.ts';
import { LSM_LOAD_STORIES } from './lsm-load-stories.ts';

const SUBJECT: StorySubject = { kind: lsmKind, options: { ...TINY } };

/** With a window of two commits. */
const WINDOWED: StorySubject = { kind: lsmKind, options: { ...TINY, batch: { records: 2 } } };

/** Logs that are written ahead with zeros, as on ext4. */
const WITH_ZEROS: StorySubject = { kind: lsmKind, options: { ...TINY, preallocateBytes: 4096 } };

/** What the background has begun comes so many steps further. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** Four memtables under one policy, with batches that wait while the log is changed. */
function filling(policy: 'sync' | 'batch' | 'none'): Story {
  return async (teller) => {
    await teller.open();
    await teller.commit('k*4=300', policy);
    await Promise.all([
      teller.commit('a=500,b=20', policy),
      teller.commit('k*2-,c=500', policy),
      teller.commit('d=40', 'none'),
    ]);
    await teller.commit('a=1200', policy);
    await teller.commit('b-,k*2=500', policy);
    await teller.commit('a=5', 'sync');
  };
}

/** The same, by a thread that never lets go: it makes the tables itself. */
const fillingNow: Story = async (teller) => {
  await teller.open();
  teller.commitNow('k*4=300', 'none');
  const flying = teller.commit('a=500', 'sync');
  teller.commitNow('a-,c=1500', 'none');
  teller.commitNow('c=1400,b=10', 'batch');
  teller.commitNow('k*4=290', 'none');
  teller.commitNow('b-,d=1500', 'sync');
  await flying;
  teller.commitNow('e=1500', 'none');
  await teller.commit('k*2-', 'sync');
};

/** A flush is under way, at one of its steps, when a synchronous writer overtakes it. */
function overtaken(steps: number): Story {
  return async (teller) => {
    await teller.open();
    await teller.commit('k*4=300', 'none');
    // The memtable is full; this one makes the next log, and the next one changes to it.
    await teller.commit('a=10', 'sync');
    await teller.commit('b=10', 'none');
    await turns(steps);
    teller.commitNow('c=2500', 'none');
    teller.commitNow('k*2-,b=2500', 'none');
    await teller.commit('a-', 'sync');
  };
}

/** It goes on until it has to merge them itself; the background had begun to, in vain. */
const mergedNow: Story = async (teller) => {
  await teller.open();
  for (const key of 'abcd') await teller.commit(`${key}=1100`, 'none');
  await turns(1);
  const keys = 'abcdefgh';
  for (let round = 0; round < 41; round++) {
    teller.commitNow(`${keys[round % 8]}=2300,${keys[(round + 3) % 8]}-`, 'none');
  }
  if (teller.engine.stats().details['compactions'] === 0) throw new Error('nothing was merged');
  await turns(20);
  await teller.commit('a=10', 'sync');
};

/** Tables over three levels, with deletes that must stay and deletes that may go. */
const levels: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*9=300', 'none');
  await teller.engine.compact();
  await teller.commit('k*3-,a=400,b=400', 'none');
  await teller.commit('c=900', 'none');
  await teller.commit('b-,k*2=200', 'sync');
  await teller.engine.compact({ gte: Buffer.from('a'), lt: Buffer.from('c') });
  await teller.engine.compact();
  await teller.commit('k*9-', 'sync');
};

/** Written while tables are merged. */
const writtenInMerge: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*6=300', 'none');
  await teller.commit('k*3=290', 'sync');
  const merging = teller.engine.compact();
  merging.catch(() => 'told to whoever awaits it');
  await turns(20);
  const flying = [teller.commit('k*2-,a=1500', 'sync'), teller.commit('k*4=20', 'none')];
  await merging;
  await Promise.all(flying);
  await teller.commit('a-', 'sync');
};

/** The process is killed, twice: what no sync covered is served by the next one, and durable then. */
const killed: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10,b=90', 'sync');
  await teller.commit('a=20,k*3=50', 'none');
  await teller.commit('b-', 'batch');
  await teller.killAndOpen();
  await teller.commit('c=30', 'none');
  await teller.killAndOpen();
  await teller.commit('c-', 'sync');
};

/** Killed in the middle of a flush, or of merging. */
function killedIn(what: 'flush' | 'merge', steps: number): Story {
  return async (teller) => {
    await teller.open();
    await teller.commit('k*4=300', 'sync');
    await teller.commit('k*2-,a=10', 'none');
    if (what === 'merge') void teller.engine.compact().catch(() => 'its process was killed');
    else for (const key of 'bcd') await teller.commit(`${key}=10`, 'none');
    await turns(steps);
    await teller.killAndOpen();
    await teller.commit('k*2=10', 'sync');
  };
}

/** An idle log says that all of it is durable; what follows is not covered by that. */
const idle: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10,b=10', 'none');
  for (let second = 0; second < 3; second++) {
    teller.clock.pass(1000);
    await turns(10);
  }
  // A watermark is there when the idle log was synced.
  teller.allDurable();
  await teller.commit('a-', 'none');
  await teller.commit('b=20', 'none');
};

/** The window of `batch` closes by count and by time, also while the log is changed. */
const windows: Story = async (teller) => {
  await teller.open();
  for (const key of 'abc') await teller.commit(`${key}=10`, 'batch');
  teller.commitNow('a-', 'batch');
  teller.commitNow('b=700', 'batch');
  await teller.commit('c=600', 'batch');
  await teller.commit('d=10', 'batch');
  await teller.commit('e=10', 'none');
  teller.clock.pass(1000);
  await turns(10);
  teller.allDurable();
  await teller.commit('e-', 'batch');
};

/** Records over the ends of the log's blocks of 32 KiB. */
const long: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=33000', 'sync');
  await teller.commit('b=40000', 'none');
  await teller.commit('a-,c=10', 'sync');
};

/** A dozen records that no sync covers. */
const unsynced: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10', 'sync');
  for (const key of 'bcdefghijkl') await teller.commit(`${key}=20,a=5`, 'none');
};

/** The same, over memtables that fill: logs, tables and the manifest have parts that no sync covers. */
const unsyncedTables: Story = async (teller) => {
  await teller.open();
  for (const key of 'abcdefgh') await teller.commit(`${key}=400`, 'none');
  void teller.engine.compact().catch(() => 'the story ends before');
  for (const key of 'abcdefgh') await teller.commit(`${key}-`, 'none');
};

/** The next process finds a directory whose name nobody has made durable. */
const diesAtOnce: Story = async (teller) => {
  await teller.dieInFirstOpen();
  await teller.open();
  await teller.commit('a=10', 'sync');
  await teller.commit('b=10', 'none');
};

export interface LsmStory {
  readonly name: string;
  readonly subject: StorySubject;
  readonly story: Story;
}

/** All stories: those of all engines, and the LSM engine's own. */
export const LSM_STORIES: readonly LsmStory[] = [
  ...Object.entries(ENGINE_STORIES).map(([name, story]) => {
    return { name, subject: SUBJECT, story };
  }),
  { name: 'filling under sync', subject: SUBJECT, story: filling('sync') },
  { name: 'filling under batch', subject: SUBJECT, story: filling('batch') },
  { name: 'filling under none', subject: SUBJECT, story: filling('none') },
  { name: 'filling with zeros ahead', subject: WITH_ZEROS, story: filling('sync') },
  { name: 'filling in blocking calls', subject: SUBJECT, story: fillingNow },
  { name: 'a flush overtaken at its table', subject: SUBJECT, story: overtaken(0) },
  { name: 'a flush overtaken at its name', subject: SUBJECT, story: overtaken(1) },
  { name: 'merging in blocking calls', subject: SUBJECT, story: mergedNow },
  { name: 'levels', subject: SUBJECT, story: levels },
  { name: 'written while merging', subject: SUBJECT, story: writtenInMerge },
  { name: 'killed', subject: SUBJECT, story: killed },
  { name: 'killed in a flush', subject: SUBJECT, story: killedIn('flush', 0) },
  { name: 'killed while merging', subject: SUBJECT, story: killedIn('merge', 3) },
  { name: 'idle', subject: SUBJECT, story: idle },
  { name: 'windows of batch', subject: WINDOWED, story: windows },
  { name: 'long records', subject: SUBJECT, story: long },
  { name: 'unsynced records', subject: WITH_ZEROS, story: unsynced },
  { name: 'unsynced tables', subject: SUBJECT, story: unsyncedTables },
  {
    name: 'killed when the directory has been made, and opened again',
    subject: SUBJECT,
    story: diesAtOnce,
  },
  ...LSM_LOAD_STORIES,
];
