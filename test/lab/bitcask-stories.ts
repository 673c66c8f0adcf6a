/**
 * Bitcask under the laboratory: the stories of all stores and those that only Bitcask has, each with options so small
 * that logs rotate and files are merged. Entries that expire have a check of their own: `bitcask-expiring.ts`. Stories
 * for many disks: `bitcask-wide-stories.ts`.
 */

import { bitcaskKind } from '../../src/bitcask/bitcask-kind.ts';
import type { BitcaskOptions } from '../../src/bitcask/bitcask-options.ts';
import type { CheckFunction } from '../../src/lab/suite/crash-test.ts';
import type { Story, StorySubject } from '../support/engine-story.ts';
import { ENGINE_STORIES } from '../support/engine-stories.ts';

/** Logs of 4 KiB, and zeros ahead of the entries of one page. The same time of day in every run: it is in the files. */
export const SMALL: BitcaskOptions = {
  maxFileSize: 4096,
  preallocateBytes: 4096,
  timeOfDay: () => 1000,
};

/** Merged in the background too. */
export const SMALL_BITCASK: StorySubject = { kind: bitcaskKind, options: { ...SMALL } };

/** Merged only by call. */
export const BY_CALL: StorySubject = { kind: bitcaskKind, options: { ...SMALL, merge: false } };

/** With a window of two commits. */
const WINDOWED: StorySubject = {
  kind: bitcaskKind,
  options: { ...SMALL, merge: false, batch: { records: 2 } },
};

/** Every file with something dead in it is merged, and only those. */
export const EAGER: StorySubject = {
  kind: bitcaskKind,
  options: {
    ...SMALL,
    merge: {
      fragmentationTrigger: 1,
      fragmentationThreshold: 1,
      deadBytesTrigger: 4096,
      deadBytesThreshold: 4096,
      smallFileBytes: 0,
    },
  },
};

/** Three logs under one policy, awaited: the second of them by a batch that the first has no room for. */
function rotation(policy: 'sync' | 'batch' | 'none'): Story {
  return async (teller) => {
    await teller.open();
    await teller.commit('a=1500,b=20', policy);
    await teller.commit('c=1500', policy);
    await teller.commit('k*5=300,a-', policy);
    await teller.commit('c=1700,b-', policy);
    await teller.commit('d=1900', policy);
    await teller.commit('a=5', 'sync');
  };
}

/** As `rotation`, in blocking calls, with awaited ones under way. */
const rotationNow: Story = async (teller) => {
  await teller.open();
  teller.commitNow('a=1500,b=20', 'sync');
  teller.commitNow('c=1500', 'none');
  const flying = teller.commit('d=900', 'sync');
  teller.commitNow('k*5=300,a-', 'none');
  await flying;
  teller.commitNow('c=2500,b-', 'batch');
  teller.commitNow('b=1900', 'sync');
};

/** The process is killed, twice: what no sync covered is served by the next one, and durable then. */
const killed: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10,b=900', 'sync');
  await teller.commit('a=20,k*3=500', 'none');
  await teller.commit('b-', 'batch');
  await teller.killAndOpen();
  await teller.commit('c=30', 'none');
  await teller.killAndOpen();
  await teller.commit('c-', 'sync');
};

/** The window of `batch` closes by count and by time, also while the log is changed. */
const windows: Story = async (teller) => {
  await teller.open();
  for (const key of 'abc') await teller.commit(`${key}=10`, 'batch');
  teller.commitNow('a-', 'batch');
  teller.commitNow('b=2500', 'batch');
  await teller.commit('c=1900', 'batch');
  await teller.commit('d=10', 'batch');
  await teller.commit('e=10', 'none');
  teller.clock.pass(1000);
  for (let turn = 0; turn < 10; turn++) await new Promise((done) => void setImmediate(done));
  teller.allDurable();
  await teller.commit('e-', 'batch');
};

/** The next process finds a directory whose name nobody has made durable. */
const killedAtFirst: Story = async (teller) => {
  await teller.dieInFirstOpen();
  await teller.open();
  await teller.commit('a=10', 'sync');
};

/** Killed in the middle of merging, with a log that is full and one that is not. */
const killedInMerge: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*8=400', 'sync');
  await teller.commit('k*8=390,a=10', 'none');
  await teller.commit('k*4-', 'none');
  void teller.engine.compact().catch(() => 'its process was killed, or a fault came first');
  for (let turn = 0; turn < 12; turn++) await Promise.resolve();
  await teller.killAndOpen();
  await teller.commit('k*2=10', 'sync');
};

/** An idle log says that all of it is durable; what follows is not covered by that. */
const idle: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10,b=10', 'none');
  for (let second = 0; second < 3; second++) {
    teller.clock.pass(1000);
    for (let turn = 0; turn < 10; turn++) await new Promise((done) => void setImmediate(done));
  }
  // A mark is there when the idle log was synced.
  teller.allDurable();
  await teller.commit('a-', 'none');
  await teller.commit('b=20', 'none');
};

/** Deletes whose keys are in files that are not merged with them: they have to stay. */
const keptDeletes: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*3=900', 'sync');
  await teller.commit('a=1500,b=1500', 'none');
  await teller.commit('k*3-,a=1400', 'none');
  await teller.commit('b=3000', 'none');
  await teller.commit('c=3000', 'sync');
  await teller.engine.compact();
  await teller.commit('c-', 'sync');
};

/** Written while files are merged: the newer entry stays, whatever the merge finds. */
const writtenInMerge: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*8=450', 'sync');
  await teller.commit('k*4=440', 'sync');
  const merging = teller.engine.compact();
  merging.catch(() => 'told below, unless a fault ends the story before');
  const flying = [teller.commit('k*3-,a=10', 'sync'), teller.commit('k*6=20', 'none')];
  await merging;
  await Promise.all(flying);
  await teller.commit('a-', 'sync');
};

export interface BitcaskStory {
  readonly name: string;
  readonly subject: StorySubject;
  readonly story: Story;
  /** Asked of every disk once it has been opened, beside the promises that all stories make. */
  readonly asks?: {
    /** Of the mark from which on it is asked. */
    readonly isFrom: (mark: string) => boolean;
    readonly check: CheckFunction;
  };
}

const OF_ALL_STORES: readonly BitcaskStory[] = Object.entries(ENGINE_STORIES).map(
  ([name, story]) => ({ name, subject: SMALL_BITCASK, story }),
);

/** All stories, those of all stores and those of Bitcask alone. */
export const BITCASK_STORIES: readonly BitcaskStory[] = [
  ...OF_ALL_STORES,
  { name: 'rotation under sync', subject: BY_CALL, story: rotation('sync') },
  { name: 'rotation under batch', subject: BY_CALL, story: rotation('batch') },
  { name: 'rotation under none', subject: BY_CALL, story: rotation('none') },
  { name: 'rotation in blocking calls', subject: BY_CALL, story: rotationNow },
  { name: 'killed', subject: BY_CALL, story: killed },
  { name: 'killed in the first opening', subject: BY_CALL, story: killedAtFirst },
  { name: 'windows of batch', subject: WINDOWED, story: windows },
  { name: 'killed while merging', subject: BY_CALL, story: killedInMerge },
  { name: 'idle', subject: BY_CALL, story: idle },
  { name: 'kept deletes', subject: EAGER, story: keptDeletes },
  { name: 'written while merging', subject: BY_CALL, story: writtenInMerge },
];
