/**
 * Stories of Bitcask for many disks: little is synced, several files are written at a time (logs, hints, what a merge
 * makes, the manifest), processes are killed and others write on. What one story is about, its name says.
 */

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import type { Story, StorySubject } from '../support/engine-story.ts';
import type { StoryTeller } from '../support/engine-story.ts';
import { BY_CALL, EAGER, SMALL } from './bitcask-stories.ts';
import type { BitcaskStory } from './bitcask-stories.ts';

/** Logs with room for dozens of commits. */
const LONG_LOGS: StorySubject = {
  kind: bitcaskKind,
  options: { ...SMALL, maxFileSize: 16384, merge: false },
};

/** One by one, awaited and not, and several in a write. */
const twoDozen: Story = async (teller) => {
  await teller.open();
  for (let round = 0; round < 4; round++) {
    await teller.commit('a=700', 'none');
    teller.commitNow('k*2=400', 'none');
    await teller.commit('b=20,c-', 'none');
    await Promise.all([teller.commit('c=900', 'none'), teller.commit('k*3=100,a-', 'none')]);
    teller.commitNow('k*3-,d=300', 'batch');
  }
};

/** What no sync covered is served by the next process, which goes on without syncs. */
const killedTwice: Story = async (teller) => {
  await teller.open();
  for (let round = 0; round < 6; round++) await teller.commit(`a=${500 + round},k*2=90`, 'none');
  await teller.killAndOpen();
  for (let round = 0; round < 6; round++) teller.commitNow('b=800,a-', 'none');
  await teller.killAndOpen();
  for (let round = 0; round < 5; round++) await teller.commit('k*4=150,b-', 'none');
};

/** Batches over sectors and blocks: of many entries, of large ones, of deletes. */
const wideBatches: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*40=60', 'none');
  await teller.commit('m*2=2500', 'none');
  await teller.commit('k*40-,a=10', 'none');
  teller.commitNow('k*20=80,m*2-', 'batch');
  await Promise.all([teller.commit('m*3=700', 'none'), teller.commit('k*9-,b=1', 'none')]);
};

/** Every rotation leaves a hint that nobody syncs. */
const manyLogs: Story = async (teller) => {
  await teller.open();
  for (let round = 0; round < 5; round++) {
    await teller.commit(`k*12=${60 + round}`, 'none');
    teller.commitNow('a=1200', 'none');
    await teller.commit('b=900,k*3-', 'none');
    await teller.commit('c=700', 'batch');
  }
};

/** Commits of every form while files are merged, and after: outputs, hints and logs together. */
const mergedBeside: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*8=450', 'none');
  await teller.commit('k*6=440', 'none');
  await teller.commit('k*4-,a=900', 'none');
  for (let round = 0; round < 2; round++) {
    const merging = teller.engine.compact();
    merging.catch(() => 'told below, unless a fault ends the story before');
    const flying = [teller.commit('k*3=200,b=500', 'none'), teller.commit('a=600', 'none')];
    await turns(6);
    teller.commitNow('c=500,k*2-', 'none');
    await Promise.all([merging, ...flying]);
    await teller.commit('d=700', 'none');
  }
  await teller.commit('a-,e=600', 'none');
};

/** Merging begins by itself, again and again. */
const mergedBehind: Story = async (teller) => {
  await teller.open();
  for (let round = 0; round < 7; round++) {
    await teller.commit(`k*5=${340 + round}`, 'none');
    teller.commitNow(`${'abcdefg'[round]}=800`, 'none');
    await turns(4);
    await teller.commit('k*2-', round % 3 === 2 ? 'batch' : 'none');
  }
};

/** Killed in the middle of merging, and of the merge of the next process. */
const killedMerging: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*8=420', 'none');
  await teller.commit('k*8=410,a=10', 'none');
  for (const at of [14, 40]) {
    await teller.commit('k*4-,b=700', 'none');
    void teller.engine.compact().catch(() => 'its process was killed');
    await turns(at);
    teller.commitNow('c=500', 'none');
    await teller.killAndOpen();
    await teller.commit('k*3=300', 'none');
    await teller.commit('a=800,b-', 'none');
  }
};

