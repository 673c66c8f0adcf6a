/**
 * Workloads of the write-ahead log for explorations: each tells everything that it is promised. What is asked of the
 * disks that they can leave is in `log-story.ts`.
 */

import type { CheckFunction, CrashTest, Recover } from '../../src/lab/suite/crash-test.ts';
import type { Vfs } from '../../src/vfs/vfs.ts';
import { LockAsideVfs } from '../support/lock-aside-vfs.ts';
import { LogStory, type StoryOptions } from '../support/log-story.ts';

export interface WalStory {
  readonly name: string;
  readonly tell: (story: LogStory) => Promise<void>;
  readonly options?: StoryOptions;
  /** The lock's own files are part of the disk. */
  readonly withLock?: boolean;
}

const BLOCK_BYTES = 32 << 10;

const POLICIES: readonly WalStory[] = [
  {
    name: 'awaited appends under sync',
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 4; round++) await story.append('sync');
    },
  },
  {
    name: 'blocking appends under sync',
    tell: async (story) => {
      story.openSync();
      for (let round = 0; round < 4; round++) story.appendSync('sync');
      story.closeSync();
    },
  },
  {
    name: 'callers that share a flush',
    tell: async (story) => {
      await story.open();
      await Promise.all([1, 2, 3, 4].map((count) => story.append('sync', count)));
      await Promise.all([1, 2].map(() => story.append('sync')));
    },
  },
  {
    name: 'batches, whole or absent',
    tell: async (story) => {
      await story.open();
      await story.append('none', 5, 40);
      story.appendSync('sync', 3, 700);
      await story.append('batch', 2, 1);
      await story.append('sync', 4, 0);
    },
  },
  {
    name: 'policy batch, bounded by count',
    options: { window: 2 },
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 3; round++) await story.append('batch');
      for (let round = 0; round < 3; round++) story.appendSync('batch');
    },
  },
  {
    name: 'policy batch, bounded by time',
    options: { window: 3 },
    tell: async (story) => {
      await story.open();
      await story.append('batch');
      await story.pass(1000);
      await story.append('batch');
      story.appendSync('batch');
      await story.pass(1000);
      await story.append('batch');
      await story.sync();
    },
  },
  {
    name: 'policy none, then a sync, then none',
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 3; round++) await story.append('none');
      story.syncSync();
      story.appendSync('none');
      await story.append('none');
    },
  },
  {
    name: 'policies mixed from call to call',
    options: { window: 2 },
    tell: async (story) => {
      await story.open();
      await story.append('none');
      await story.append('batch');
      story.appendSync('none');
      await story.append('sync');
      story.appendSync('batch');
      story.appendSync('none');
      await Promise.all([story.append('none'), story.append('sync'), story.append('batch')]);
      await story.close();
    },
  },
  {
    name: 'a dozen records that no sync covers',
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 4; round++) {
        await story.append('none', 1, 700);
        story.appendSync('none', 2, 400);
        await Promise.all([story.append('none', 1, 900), story.append('none', 3, 100)]);
      }
      await story.append('sync');
    },
  },
  {
    name: 'a dozen records that no sync covers, twice, with a kill between',
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 8; round++) await story.append('none', 1 + (round % 3), 500);
      story.kill();
      await story.open();
      for (let round = 0; round < 4; round++) story.appendSync('none', 1, 900);
      await story.rotate();
      for (let round = 0; round < 4; round++) await story.append('none', 2, 400);
    },
  },
  {
    name: 'records that are pieces of a log',
    tell: async (story) => {
      await story.open();
      await story.append('sync');
      await story.append('sync', 1, 5000, 'w');
      story.appendSync('none', 2, 2000, 'w');
      await story.append('sync');
    },
  },
  {
    name: 'blocking calls beside awaited ones under way',
    tell: async (story) => {
      await story.open();
      const first = Promise.all([story.append('sync'), story.append('none')]);
      story.appendSync('sync');
      const second = story.append('sync', 2);
      story.appendSync('none');
      story.syncSync();
      await Promise.all([first, second]);
      await story.append('sync');
    },
  },
];

