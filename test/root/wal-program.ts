/**
 * A program under the rig: a log of the real file system, everything it is promised told as marks. The checker
 * (`wal-rig.ts`) opens what a power cut left. `node wal-program.js STORY`, in the root of a fresh file system.
 */

import { join } from 'node:path';

import { mark } from '../../src/lab/record/mark.ts';
import { nodeVfs } from '../../src/vfs/node-vfs.ts';
import { LogStory, type StoryOptions } from '../support/log-story.ts';

interface RigStory {
  readonly options: StoryOptions;
  readonly tell: (story: LogStory) => Promise<void>;
}

/** Each writes enough that the device has something to lose, and in different ways. */
const STORIES: Readonly<Record<string, RigStory>> = {
  policies: {
    options: { window: 3 },
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 4; round++) {
        await story.append('none', 2, 900);
        await story.append('batch', 1, 5000);
        await story.append('sync', 1, 100 + round);
        story.appendSync('sync', 3, 400);
        await Promise.all([1, 2, 3].map((count) => story.append('sync', count, 2000)));
      }
      story.kill();
      await story.open();
      await story.append('sync');
      await story.close();
    },
  },
  segments: {
    options: { segmentBytes: 32 << 10, preallocate: true },
    tell: async (story) => {
      await story.open();
      for (let round = 0; round < 3; round++) {
        await story.append('sync', 1, 12_000);
        await story.append('none', 2, 9000);
        await story.append('sync', 1, 9000);
        if (round === 1) await story.checkpoint();
        if (round === 1) await story.truncate();
        await story.rotate();
        story.appendSync('none', 1, 300);
      }
      await story.truncate();
      story.kill();
      story.openSync();
      story.appendSync('sync', 2, 70);
      story.closeSync();
      await story.open();
      await story.append('none');
    },
  },
};

const { options, tell } = STORIES[process.argv[2] ?? ''] ?? {};
if (options === undefined || tell === undefined) throw new Error('wal-program STORY');
const directory = join(process.env['HOLDFAST_ROOT'] ?? process.cwd(), 'log');
await tell(new LogStory(nodeVfs, mark, { ...options, directory }));
