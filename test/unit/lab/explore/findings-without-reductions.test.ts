import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Prng } from '../../../../src/base/prng.ts';
import type { Checker, CrashedDisk, Verdict } from '../../../../src/lab/check/checker.ts';
import { ContentStore } from '../../../../src/lab/explore/content-store.ts';
import type { Exploration } from '../../../../src/lab/explore/exploration.ts';
import { exploreModel } from '../../../../src/lab/explore/explorer.ts';
import type { Reduction } from '../../../../src/lab/explore/explore-options.ts';
import { prepareHistory } from '../../../../src/lab/explore/prepared-history.ts';
import { VerdictCache } from '../../../../src/lab/explore/verdict-cache.ts';
import type { CrashModel } from '../../../../src/lab/model/crash-model.ts';
import { modelByName } from '../../../../src/lab/model/model-list.ts';
import type { Trace } from '../../../../src/lab/record/operation.ts';
import { MemoryVfs } from '../../../../src/vfs/memory-vfs.ts';
import { plainDisks, treeKey } from '../../../support/plain-states.ts';
import { randomTrace } from '../../../support/random-trace.ts';

const MODELS = ['ext4', 'ext4-journal', 'xfs', 'btrfs', 'apfs-fullfsync', 'posix', 'ext2'];
const SEEDS = 32;
const STATES_MAX = 70;

const SWITCHES: readonly (readonly Reduction[])[] = [
  [],
  ['points'],
  ['disks'],
  ['names'],
  ['points', 'disks', 'names'],
];

/**
 * A recovery of random looks: names, sizes and ranges, some of them only where an earlier look says so. What it saw
 * is the message, and it refuses the more, the more was promised: as demands of real checkers grow with marks.
 */
function randomChecker(seed: number, lazy: boolean): { checker: Checker; refused: Set<string> } {
  const refused = new Set<string>();
  const check = ({ root, marks }: CrashedDisk): Verdict => {
    const prng = new Prng(seed);
    const vfs = MemoryVfs.fromTree(root);
    let seen = '';
    for (let look = 0; look < 3; look++) {
      const path = prng.pick(['/a', '/b', '/d/a', '/c']);
      const position = prng.pick([0, 2, 600, 4094, 4096, 4900]);
      const skips = prng.below(3) === 0;
      if (skips && seen.endsWith('none ')) continue;
      seen += `${lookAt(vfs, path, position)} `;
    }
    const weight = [...seen].reduce((sum, letter) => sum + letter.charCodeAt(0), 0);
    if (weight % 4 > marks.length) return { ok: true };
    refused.add(seen);
    return { ok: false, message: seen };
  };
  const checker: Checker = lazy
    ? { name: 'looks', reads: 'lazy', check }
    : { name: 'looks', check };
  return { checker, refused };
}

function lookAt(vfs: MemoryVfs, path: string, position: number): string {
  try {
    const file = vfs.openSync(path, { read: true });
    const bytes = Buffer.alloc(5);
    const count = file.readSync(bytes, 0, 5, position);
    file.closeSync();
    return bytes.subarray(0, count).toString('latin1');
  } catch {
    // A directory, a loop of links, or nothing: also something to see.
    return 'none';
  }
}

async function explored(
  trace: Trace,
  model: CrashModel,
  checker: Checker,
  without: readonly Reduction[],
): Promise<Exploration> {
  return await exploreModel(trace, model, {
    checker,
    store: new ContentStore(),
    verdicts: new VerdictCache(),
    disksMax: 100_000,
    walkedMax: 1_000_000,
    without,
  });
}

for (const model of MODELS.map(modelByName)) {
  test(`under ${model.name} every reduction, on or off, gives the findings of plain enumeration`, async () => {
    let compared = 0;
    let failing = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { trace, steps } = randomTrace(seed * 31, 4 + (seed % 3));
      const { history } = prepareHistory(trace, model, new ContentStore());
      const plain = plainDisks(history, STATES_MAX);
      if (plain === null) continue;
      compared++;
      const byHand = randomChecker(seed, false);
      for (const { root, marks } of plain.each) await byHand.checker.check({ root, marks });
      const wanted = [...byHand.refused].toSorted();
      failing += wanted.length;
      for (const without of SWITCHES) {
        for (const lazy of [false, true]) {
          const { checker, refused } = randomChecker(seed, lazy);
          if (lazy && without.length === 1) continue;
          const { violations } = await explored(trace, model, checker, without);
          const told = new Set(violations.map(({ message }) => message));
          const how = `without ${without.join('+')}${lazy ? ', lazily' : ''}, seed ${seed}: ${steps.join('; ')}`;
          assert.deepEqual([...refused].toSorted(), wanted, how);
          assert.deepEqual([...told].toSorted(), wanted, how);
        }
      }
    }
    assert.ok(compared >= SEEDS / 3, `only ${compared} traces were small enough`);
    assert.ok(failing >= SEEDS / 2, `only ${failing} findings to compare`);
  });
}

test('with all reductions off every state is handed to the checker, equal disks again', async () => {
  const { trace } = randomTrace(5, 5);
  const keys: string[] = [];
  const checker: Checker = {
    name: 'counts',
    check: ({ root }) => {
      keys.push(treeKey(root));
      return { ok: true };
    },
  };
  const all = await explored(trace, modelByName('ext4'), checker, ['points', 'disks', 'names']);
  assert.equal(keys.length, all.walked);
  assert.equal(new Set(keys).size, all.distinct);
  assert.ok(keys.length > all.distinct);
});
