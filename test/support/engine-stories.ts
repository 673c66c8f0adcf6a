/**
 * Stories of stores for the laboratory, the same for every engine: each is a short program whose every crash is
 * explored. What they cover together: every policy in both forms, batches, groups, overwriting and deleting, large
 * values, flush and merging of files (with options that make files small), snapshots held across them, `clear`,
 * backup, closing and opening again.
 */

import type { Story } from './engine-story.ts';

/** One commit after the other, of all policies and in both forms. */
const policies: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10', 'sync');
  await teller.commit('b=20,a=5', 'none');
  teller.commitNow('c=30', 'batch');
  await teller.commit('a-,d=0', 'batch');
  teller.commitNow('b-,e=40', 'sync');
  await teller.commit('a=7', 'none');
};

/** Callers that wait at the same moment, and a blocking call beside them. */
const groups: Story = async (teller) => {
  await teller.open();
  await Promise.all([
    teller.commit('a=10', 'sync'),
    teller.commit('a=20,b=20', 'sync'),
    teller.commit('b-', 'none'),
  ]);
  const flying = [teller.commit('c=30', 'sync'), teller.commit('a-', 'batch')];
  teller.commitNow('d=40,c=5', 'sync');
  await Promise.all(flying);
};

/** A batch over several sectors and blocks is whole or absent. */
const batches: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*40=100', 'sync');
  await teller.commit('k*40-,m*3=2000', 'none');
  await teller.commit('k*20=150,m*3-', 'sync');
};

/** Enough for files to be closed, written anew and removed. */
const turnover: Story = async (teller) => {
  await teller.open();
  for (let round = 0; round < 6; round++) {
    await teller.commit(`k*8=${300 + round},${'abcdef'[round]}=50`, 'none');
    if (round % 2 === 1) await teller.commit('k*4-', 'sync');
  }
  await teller.engine.compact();
  await teller.commit('a=10', 'sync');
};

/** A held snapshot keeps old versions alive across merging; its release lets them go. */
const snapshots: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*8=400', 'sync');
  const snapshot = teller.engine.snapshot();
  await teller.commit('k*8-,a=300', 'none');
  await teller.engine.compact();
  await teller.commit('k*3=400', 'sync');
  snapshot.release();
  await teller.engine.compact();
  await teller.commit('a-', 'sync');
};

/** Everything deleted in one range, and written again. */
const emptied: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*8=300,a=10', 'sync');
  await teller.commit('k*8-', 'sync');
  await teller.engine.compact();
  await teller.reopen();
  await teller.commit('k*2=10', 'sync');
};

/** Closed and opened, twice, with something of every policy in between. */
const reopened: Story = async (teller) => {
  await teller.open();
  await teller.commit('a=10,b=10', 'none');
  await teller.reopen({ createIfMissing: false });
  await teller.commit('a-', 'batch');
  teller.commitNow('c=3000', 'none');
  await teller.reopen({ sync: 'none' });
  await teller.commit('b=20', 'sync');
};

/** A copy made while the store goes on. */
const backedUp: Story = async (teller) => {
  await teller.open();
  await teller.commit('k*6=300', 'none');
  await teller.commit('a=10', 'sync');
  await teller.backup('/copy');
  await teller.commit('a-,k*3-', 'sync');
};

/** All stories, by what they are about. */
export const ENGINE_STORIES: Readonly<Record<string, Story>> = {
  policies,
  groups,
  batches,
  turnover,
  snapshots,
  emptied,
  reopened,
  'backed up': backedUp,
};