const SEGMENTS: readonly WalStory[] = [
  {
    name: 'rotation',
    tell: async (story) => {
      await story.open();
      await story.append('sync');
      await story.rotate();
      await story.append('sync');
      await story.rotate();
      await story.append('sync');
    },
  },
  {
    name: 'rotation under policy none',
    tell: async (story) => {
      await story.open();
      await story.append('none');
      await story.append('none');
      await story.rotate();
      await story.append('none');
      await story.rotate();
      story.appendSync('none');
    },
  },
  {
    name: 'appends while a rotation is under way',
    tell: async (story) => {
      await story.open();
      await story.append('none');
      const rotating = story.rotate();
      const appending = [story.append('sync'), story.append('none')];
      story.appendSync('sync');
      await Promise.all([rotating, ...appending]);
      await story.append('sync');
    },
  },
  {
    name: 'rotation by size, and records over several blocks',
    options: { segmentBytes: BLOCK_BYTES },
    tell: async (story) => {
      await story.open();
      await story.append('sync', 1, 20_000);
      await story.append('none', 2, 10_000);
      await story.append('sync', 1, 40_000);
      story.appendSync('none', 1, 30_000);
      await story.append('sync');
      story.appendSync('sync');
    },
  },
  {
    name: 'checkpoint and truncation',
    tell: async (story) => {
      await story.open();
      await story.append('sync');
      await story.rotate();
      await story.append('none', 2);
      await story.rotate();
      await story.append('sync');
      await story.checkpoint();
      await story.truncate();
      await story.append('sync');
    },
  },
  {
    name: 'everything is let go, twice',
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 2; round++) {
        await story.append('none');
        await story.checkpoint();
        await story.rotate();
        await story.truncate();
      }
      await story.append('sync');
    },
  },
  {
    name: 'appends while segments are removed',
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 3; round++) {
        await story.append('sync');
        await story.rotate();
      }
      const removing = story.truncate();
      const appending = [story.append('sync'), story.append('none')];
      await Promise.all([removing, ...appending]);
      await story.append('sync');
    },
  },
];

const REOPENING: readonly WalStory[] = [
  {
    name: 'closed and opened again',
    tell: async (story) => {
      await story.open();
      await story.append('none');
      await story.close();
      await story.open();
      story.appendSync('sync');
      story.closeSync();
      story.openSync();
      await story.append('none');
    },
  },
  {
    name: 'an idle log gets its watermark',
    tell: async (story) => {
      await story.open();
      await story.append('sync');
      await story.pass(60_000);
      await story.append('sync');
      await story.pass(60_000);
    },
  },
  {
    name: 'killed with records that no sync covers, and opened again',
    tell: async (story) => {
      await story.open();
      await story.append('sync');
      await story.append('none');
      await story.append('none');
      story.kill();
      await story.open();
      await story.append('none');
      story.kill();
      story.openSync();
      story.appendSync('sync');
    },
  },
  {
    name: 'killed inside a rotation and inside a truncation',
    tell: async (story) => {
      await story.open();
      await story.append('none');
      void story.rotate();
      story.kill();
      await story.open();
      await story.append('sync');
      await story.rotate();
      await story.append('sync');
      void story.truncate();
      story.kill();
      await story.open();
      await story.append('sync');
    },
  },
  {
    name: 'opened again with other policies, checkpoints and truncation',
    tell: async (story) => {
      await story.open();
      await story.append('sync');
      await story.checkpoint();
      await story.close();
      await story.open();
      await story.rotate();
      await story.append('batch');
      await story.truncate();
      story.kill();
      story.openSync();
      await story.append('sync');
    },
  },
  {
    name: 'a long segment, which recovery does not write anew as a whole',
    tell: async (story) => {
      await story.open();
      await story.append('sync', 1, 300_000);
      await story.append('none');
      const syncing = story.sync();
      await story.append('none');
      await syncing;
      await story.append('none');
      story.kill();
      await story.open();
      await story.append('none');
      await story.append('sync');
    },
  },
  {
    name: 'the lock beside the log',
    withLock: true,
    tell: async (story) => {
      await story.open();
      await story.append('none');
      story.kill();
      await story.open();
      await story.append('sync');
      await story.close();
    },
  },
  {
    name: 'zeros written ahead',
    options: { preallocate: true, segmentBytes: BLOCK_BYTES },
    tell: async (story) => {
      await story.open();
      await story.append('sync');
      await story.append('sync');
      await story.pass(0);
      story.appendSync('sync');
      await story.append('none');
      story.kill();
      await story.open();
      await story.append('sync');
      await story.close();
    },
  },
];