/** Killed while a full log is followed by the next one. */
const killedRotating: Story = async (teller) => {
  await teller.open();
  for (const at of [3, 9, 20]) {
    await teller.commit('a=1500,k*3=200', 'none');
    await teller.commit('b=1300', 'none');
    void teller.commit('c=1200', 'none');
    void teller.commit('k*3-,d=300', 'none');
    await turns(at);
    await teller.killAndOpen();
    await teller.commit('e=400', 'none');
  }
};

/** A snapshot keeps files that a merge has replaced; it goes, and they are removed without a sync. */
const heldAndRemoved: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*8=400', 'none');
  await teller.commit('a=1500,b=1500', 'none');
  const snapshot = teller.engine.snapshot();
  await teller.commit('k*6-,a=300', 'none');
  await teller.engine.compact();
  await teller.commit('k*3=350,c=700', 'none');
  await teller.commit('b-', 'none');
  snapshot.release();
  await teller.commit('d=600', 'none');
  await teller.commit('a=650', 'none');
};

/** Everything of the above in one life of a store. */
const everything: Story = async (teller) => {
  await teller.open();
  await someCommits(teller, 'abc');
  const merging = teller.engine.compact();
  merging.catch(() => 'told below, unless a fault ends the story before');
  await someCommits(teller, 'bcd');
  await merging;
  await teller.killAndOpen();
  await someCommits(teller, 'cde');
  void teller.engine.compact().catch(() => 'its process was killed');
  await someCommits(teller, 'def');
  await teller.killAndOpen({ sync: 'none' });
  await someCommits(teller, 'efa');
  await teller.engine.compact();
  await someCommits(teller, 'fab');
};

/** Recovery writes again what is doubtful, in pieces of a sixteenth of a log, which end inside batches too. */
const writtenAgainInPieces: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10,b=10', 'sync');
  for (let round = 0; round < 3; round++) {
    teller.commitNow(`k*10=${150 + round},${'abc'[round]}=${20 + round}`, 'none');
  }
  await teller.killAndOpen();
  await teller.commit('a-', 'none');
};

async function someCommits(teller: StoryTeller, keys: string): Promise<void> {
  const [first = '', second = '', third = ''] = keys;
  await teller.commit(`${first}=700,k*4=120`, 'none');
  teller.commitNow(`${second}=400`, 'none');
  await Promise.all([
    teller.commit(`${third}=600,k*2-`, 'none'),
    teller.commit(`${first}-`, 'batch'),
  ]);
  teller.commitNow(`${third}=500,m=90`, 'none');
}

/** What is under way goes on for so long. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

export const BITCASK_WIDE_STORIES: readonly BitcaskStory[] = [
  { name: 'two dozen commits that no sync covers', subject: LONG_LOGS, story: twoDozen },
  { name: 'killed twice, and nothing was synced', subject: LONG_LOGS, story: killedTwice },
  { name: 'batches over many sectors', subject: LONG_LOGS, story: wideBatches },
  { name: 'five logs with hints', subject: BY_CALL, story: manyLogs },
  { name: 'commits beside merging', subject: BY_CALL, story: mergedBeside },
  { name: 'merging begins by itself', subject: EAGER, story: mergedBehind },
  { name: 'killed in two merges', subject: BY_CALL, story: killedMerging },
  { name: 'killed in three rotations', subject: BY_CALL, story: killedRotating },
  { name: 'merged under a snapshot', subject: BY_CALL, story: heldAndRemoved },
  { name: 'everything mixed, and hardly a sync', subject: BY_CALL, story: everything },
  { name: 'written again in pieces', subject: LONG_LOGS, story: writtenAgainInPieces },
];
