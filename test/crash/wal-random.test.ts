/** Random use of a log against what it was told, in memory: nothing is lost by closing, killing or opening again. */

import { test } from 'node:test';

import * as fc from 'fast-check';

import type { SyncPolicy } from '../../src/durable/sync-policy.ts';
import { MemoryVfs } from '../../src/vfs/memory-vfs.ts';
import { LogStory } from '../support/log-story.ts';

/** Something done to a log; its name is shown when a run fails. */
interface Step {
  readonly name: string;
  readonly run: (story: LogStory) => Promise<void> | void;
}

const policy = fc.constantFrom<SyncPolicy>('sync', 'batch', 'none');
const count = fc.constantFrom(1, 1, 2, 5);
/** Around the ends of blocks of 32 KiB, and small. */
const size = fc.oneof(
  fc.nat(300),
  fc.integer({ min: 32_660, max: 32_770 }),
  fc.integer({ min: 60_000, max: 70_000 }),
);
const append = fc.record({ policy, count, size });

function step(name: string, run: Step['run']): fc.Arbitrary<Step> {
  return fc.constant({ name, run });
}

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.tuple(append, fc.boolean()).map(([a, blocking]): Step => ({
      name: `append${blocking ? 'Sync' : ''}(${a.policy}, ${a.count}, ${a.size})`,
      run: (s) =>
        blocking ? s.appendSync(a.policy, a.count, a.size) : s.append(a.policy, a.count, a.size),
    })),
  },
  {
    weight: 3,
    arbitrary: fc.array(append, { minLength: 2, maxLength: 6 }).map((all): Step => ({
      name: `together(${all.map((a) => `${a.policy} ${a.count} ${a.size}`).join(', ')})`,
      run: async (s) => {
        await Promise.all(all.map((a) => s.append(a.policy, a.count, a.size)));
      },
    })),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(append, append).map(([a, b]): Step => ({
      name: `append(${a.policy}, ${a.count}, ${a.size}) beside appendSync(${b.policy}, ${b.count}, ${b.size})`,
      run: async (s) => {
        const first = s.append(a.policy, a.count, a.size);
        s.appendSync(b.policy, b.count, b.size);
        await first;
      },
    })),
  },
  { weight: 1, arbitrary: step('sync', (s) => s.sync()) },
  { weight: 1, arbitrary: step('syncSync', (s) => s.syncSync()) },
  { weight: 2, arbitrary: step('rotate', (s) => s.rotate()) },
  { weight: 1, arbitrary: step('checkpoint', (s) => s.checkpoint()) },
  {
    weight: 1,
    arbitrary: fc.nat(100).map((part): Step => ({
      name: `truncate(${part} %)`,
      run: (s) => s.truncate(Math.floor((s.log.lastSequence * part) / 100)),
    })),
  },
  {
    weight: 1,
    arbitrary: step('rotate beside append', async (s) => {
      await Promise.all([s.rotate(), s.append('sync')]);
    }),
  },
  {
    weight: 2,
    arbitrary: fc.nat(100).map((part): Step => ({
      name: `readBack(${part} %)`,
      run: async (s) => {
        const { firstSequence, lastSequence } = s.log;
        const span = lastSequence - firstSequence + 1;
        await s.readBack(firstSequence - 1 + Math.floor((span * part) / 100));
      },
    })),
  },
  { weight: 1, arbitrary: step('pass', (s) => s.pass(300)) },
  {
    weight: 2,
    arbitrary: fc.boolean().map((blocking): Step => ({
      name: `close${blocking ? 'Sync' : ''}`,
      run: async (s) => {
        if (blocking) s.closeSync();
        else await s.close();
        if (blocking) s.openSync();
        else await s.open();
      },
    })),
  },
  {
    weight: 2,
    arbitrary: fc.boolean().map((blocking): Step => ({
      name: `kill, open${blocking ? 'Sync' : ''}`,
      run: async (s) => {
        s.kill();
        if (blocking) s.openSync();
        else await s.open();
      },
    })),
  },
);

test('whatever is done to a log, it shows what was appended, across closing, killing and opening', async () => {
  const numRuns = Number(process.env['HOLDFAST_RUNS'] ?? 60);
  // The same runs everywhere; others with another seed.
  const seed = Number(process.env['HOLDFAST_SEED'] ?? 1);
  await fc.assert(
    fc.asyncProperty(
      fc.array(steps, { maxLength: 25, size: 'max' }),
      fc.record({ preallocate: fc.boolean(), window: fc.constantFrom(1, 2, 5) }),
      async (chosen, options) => {
        const story = new LogStory(new MemoryVfs(), () => undefined, {
          ...options,
          segmentBytes: 64 << 10,
          powered: true,
        });
        await story.open();
        if (process.env['HOLDFAST_SHOW'] === '1')
          console.log(chosen.map(({ name }) => name).join('; '));
        for (const { run } of chosen) await run(story);
        story.kill();
        await story.open();
        await story.readBack(story.log.firstSequence - 1);
        await story.close();
        story.openSync();
      },
    ),
    { numRuns, seed },
  );
});

test('a rotation that a synchronous close overtook does not end the log that is opened next', async () => {
  const story = new LogStory(new MemoryVfs(), () => undefined, {
    preallocate: false,
    window: 1,
    segmentBytes: 64 << 10,
    powered: true,
  });
  await story.open();
  await story.append('sync', 1, 65_454);
  const first = story.append('sync', 1, 32_660);
  story.appendSync('sync', 1, 32_660);
  await first;
  story.closeSync();
  story.openSync();
  await story.append('sync', 1, 0);
  await story.append('sync', 1, 0);
  await story.close();
});