/** For many disks: little is synced, and everything happens. And one that dies before its directory lasts. */
const MIXED: readonly WalStory[] = [
  {
    name: 'everything mixed, and hardly a sync',
    options: { window: 4 },
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 3; round++) await story.append('none', 1 + round, 600);
      story.appendSync('batch', 2, 500);
      const rotating = story.rotate();
      await Promise.all([story.append('none', 1, 900), story.append('none', 2, 300), rotating]);
      for (let round = 0; round < 3; round++) await story.append('none', 2, 450);
      story.kill();
      await story.open();
      for (let round = 0; round < 4; round++) story.appendSync('none', 1, 800);
      await story.checkpoint();
      await story.append('none', 3, 300);
      await story.rotate();
      for (let round = 0; round < 3; round++) await story.append('none', 1, 700);
      await story.truncate();
      for (let round = 0; round < 3; round++) await story.append('none', 2, 500);
      void story.rotate();
      story.kill();
      story.openSync();
      for (let round = 0; round < 4; round++) story.appendSync('none', 1, 900);
    },
  },
  {
    name: 'killed when the directory has been made, and opened again',
    tell: async (story) => {
      await story.dieInFirstOpen();
      await story.open();
      await story.append('sync');
    },
  },
];

/** They are explored without faults. */
export const WAL_STORIES: readonly WalStory[] = [...POLICIES, ...SEGMENTS, ...REOPENING, ...MIXED];

const FAULTY: readonly WalStory[] = [
  {
    name: 'appends of all policies',
    options: { window: 2 },
    tell: async (story) => {
      await story.open();
      await story.append('sync');
      await story.heal();
      await story.append('none');
      await story.append('batch', 2);
      await story.heal();
      await story.append('sync');
      await story.heal();
      story.appendSync('sync');
      await story.heal();
      await story.append('sync');
    },
  },
  {
    name: 'callers that share a flush',
    tell: async (story) => {
      await story.open();
      await Promise.all([story.append('sync'), story.append('none'), story.append('sync', 2)]);
      await story.heal();
      await Promise.all([story.append('sync'), story.append('sync')]);
      await story.heal();
      await story.append('sync');
    },
  },
  {
    name: 'rotation, checkpoint and truncation',
    tell: async (story) => {
      await story.open();
      await story.append('sync');
      await story.rotate();
      await story.heal();
      await story.append('none');
      await story.checkpoint();
      await story.heal();
      await story.rotate();
      await story.heal();
      await story.truncate();
      await story.heal();
      await story.append('sync');
    },
  },
  {
    name: 'killed, opened, closed, opened',
    tell: async (story) => {
      await story.open();
      await story.append('none');
      await story.append('sync');
      story.kill();
      await story.open();
      await story.append('sync');
      await story.close();
      await story.heal();
      await story.open();
      await story.append('sync');
    },
  },
];

/** They take a failure at any call: what it ends is opened again by another process. */
export const FAULTY_WAL_STORIES: readonly WalStory[] = FAULTY.map((story) => ({
  ...story,
  options: { ...story.options, faults: true },
}));

/** The crash test of a story: recovery opens the log, judges it, and appends; the check opens it once more. */
export function crashTestOf(story: WalStory): CrashTest {
  const { options = {}, withLock = false } = story;
  const disk = (vfs: Vfs): Vfs => (withLock ? vfs : new LockAsideVfs(vfs));
  const again: StoryOptions = { ...options, faults: false };
  const recover: Recover = (vfs, { marks, mark }) => {
    const next = new LogStory(disk(vfs), mark, again, marks);
    next.openSync();
    next.appendSync('sync');
  };
  const check: CheckFunction = (vfs, { marks }) => {
    new LogStory(disk(vfs), () => undefined, again, marks).openSync();
  };
  return {
    workload: async (vfs, { mark }) => await story.tell(new LogStory(disk(vfs), mark, options)),
    recover,
    check,
  };
}

/** Recovery that only opens the log and judges it. */
export function openOnly({ options = {}, withLock = false }: WalStory): Recover {
  const again: StoryOptions = { ...options, faults: false };
  return (vfs, { marks }) => {
    const disk = withLock ? vfs : new LockAsideVfs(vfs);
    new LogStory(disk, () => undefined, again, marks).openSync();
  };
}
