/** What is drawn at random where a crash point has too many states, and how it is shared. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import { exploreModel } from '../../../../src/lab/explore/explorer.ts';
import { VerdictCache } from '../../../../src/lab/explore/verdict-cache.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import { TraceBuilder } from '../../../../src/lab/record/trace-builder.ts';

test('samples are shared among the crash points, so that the first ones have some too', async () => {
  const builder = new TraceBuilder();
  for (let round = 0; round < 3; round++) {
    for (let step = 0; step < 30; step++) builder.create(`f${round}-${step}`);
    builder.fsync('/');
  }
  const points = new Set<number>();
  const exploration = await exploreModel(builder.build(), modelByName('posix'), {
    checker: {
      name: 'counting',
      check: ({ root }) => {
        const rounds = [...root.entries.keys()].map((name) => Number(name.slice(1, 2)));
        points.add(Math.max(0, ...rounds));
        return { ok: true };
      },
    },
    store: new ContentStore(),
    verdicts: new VerdictCache(),
    disksMax: 400,
    walkedMax: 200,
    samplesMax: 200,
    countStates: false,
  });
  assert.ok(exploration.sampled <= 200, `${exploration.sampled} states were drawn`);
  assert.equal(exploration.walkedPoints, exploration.decidingPoints);
  assert.deepEqual([...points].toSorted(), [0, 1, 2]);
});
