/**
 * Stories of stores on the LSM engine that are loaded faster than anything is synced: for many disks. Logs of several
 * blocks under `none` and inside the window of `batch`, while tables are made and merged beside them, in processes
 * that are killed and go on. Tables are not compressed, so that they have parts, too.
 */

import { nextTurn } from '../../src/base/clock.ts';
import { lsmKind } from '../../src/lsm/lsm-kind.ts';
import type { LsmOptions } from '../../src/lsm/lsm-options.ts';
import type { StorySubject, StoryTeller } from '../support/engine-story.ts';
import type { LsmStory } from './lsm-stories.ts';

const LOADED: LsmOptions = {
  writeBufferSize: 8 << 10,
  maxFileSize: 4 << 10,
  blockSize: 1024,
  cacheSize: 16 << 10,
  compression: false,
};

function loaded(options: LsmOptions = {}): StorySubject {
  return { kind: lsmKind, options: { ...LOADED, ...options } };
}

/** What the background has begun comes so many steps further. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/** One record after the other, each of one key, without a sync. */
async function load(teller: StoryTeller, keys: string, bytes: number): Promise<void> {
  for (const key of keys) await teller.commit(`${key}=${bytes}`, 'none');
}

export const LSM_LOAD_STORIES: readonly LsmStory[] = [
  {
    name: 'loaded without a sync',
    subject: loaded({ writeBufferSize: 64 << 10 }),
    story: async (teller) => {
      await teller.open();
      await load(teller, 'abcdefgh', 700);
      await teller.commit('k*8=120,a-', 'none');
      await load(teller, 'ijklmnop', 900);
    },
  },
  {
    name: 'loaded over the ends of memtables',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      await load(teller, 'abcdefghi', 850);
      await load(teller, 'jklmnopqr', 850);
      await teller.commit('a-,k*10=300', 'none');
      await load(teller, 'stuv', 600);
    },
  },
  {
    name: 'loaded in the window of batch',
    subject: loaded({ writeBufferSize: 64 << 10 }),
    story: async (teller) => {
      await teller.open();
      for (const key of 'abcdef') {
        await teller.commit(`${key}=800`, 'batch');
        teller.commitNow(`${key}a=400,${key}b=100`, 'batch');
      }
      await teller.commit('b-,k*4=500', 'batch');
    },
  },
  {
    name: 'loaded while tables are merged',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      await teller.commit('k*12=500', 'sync');
      await teller.commit('k*6=450,m*4=500', 'sync');
      const merging = teller.engine.compact();
      merging.catch(() => 'told to whoever awaits it');
      await turns(2);
      await load(teller, 'abcdef', 900);
      await turns(2);
      await load(teller, 'ghij', 300);
      await merging;
    },
  },
  {
    name: 'loaded, killed, and loaded by the next process',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      await load(teller, 'abcdefg', 900);
      await teller.killAndOpen();
      await load(teller, 'gfedcba', 600);
      await teller.commit('k*8=400', 'none');
      await load(teller, 'hijk', 500);
      await turns(1);
      await teller.killAndOpen();
      await load(teller, 'lmnopq', 700);
    },
  },
  {
    name: 'a queue that no sync covers',
    subject: loaded({ writeBufferSize: 16 << 10 }),
    story: async (teller) => {
      await teller.open();
      const names = 'abcdefghijklmnopqrst';
      for (const [place, key] of [...names].entries()) {
        await teller.commit(`${key}=250`, 'none');
        if (place % 3 === 2) await teller.commit(`${names[place - 2]}-`, 'none');
      }
    },
  },
  {
    name: 'large values that no sync covers',
    subject: loaded({ writeBufferSize: 128 << 10 }),
    story: async (teller) => {
      await teller.open();
      await teller.commit('a=9000', 'none');
      await teller.commit('b=5000,c=10', 'none');
      await teller.commit('a=12000', 'none');
      await teller.commit('b-,d=7000', 'none');
    },
  },
  {
    name: 'loaded by a thread that never lets go',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      const flying = teller.commit('a=700', 'none');
      for (const key of 'bcdefghijklm') teller.commitNow(`${key}=900`, 'none');
      for (const key of 'nopqrstuvwx') teller.commitNow(`${key}=900,a=50`, 'batch');
      await flying;
      await load(teller, 'bcd', 500);
    },
  },
  {
    name: 'loaded over zeros ahead',
    subject: loaded({ preallocateBytes: 8 << 10 }),
    story: async (teller) => {
      await teller.open();
      await teller.commit('a=10', 'sync');
      await load(teller, 'bcdefgh', 500);
      await turns(2);
      await load(teller, 'abcdefgh', 700);
      await load(teller, 'ijkl', 300);
    },
  },
  {
    name: 'loaded while it is copied',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      await teller.commit('k*12=500', 'sync');
      await load(teller, 'abc', 800);
      const copying = teller.engine.backup('/copy');
      copying.catch(() => 'told to whoever awaits it');
      await load(teller, 'def', 900);
      await turns(2);
      await load(teller, 'ghi', 700);
      await copying;
      await load(teller, 'jkl', 600);
    },
  },
  {
    name: 'loaded while a snapshot keeps old versions',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      await load(teller, 'abcdefgh', 800);
      const snapshot = teller.engine.snapshot();
      await load(teller, 'abcdefgh', 700);
      await teller.engine.compact();
      await load(teller, 'hgfedc', 600);
      snapshot.release();
      const merging = teller.engine.compact();
      merging.catch(() => 'told to whoever awaits it');
      await load(teller, 'ab', 900);
      await merging;
      await teller.commit('a-,b-,c-', 'none');
    },
  },
  {
    name: 'killed while merging, and loaded by the next process',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      await teller.commit('k*14=500', 'none');
      await teller.commit('k*7=450,m*6=500', 'none');
      void teller.engine.compact().catch(() => 'its process was killed');
      await load(teller, 'abc', 900);
      await turns(3);
      await teller.killAndOpen();
      await load(teller, 'cbadef', 800);
      await turns(1);
      await teller.commit('k*7-', 'none');
      await load(teller, 'ghi', 400);
    },
  },
  {
    name: 'everything deleted and loaded again, without a sync',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      await teller.commit('k*20=400', 'none');
      await teller.commit('k*20-', 'none');
      await load(teller, 'abcd', 900);
      await teller.engine.compact();
      await load(teller, 'dcbaefg', 850);
      await teller.commit('a-,b-,c-,d-', 'none');
      await load(teller, 'hij', 300);
    },
  },
  {
    name: 'loaded, closed, and loaded again',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      await load(teller, 'abcdef', 900);
      await teller.reopen();
      await load(teller, 'fedcba', 800);
      await teller.reopen({ sync: 'none' });
      await load(teller, 'ghijk', 900);
    },
  },
  {
    name: 'everything mixed, and hardly a sync',
    subject: loaded(),
    story: async (teller) => {
      await teller.open();
      await load(teller, 'abcd', 900);
      teller.commitNow('e=700,k*4=200', 'batch');
      await Promise.all([teller.commit('f=600', 'none'), teller.commit('g=500,a-', 'none')]);
      await load(teller, 'hijk', 800);
      void teller.engine.compact().catch(() => 'its process was killed');
      await load(teller, 'bcd', 700);
      await turns(1);
      await teller.killAndOpen();
      for (const key of 'abcde') teller.commitNow(`${key}=900`, 'none');
      await teller.commit('k*4-,l=400', 'sync');
      await load(teller, 'mnopqrs', 900);
      const merging = teller.engine.compact({ gte: Buffer.from('a'), lt: Buffer.from('h') });
      merging.catch(() => 'told to whoever awaits it');
      await load(teller, 'tu', 600);
      await merging;
      await teller.killAndOpen();
      await load(teller, 'vwxyz', 900);
    },
  },
];
