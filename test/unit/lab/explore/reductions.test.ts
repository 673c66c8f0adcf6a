import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import { countAllStates } from '../../../../src/lab/explore/count-states.ts';
import { walkDisks } from '../../../../src/lab/explore/disk-walk.ts';
import { prepareHistory } from '../../../../src/lab/explore/prepared-history.ts';
import type { CrashModel } from '../../../../src/lab/model/crash-model.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import { plainDisks, treeKey } from '../../../support/plain-states.ts';
import { randomTrace } from '../../../support/random-trace.ts';

/** Models that differ in what reductions depend on, and mixtures of answers that none of them has. */
const MODELS: readonly CrashModel[] = [
  ...['prefix', 'ext4', 'ext4-journal', 'xfs', 'btrfs', 'apfs-fullfsync', 'posix'].map(modelByName),
  ...['ext2', 'ext4-writeback', 'ext4+fastcommit', 'posix+nopsow', 'ext4+volatile'].map(
    modelByName,
  ),
  { ...modelByName('posix'), name: 'posix+late', appendSize: 'late', dataBeforeSize: 'last' },
  { ...modelByName('ext4'), name: 'ext4+free size', appendSize: 'free' },
  { ...modelByName('ext4'), name: 'ext4+ordered', appendSize: 'stream', dataBeforeSize: 'all' },
];

const TRACES = 120;
/** Traces with more states than this at one crash point take too long to enumerate. */
const STATES_MAX = 400;

for (const model of MODELS) {
  test(`under ${model.name} the walk gives the disks, marks and count of plain enumeration`, async () => {
    let compared = 0;
    for (let seed = 1; seed <= TRACES; seed++) {
      const { trace, steps } = randomTrace(seed, 4 + (seed % 3));
      const store = new ContentStore();
      const prepared = prepareHistory(trace, model, store);
      const plain = plainDisks(prepared.history, STATES_MAX);
      if (plain === null) continue;
      compared++;
      const walked = new Map<string, number>();
      for (const { root, marks } of walkDisks(trace, model, store)) {
        const key = treeKey(root);
        walked.set(key, Math.max(walked.get(key) ?? 0, marks.length));
      }
      const told = `seed ${seed}: ${steps.join('; ')}`;
      assert.deepEqual(sorted(walked), sorted(plain.disks), told);
      assert.equal(await countAllStates(prepared), plain.rawStates, told);
    }
    assert.ok(compared >= TRACES / 2, `only ${compared} traces were small enough`);
  });
}

function sorted(disks: ReadonlyMap<string, number>): [string, number][] {
  return [...disks].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
